"""What people ruled, laid over what sources say, once more and slowly: from the rows of evidence alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from pricing.claims import Claim, Conditions
from pricing.models import Decision, Offering, Reference, Statement
from tests.pricing import oracle
from tests.pricing.oracle import Row, Value, alike
from tests.pricing.worlds import Quote, Speaker, Words, World

History = dict[Conditions, list[Row]]


@dataclass(frozen=True)
class Standing:
    """A pin, or without a line a withdrawal, that nobody undid."""

    line: Conditions | None
    value: Value
    start: datetime
    end: datetime | None
    precision: str


def believed_with_rulings(speakers: Sequence[Speaker], offering: Offering) -> History:
    """The whole belief about an offering, from its feeds' readings and what people said and ruled."""
    heard = [*speakers, editors_of(offering)]
    rulings = released(offering)
    meters = {quote.claim.line.meter for speaker in heard for said in speaker.readings.values() for quote in said}
    history: History = {}
    for meter in meters:
        part = [_about(meter, speaker) for speaker in heard if speaker.readings]
        history |= oracle.believed(World([speaker for speaker in part if speaker.ids], rulings))
    for ruling in standing(offering):
        history = overruled(history, ruling)
    return {line: rows for line, rows in history.items() if rows}


def _about(meter: str, speaker: Speaker) -> Speaker:
    return replace(
        speaker,
        readings={
            at: frozenset(quote for quote in said if quote.claim.line.meter == meter)
            for at, said in speaker.readings.items()
        },
    )


def editors_words(offering: Offering) -> list[Statement]:
    """What editors stated of an offering and never took back."""
    undoings = Decision.objects.filter(kind="undo", offering=offering)
    unsaid = {decision.details.get("statement") for decision in undoings}
    rows = Statement.objects.filter(line__offering=offering, source__slug="editors").select_related("line")
    return [row for row in rows.order_by("pk") if row.pk not in unsaid]


def claim_of(word: Statement) -> Claim:
    line, dates = word.line.conditions, (word.effective_from, word.effective_until)
    return Claim(line, word.amount, word.currency, *dates, word.precision, zero_means=word.zero_means)


def editors_of(offering: Offering) -> Speaker:
    """Editors as a record that is read whenever they change what they say."""
    words = editors_words(offering)
    moments = {word.first_observed_at for word in words} | {word.ended_at for word in words if word.ended_at}
    readings = {
        at: frozenset(
            Quote("", claim_of(word))
            for word in words
            if word.first_observed_at <= at and (word.ended_at is None or at < word.ended_at)
        )
        for at in moments
    }
    return Speaker("editors", 5, False, "free", readings, is_person=True)


def released(offering: Offering) -> dict[Words, bool]:
    """What people released or refused of what was held."""
    found: dict[Words, bool] = {}
    for decision in Decision.objects.filter(offering=offering, kind__in=["release", "refuse"], undone_by=None).order_by(
        "pk"
    ):
        reference = Reference.objects.get(pk=decision.details["reference"])
        assert decision.line is not None
        assert decision.amount is not None
        words = (reference.source.slug, reference.external_id, decision.line.conditions)
        found[*words, decision.amount, decision.currency] = decision.kind == "release"
    return found


def standing(offering: Offering) -> list[Standing]:
    """Pins and withdrawals in the order in which they were made."""
    rows = Decision.objects.filter(offering=offering, kind__in=["pin", "withdraw"], undone_by=None).order_by("pk")
    return [_standing(row) for row in rows]


def _standing(row: Decision) -> Standing:
    amount = row.amount if row.amount is not None else Decimal(0)
    value = (amount, row.currency, "" if amount else "free")
    line = row.line.conditions if row.line is not None else None
    assert row.effective_from is not None
    return Standing(line, value, row.effective_from, row.effective_until, row.precision)


def overruled(history: History, ruling: Standing) -> History:
    """A belief with one more ruling laid over it."""
    if ruling.line is None:
        return {line: list(_outside(rows, ruling)) for line, rows in history.items()}
    pinned = Row(ruling.start, ruling.end, ruling.value, ruling.precision, None)
    rows = [*_outside(history.get(ruling.line, []), ruling), pinned]
    return {**history, ruling.line: _joined(sorted(rows, key=lambda row: row.start))}


def _outside(rows: Iterable[Row], ruling: Standing) -> Iterable[Row]:
    for row in rows:
        if row.start < ruling.start:
            reaches_in = row.end is None or row.end > ruling.start
            yield replace(row, end=ruling.start) if reaches_in else row
        if ruling.end is None or (row.end is not None and row.end <= ruling.end):
            continue
        resumed = "observed" if ruling.line is not None else "exact"
        begins_later = row.start >= ruling.end
        yield row if begins_later else replace(row, start=ruling.end, precision=resumed, observed_after=None)


def _joined(rows: Sequence[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        if found and found[-1].end == row.start and alike(found[-1].value, row.value):
            found[-1] = replace(found[-1], end=row.end)
        else:
            found.append(row)
    return found
