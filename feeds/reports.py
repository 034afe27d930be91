"""What a run over a feed did: its report, its row, and what every kind of run writes besides prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from feeds.checking import legible
from feeds.identity import Identified
from feeds.models import Feed, Refresh
from pricing.bookkeeping import Settled
from pricing.claims import ParsedDocument, Rejection
from pricing.currencies.published import PublishedRates
from pricing.currencies.recording import RecordedRates
from pricing.ledger import Outcome
from pricing.models import Hold

KEPT_REJECTIONS = 200
DRY_RUN = "dry run: nothing was written"


@dataclass(slots=True)
class Report:
    """What a refresh did, as commands print it and the API shows it."""

    feed: str
    status: str
    observed_at: datetime | None
    digest: str = ""
    refresh_id: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    rejections: list[dict[str, str]] = field(default_factory=list)
    unrecognised: dict[str, int] = field(default_factory=dict)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The report in plain JSON values."""
        return {
            "feed": self.feed,
            "status": self.status,
            "observed_at": self.observed_at.isoformat().replace("+00:00", "Z") if self.observed_at else None,
            "digest": self.digest,
            "refresh": self.refresh_id,
            **self.counts,
            "unrecognised": self.unrecognised,
            "rejections": self.rejections,
            "note": self.note,
        }


def new_refresh(feed: Feed, observed_at: datetime, digest: str, trigger: str, status: Refresh.Status) -> Refresh:
    """The row of a run that begins; its id is the evidence of what the run writes."""
    return Refresh.objects.create(feed=feed, observed_at=observed_at, digest=digest, trigger=trigger, status=status)


def document_counts(parsed: ParsedDocument, identified: Identified, held: int) -> dict[str, int]:
    """What a document holds, and what it made besides prices."""
    return {
        "seen": len(parsed.offerings) + len(identified.going_on),
        "new": identified.new_offerings,
        "references_new": identified.new_references,
        "rejected": len(parsed.rejected) + len(identified.rejected),
        "held": held,
        "not_offerings": sum(parsed.not_offerings.values()),
        "zeros_unknown": identified.zeros_unknown,
    }


def ledger_counts(outcome: Outcome) -> dict[str, int]:
    """What a reading wrote in the ledger."""
    opened, ended = outcome.statements_opened, outcome.statements_ended
    return {"statements_new": opened, "statements_ended": ended, **settled_counts(outcome.settled)}


def settled_counts(settled: Settled) -> dict[str, int]:
    """What settling wrote: prices, and the changes they make."""
    return {
        "prices_opened": settled.opened,
        "prices_closed": settled.closed,
        "changed": settled.changes,
        "withdrawn": settled.kinds.get("withdrawn", 0),
    }


def document_report(run: Refresh, parsed: ParsedDocument, identified: Identified, written: Mapping[str, int]) -> Report:
    """The report of a run that took a document whole."""
    return Report(
        run.feed.slug,
        "done",
        run.observed_at,
        run.digest,
        run.pk,
        counts=document_counts(parsed, identified, Hold.objects.filter(refresh_id=run.pk).count()) | dict(written),
        rejections=_rejections([*parsed.rejected, *identified.rejected]),
        unrecognised={legible(name): count for name, count in parsed.unrecognised.most_common()},
    )


def rates_report(run: Refresh, published: PublishedRates, recorded: RecordedRates) -> Report:
    """The report of a run that took a document of exchange rates."""
    return Report(
        run.feed.slug,
        "done",
        run.observed_at,
        run.digest,
        run.pk,
        counts=_counts_of_rates(published, recorded),
        rejections=_rejections([*published.rejected, *recorded.rejected]),
        unrecognised={legible(name): count for name, count in published.unrecognised.most_common()},
    )


def _counts_of_rates(published: PublishedRates, recorded: RecordedRates) -> dict[str, int]:
    return {
        "seen": len(published.rates),
        "days": len({rate.day for rate in published.rates}),
        "new": recorded.new,
        "changed": recorded.changed,
        "rejected": len(published.rejected) + len(recorded.rejected),
    }


def _rejections(rejected: list[Rejection]) -> list[dict[str, str]]:
    shown = rejected[:KEPT_REJECTIONS]
    return [{"provider": legible(r.provider), "model": legible(r.model), "reason": legible(r.reason)} for r in shown]


def finish(run: Refresh, report: Report) -> None:
    """Write down what a run did, and that it ended."""
    run.counts, run.rejections, run.unrecognised = report.counts, report.rejections, report.unrecognised
    run.finished_at = timezone.now()
    run.save()
