"""Why a price is believed: who set it, what dates it, what everybody else says, and who ruled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Max
from django.utils import timezone

from pricing.belief import Readings, load_sheets
from pricing.claims import Conditions
from pricing.models import Decision, Observation, Price, Reference
from pricing.timeline import Said, Segment, Timeline, reference_timeline, same
from pricing.why_words import WHAT_VERDICTS_MEAN, because, begins, cell, ends, known, money, set_by
from tracker.moments import beginning, utc

Sheet = dict[Conditions, Segment]
_INSTANT = timedelta(microseconds=1)
_EVIDENCE = (
    "line__offering__seller",
    "source",
    "statement__source",
    "statement__reference",
    "statement__author",
    "dated_by__source",
    "decision__made_by",
)


@dataclass(frozen=True, slots=True)
class Voice:
    """What one id of one source says of the price's line, at the moment that is asked about.

    ``verdict`` is a key of ``WHAT_VERDICTS_MEAN``; ``amount`` is None where the source says nothing
    of this very line.
    """

    source: str
    source_slug: str
    rank: int
    is_ranked_for_seller: bool
    reference: str
    statement: int | None
    amount: Decimal | None
    currency: str
    since: str
    remark: str
    verdict: str
    last_reading: datetime

    @property
    def meaning(self) -> str:
        """The verdict in words."""
        return WHAT_VERDICTS_MEAN[self.verdict]


@dataclass(frozen=True, slots=True)
class RulingMade:
    """A person's decision that bears on the price."""

    decision: int
    kind: str
    by: str
    made_at: datetime
    note: str
    citation_url: str
    is_undone: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that answers "why this price", ready to be shown.

    ``moment`` is when the voices are compared: now, or the nearest moment at which the price is in
    force. ``instead`` is the row believed for that moment where this one no longer is believed.
    """

    price: Price
    moment: datetime
    sentences: tuple[str, ...]
    voices: tuple[Voice, ...]
    rulings: tuple[RulingMade, ...]
    instead: Price | None

    @property
    def seen_by(self) -> int:
        """How many sources state the price at the moment, or confirm it by another line."""
        return len({voice.source_slug for voice in self.voices if voice.verdict in ("sets", "agrees", "confirms")})

    @property
    def stated_by(self) -> int:
        """How many sources state the tariff at the moment, at whatever price."""
        return len({voice.source_slug for voice in self.voices if voice.verdict != "silent"})


def explain(price_id: int, *, now: datetime | None = None) -> Explanation:
    """Explain a price from the record. Raises Price.DoesNotExist."""
    now = now or timezone.now()
    price = Price.objects.select_related(*_EVIDENCE).get(pk=price_id)
    moment = _moment(price, now)
    voices = _voices(price, moment)
    sentences = (
        set_by(price, _last_reading(price)),
        begins(price),
        ends(price, _withdrawal(price), _follower(price), now),
        because(price, _others(price, voices)),
        known(price),
    )
    instead = None if price.known_until is None else _believed_at(price, moment)
    return Explanation(price, moment, tuple(filter(None, sentences)), voices, _rulings(price), instead)


def _moment(price: Price, now: datetime) -> datetime:
    if price.effective_until is not None and now >= price.effective_until:
        return price.effective_until - _INSTANT
    return max(now, price.effective_from)


def _believed_at(price: Price, moment: datetime) -> Price | None:
    rows = Price.objects.filter(line_id=price.line_id, known_until__isnull=True, effective_from__lte=moment)
    return rows.exclude(effective_until__lte=moment).first()


def _follower(price: Price) -> Price | None:
    """The price believed to begin where this one ends."""
    rows = Price.objects.filter(line_id=price.line_id, known_until__isnull=True)
    return rows.filter(effective_from=price.effective_until).first() if price.effective_until else None


def _last_reading(price: Price) -> datetime | None:
    if price.source_id is None:
        return None
    last: datetime | None = Observation.objects.filter(source_id=price.source_id).aggregate(m=Max("observed_at"))["m"]
    return last


def _withdrawal(price: Price) -> Decision | None:
    """The standing decision that ends the price, if one does."""
    standing = Decision.objects.filter(kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
    ending = standing.filter(offering_id=price.line.offering_id, effective_from=price.effective_until)
    return ending.select_related("made_by").first() if price.effective_until else None


def _others(price: Price, voices: Sequence[Voice]) -> list[Voice]:
    """The voices of other sources that say something, one for each source."""
    own = price.source.slug if price.source else ""
    return list({v.source_slug: v for v in voices if v.verdict != "silent" and v.source_slug != own}.values())


def _rulings(price: Price) -> tuple[RulingMade, ...]:
    """Rulings on the line and on the offering as a whole, the latest first."""
    made = Decision.objects.filter(offering_id=price.line.offering_id).select_related("made_by", "undone_by")
    return tuple(_ruling(decision) for decision in made if decision.line_id in (None, price.line_id))


def _ruling(decision: Decision) -> RulingMade:
    return RulingMade(
        decision=decision.pk,
        kind=decision.get_kind_display(),
        by=decision.made_by.get_username() if decision.made_by else "the machinery",
        made_at=decision.made_at,
        note=decision.note,
        citation_url=decision.citation_url,
        is_undone=hasattr(decision, "undone_by"),
    )


def _voices(price: Price, moment: datetime) -> tuple[Voice, ...]:
    """Every source that ever spoke of the price's tariff, in the order in which they come first."""
    offering = price.line.offering
    sheets, _specificity = load_sheets([offering.pk])
    by_reference: dict[tuple[int, int | None], list[Said]] = {}
    for said in sheets[offering.pk].said.get(price.line.conditions.tariff, []):
        by_reference.setdefault((said.source, said.reference), []).append(said)
    readings = Readings.load()
    names = _reference_names(by_reference.keys())
    last = _last_readings(by_reference.keys())
    voices = [
        _voice(price, moment, runs, readings, names.get(reference or 0, ""), last.get(source))
        for (source, reference), runs in by_reference.items()
    ]
    return tuple(sorted(voices, key=lambda v: (v.rank, v.source, v.verdict != "sets", v.reference)))


def _reference_names(keys: Iterable[tuple[int, int | None]]) -> dict[int, str]:
    rows = Reference.objects.filter(pk__in=[reference for _, reference in keys if reference])
    return {row.pk: f"{row.provider} {row.external_id}" for row in rows}


def _last_readings(keys: Iterable[tuple[int, int | None]]) -> dict[int, datetime]:
    rows = Observation.objects.filter(source_id__in={source for source, _ in keys}).order_by()
    return dict(rows.values_list("source_id").annotate(Max("observed_at")))


def _voice(
    price: Price, moment: datetime, runs: Sequence[Said], readings: Readings, name: str, last: datetime | None
) -> Voice:
    source_id, seller_id = runs[0].source, price.line.offering.seller_id
    source, witness = readings.sources[source_id], readings.witness(source_id, seller_id)
    timeline = reference_timeline(runs, witness)
    sheet = _sheet(timeline, moment)
    segment = sheet.get(price.line.conditions)
    return Voice(
        source=source.name,
        source_slug=source.slug,
        rank=witness.rank,
        is_ranked_for_seller=(source_id, seller_id) in readings.overrides,
        reference=name,
        statement=segment.statement if segment else None,
        amount=segment.value[0] if segment else None,
        currency=segment.value[1] if segment else "",
        since=beginning(segment.start, segment.precision, segment.observed_after) if segment else "",
        remark=_remark(price.line.conditions, timeline, sheet, moment) if segment is None else "",
        verdict=_verdict(price, runs[0], segment, sheet),
        last_reading=last or max(run.first_observed_at for run in runs),
    )


def _sheet(timeline: Timeline, moment: datetime) -> Sheet:
    """The lines of a tariff that a voice states as in force at a moment."""
    found = {line: next((s for s in segments if s.covers(moment)), None) for line, segments in timeline.items()}
    return {line: segment for line, segment in found.items() if segment is not None}


def _verdict(price: Price, run: Said, segment: Segment | None, sheet: Sheet) -> str:
    value = (price.amount, price.currency, price.zero_means)
    if not sheet:
        return "silent"
    if segment is None:
        return "confirms" if any(same(s.value, value) for s in sheet.values()) else "elsewhere"
    if not same(segment.value, value):
        return "differs"
    rests_on = price.statement
    sets = rests_on is not None and (rests_on.source_id, rests_on.reference_id) == (run.source, run.reference)
    return "sets" if sets and price.decision_id is None else "agrees"


def _remark(line: Conditions, timeline: Timeline, sheet: Sheet, moment: datetime) -> str:
    """What a voice that says nothing of the line says instead, or said before, or will say."""
    if sheet:
        return "states instead: " + ", ".join(f"{cell(other)} {money(s.value)}" for other, s in sorted(sheet.items()))
    segments = timeline.get(line, [])
    coming = next((s for s in segments if s.start > moment), None)
    gone = next((s for s in reversed(segments) if s.end is not None and s.end <= moment), None)
    said = f"said {money(gone.value)} until {utc(gone.end)}" if gone else ""
    says = f"says {money(coming.value)} from {beginning(coming.start, coming.precision)} on" if coming else ""
    return "; ".join(filter(None, [said, says])) or "says nothing of this line"
