"""The feeds app: fetching what sources say, and telling the ledger."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class FeedsConfig(AppConfig):
    name = "feeds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from feeds.document_holds import rule_on_document
        from feeds.enrolment import enrol_feeds
        from feeds.registry import check_network_feeds
        from pricing.rulings.holds import tell_document_ruling

        tell_document_ruling(rule_on_document)
        check_network_feeds(settings.NETWORK_FEEDS)
        post_migrate.connect(enrol_feeds, sender=self)
