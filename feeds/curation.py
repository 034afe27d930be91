"""Loading the whole curated record: companies, events, metrics, plans and dated prices."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from companies.curated import LoadReport, load
from feeds.adapters.curated import bundle, plan_descriptions
from feeds.enrolment import feed_named
from feeds.refreshing import Report, refresh
from pricing.locks import lock_ledger
from pricing.models import Offering, Reference


@dataclass(frozen=True, slots=True)
class Curated:
    """What a load wrote: the record around the prices, and the refresh of plans and prices."""

    record: LoadReport
    prices: Report
    plans_described: int


def load_curated() -> Curated:
    """Load the record of ``settings.RECORD_DIR``; a second time it changes nothing.

    Raises companies.record.files.BadRecord or RefreshRefused, and then nothing was written.
    """
    body = bundle(settings.RECORD_DIR)
    with transaction.atomic():
        # A feed that is refreshed meanwhile may make the same companies.
        lock_ledger()
        record = load(settings.RECORD_DIR)
        prices = refresh(feed_named("curated"), trigger="command")
        described = _describe_plans(body)
    return Curated(record, prices, described)


def _describe_plans(body: bytes) -> int:
    """Give plans their audience and allowances where nobody has written any; how many were given."""
    described = 0
    plans = {(company, f"plan:{slug}"): plan for (company, slug), plan in plan_descriptions(body).items()}
    rows = Reference.objects.filter(source__slug="curated", offering__kind=Offering.Kind.PLAN)
    for reference in rows.select_related("offering"):
        plan = plans.get((reference.provider, reference.external_id))
        offering = reference.offering
        if plan is None or offering.audience or offering.allowances:
            continue
        offering.audience, offering.allowances = plan.audience, plan.allowances
        offering.save(update_fields=["audience", "allowances", "updated_at"])
        described += 1
    return described
