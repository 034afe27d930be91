"""``manage.py identity``: what may be one offering under two ids, and what is sold without a known model."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from feeds.models_behind import Suggestion, suggestions, without_model
from pricing.models import Decision, Offering, Reference
from pricing.suspicions import Suspicion, suspected_duplicates

# As feeds call what answers in text; many say nothing.
CHAT = ("chat", "responses", "completion", "")


class Command(BaseCommand):
    """Prints counts, then the list. Exit status 0, whatever is suspected."""

    help = "List offerings that may be one under two ids, and API offerings without an AI model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object for the whole result")

    def handle(self, *args: Any, **options: Any) -> None:
        suspected, unlinked, suggested = suspected_duplicates(), list(without_model()), suggestions()
        counts = {**_counts(), "suspected_duplicates": len(suspected), "suggested_links": len(suggested)}
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(counts, suspected, unlinked, suggested)))
            return
        for name, count in counts.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count:,}")
        for pair in suspected:
            self.stdout.write(f"duplicate? {_named(pair.one)} = {_named(pair.other)}: {pair.reason}")
        models = {each.offering.pk: each.model.slug for each in suggested}
        for offering in unlinked:
            guess = f"; perhaps {models[offering.pk]}" if offering.pk in models else ""
            self.stdout.write(f"no model: {_named(offering)}{guess}")


def _counts() -> dict[str, Any]:
    standing = Offering.objects.filter(kind=Offering.Kind.API, merged_into=None)
    chat = standing.filter(mode__in=CHAT)
    linked, of = chat.exclude(model=None).count(), chat.count()
    return {
        "api_offerings": standing.count(),
        "api_offerings_without_model": standing.filter(model=None).count(),
        "chat_offerings": of,
        "chat_offerings_linked": linked,
        "chat_percent_linked": round(100 * linked / of, 1) if of else 0.0,
        "merged": Offering.objects.exclude(merged_into=None).count(),
        "renamed": Reference.objects.exclude(continues=None).count(),
        "links_by_people": Decision.objects.filter(kind=Decision.Kind.LINK, undone_by=None).count(),
    }


def _named(offering: Offering) -> str:
    return f"{offering.pk} {offering.seller.slug} {offering.external_id}"


def _as_json(
    counts: dict[str, Any],
    suspected: Sequence[Suspicion],
    unlinked: Sequence[Offering],
    suggested: Sequence[Suggestion],
) -> dict[str, Any]:
    models = {each.offering.pk: each.model.slug for each in suggested}
    return {
        "counts": counts,
        "suspected_duplicates": [
            {
                "offerings": [_row(pair.one), _row(pair.other)],
                "likeness": pair.likeness.name.lower(),
                "agreeing": list(pair.agreeing),
                "differing": list(pair.differing),
            }
            for pair in suspected
        ],
        "without_model": [{**_row(offering), "suggested": models.get(offering.pk)} for offering in unlinked],
    }


def _row(offering: Offering) -> dict[str, Any]:
    return {"id": offering.pk, "seller": offering.seller.slug, "external_id": offering.external_id}
