"""Holding back what is too strange of a document as a whole, until its source insists or a person rules.

The references concerned are read as if the document named them without saying anything that could be taken: nothing
of them ends and nothing begins. Which readings a hold kept back stands in its details, so that releasing it tells
those readings again with nothing kept back, and what happened has its own time and nature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from companies.models import Company
from feeds.identity import Identified
from feeds.intake import VANISHED, Listed, Prices, Suspicion, still_strange, suspicions
from feeds.kept_back import take_out
from feeds.leases import FeedIsTaken, lease
from feeds.models import Feed
from feeds.replaying import retell
from pricing.belief import LINE_COLUMNS
from pricing.claims import Conditions
from pricing.ledger import LedgerError, Outcome, Reading, Ruling
from pricing.locks import lock_ledger
from pricing.models import Decision, Hold, Observation, Source, Statement
from pricing.scruples import ceiling_of
from tracker.amounts import plain

READINGS = 3
TIME = timedelta(hours=48)


def weigh(source: Source, identified: Identified, observed_at: datetime, refresh_id: int) -> list[Hold]:
    """Take out of a document what is suspected of it; returns the holds on which the source insists by now.

    For the newest document of a source, beside what the source said until then. Must run under the ledger's lock.
    """
    document = _Document.read(source, identified)
    insisted = []
    for hold in _open_holds(source):
        left = document.leaves_of(hold)
        if left is None:
            _close(hold, Hold.Outcome.LAPSED)
            continue
        _repeat(hold, left, observed_at)
        insisted += [hold] if _insists(hold) else []
        take_out(identified, left.references)
    for suspicion in document.suspicions():
        if not _was_refused(source, suspicion):
            _repeat(_raise(source, suspicion, observed_at, refresh_id), suspicion, observed_at)
        take_out(identified, suspicion.references)
    return insisted


@dataclass(slots=True)
class _Document:
    """A document beside what its source said before it; what is suspected already is not suspected again.

    What the document offers is ``present``, also under an id that it did not have before.
    """

    before: list[Listed]
    now: dict[int, Prices]
    present: set[int]

    @classmethod
    def read(cls, source: Source, identified: Identified) -> _Document:
        now: dict[int, Prices] = {
            told.reference: {claim.line: (claim.amount, claim.currency) for claim in told.claims}
            for told in identified.told
        }
        before, offered = _standing(source), {told.offering for told in identified.told}
        renamed = {listed.reference for listed in before if listed.offering in offered}
        return cls(before, now, {*now, *identified.unreadable, *renamed})

    def leaves_of(self, hold: Hold) -> Suspicion | None:
        """What the document still shows of what a hold keeps back."""
        details = hold.details
        factor = Decimal(details["factor"]) if details["factor"] is not None else None
        references = frozenset(details["references"])
        held = Suspicion(hold.reason, hold.seller_id, references, details["offerings"], details["of"], factor)
        left = still_strange(held, self.before, self.now, self.present)
        if left is not None:
            self.present |= left.references
            for reference in left.references:
                self.now.pop(reference, None)
        return left

    def suspicions(self) -> list[Suspicion]:
        """What is suspected of the rest."""
        return suspicions(self.before, self.now, self.present) if self.before else []


def weigh_again(source: Source, observed_at: datetime) -> list[Hold]:
    """Note that a document was read again unchanged; returns the holds on which the source insists by now."""
    holds = list(_open_holds(source))
    for hold in holds:
        _note_reading(hold, observed_at)
    return [hold for hold in holds if _insists(hold)]


def let_go(feed: Feed, holds: Iterable[Hold], reading: Reading) -> None:
    """Release holds on which their source insists by this reading. Must run under the feed's lease."""
    for hold in holds:
        _close(hold, Hold.Outcome.PERSISTENCE)
        _tell_again(feed, hold, reading)


def release_document(hold: Hold, ruling: Ruling) -> None:
    """Let what a hold kept back of documents count, from its own time on. Raises LedgerError, FeedIsTaken."""
    feed = Feed.objects.select_related("source").get(source=hold.source_id)
    with lease(feed), transaction.atomic():
        lock_ledger()
        _rule(hold, Decision.Kind.RELEASE, ruling, Hold.Outcome.PERSON)
        _tell_again(feed, hold)


def refuse_document(hold: Hold, ruling: Ruling) -> None:
    """Rule that what a hold keeps back never counts, however often it is read. Raises LedgerError."""
    with transaction.atomic():
        lock_ledger()
        _rule(hold, Decision.Kind.REFUSE, ruling, Hold.Outcome.REFUSED)


def rule_on_document(hold: Hold, kind: Decision.Kind, ruling: Ruling) -> Outcome:
    """What the ledger hands on when a person rules on a hold of a document. Raises LedgerError."""
    try:
        (release_document if kind == Decision.Kind.RELEASE else refuse_document)(hold, ruling)
    except FeedIsTaken as taken:
        raise LedgerError(str(taken)) from None
    except Feed.DoesNotExist:
        raise LedgerError(f"{hold.source} has no feed, so that its documents cannot be read again") from None
    return Outcome()


def _rule(hold: Hold, kind: Decision.Kind, ruling: Ruling, outcome: Hold.Outcome) -> None:
    hold.refresh_from_db()
    if hold.closed_at is not None:
        raise LedgerError(f"this was decided at {hold.closed_at.isoformat()} already: {hold.get_outcome_display()}")
    hold.decision = Decision.objects.create(
        kind=kind,
        made_by=ruling.by,
        made_at=timezone.now(),
        note=ruling.note,
        citation_url=ruling.citation_url,
        details={"hold": hold.pk, "source": hold.source_id},
    )
    _close(hold, outcome)


def _tell_again(feed: Feed, hold: Hold, seen_by: Reading | None = None) -> None:
    moments = [datetime.fromisoformat(moment) for moment in hold.details["readings"]]
    readings = Observation.objects.filter(source=feed.source, observed_at__in=moments).order_by("observed_at")
    retell(feed, list(readings), as_correction=False, seen_by=seen_by)


def _standing(source: Source) -> list[Listed]:
    """What the source says until now under each of its ids; a dated price is there, and moves by its dates alone.

    A price that was never believed may be mended by any factor.
    """
    rows = Statement.objects.filter(source=source, ended_at__isnull=True, reference__isnull=False).values_list(
        "reference_id",
        "line__offering_id",
        "line__offering__seller_id",
        "amount",
        "currency",
        "effective_from",
        "effective_until",
        *(f"line__{name}" for name in LINE_COLUMNS),
    )
    found: dict[int, Listed] = {}
    for reference, offering, seller, amount, currency, begins, ends, *line in rows.iterator():
        listed = found.setdefault(reference, Listed(reference, offering, seller, {}))
        is_absurd = amount > ceiling_of(line[0], currency)
        if begins is None and ends is None and not is_absurd:
            listed.prices[Conditions(*line)] = (amount, currency)  # type: ignore[index]
    return list(found.values())


def _open_holds(source: Source) -> Iterable[Hold]:
    return Hold.objects.filter(source=source, statement__isnull=True, closed_at__isnull=True)


def _was_refused(source: Source, suspicion: Suspicion) -> bool:
    """Whether a person refused the like of it, of no other references."""
    refused = Hold.objects.filter(
        source=source,
        statement__isnull=True,
        reason=suspicion.reason,
        seller_id=suspicion.seller,
        outcome=Hold.Outcome.REFUSED,
    )
    return any(suspicion.references <= set(hold.details["references"]) for hold in refused)


def _raise(source: Source, suspicion: Suspicion, observed_at: datetime, refresh_id: int) -> Hold:
    seller = Company.objects.get(pk=suspicion.seller) if suspicion.seller is not None else None
    details: dict[str, object] = {
        "offerings": suspicion.count,
        "of": suspicion.total,
        "factor": plain(suspicion.factor) if suspicion.factor is not None else None,
        "references": [],
        "readings": [],
    }
    return Hold.objects.create(
        source=source,
        reason=suspicion.reason,
        seller=seller,
        details=details,
        observed_at=observed_at,
        refresh_id=refresh_id,
        raised_at=timezone.now(),
    )


def _repeat(hold: Hold, suspicion: Suspicion, observed_at: datetime) -> None:
    """Note what a document leaves of a hold, and what of it has come back."""
    back = sorted(set(hold.details["references"]) - suspicion.references)
    if back:
        moments = dict.fromkeys(map(str, back), observed_at.isoformat())
        hold.details["returned"] = hold.details.get("returned", {}) | moments
    hold.details["offerings"] = suspicion.count
    hold.details["references"] = sorted(suspicion.references)
    _note_reading(hold, observed_at)


def _note_reading(hold: Hold, observed_at: datetime) -> None:
    hold.details["readings"] = [*hold.details["readings"], observed_at.isoformat()]
    hold.save(update_fields=["details"])


def _insists(hold: Hold) -> bool:
    """Whether the source repeated it for three readings over two days; half of a document never goes by itself."""
    details = hold.details
    if hold.reason == VANISHED and hold.seller_id is None and 2 * details["offerings"] > details["of"]:
        return False
    moments = [datetime.fromisoformat(moment) for moment in details["readings"]]
    return len(moments) >= READINGS and moments[-1] - moments[0] >= TIME


def _close(hold: Hold, outcome: str) -> None:
    hold.closed_at, hold.outcome = timezone.now(), outcome
    hold.save(update_fields=["closed_at", "outcome", "decision"])
