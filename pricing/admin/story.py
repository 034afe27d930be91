"""What an offering's page tells besides its form: prices in force and to come, and all that was ever believed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet
from django.utils import timezone

from pricing.admin.calendars import rule_hours, rule_since
from pricing.admin.doubtful import DisagreementRow, HoldRow, doubts_of
from pricing.admin.record import why_url
from pricing.claims import STANDARD_TIER
from pricing.meters import METERS
from pricing.models import (
    CalendarStatement,
    Decision,
    Offering,
    Price,
    PricingChange,
    Reference,
    SlotRule,
    Source,
    Statement,
)
from pricing.witnesses import unconfirmed_among
from tracker.moments import beginning, utc

ROWS_SHOWN = 60
CHANGES_SHOWN = 30
_METER_ORDER = {slug: place for place, slug in enumerate(METERS)}
_LOOKS = {"past": "is-past", "no longer believed": "is-disbelieved"}
_EVIDENCE = ("line", "source", "statement__author", "decision__made_by")


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One row believed now or once: ``state`` is ``in force``, ``to come``, ``past`` or ``no longer believed``.

    ``is_unconfirmed`` where it was announced, and no source has been seen to state it since it took effect.
    """

    price: Price
    state: str
    since: str
    until: str
    spoken_by: str
    citation_url: str
    why: str
    is_unconfirmed: bool

    @property
    def look(self) -> str:
        """How the row is drawn: what is over is pale, what is no longer believed is struck through."""
        return _LOOKS.get(self.state, "")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A pricing change, and when it happened as exactly as that is known."""

    change: PricingChange
    when: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule of the calendar, believed now or once."""

    rule: SlotRule
    state: str
    hours: str
    since: str
    until: str
    spoken_by: str

    @property
    def look(self) -> str:
        """How the row is drawn, as that of a price."""
        return _LOOKS.get(self.state, "")

    @property
    def stated(self) -> CalendarStatement | None:
        """What an editor stated and can take back."""
        said = self.rule.statement
        is_running = said is not None and said.source.kind == Source.Kind.EDITOR and said.ended_at is None
        return said if is_running and self.rule.known_until is None else None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the page tells."""

    in_force: list[PriceRow]
    to_come: list[PriceRow]
    holds: list[HoldRow]
    disagreements: list[DisagreementRow]
    rows: list[PriceRow]
    more_rows: bool
    calendar: list[RuleRow]
    changes: list[ChangeRow]
    more_changes: bool
    stated: list[Statement]
    decisions: list[Decision]
    references: list[Reference]


def tell(offering: Offering, now: datetime | None = None) -> Story:
    """Read an offering's story: a fixed number of queries, however long it is."""
    now = now or timezone.now()
    unconfirmed = {price for price, _ in unconfirmed_among(Price.objects.filter(line__offering=offering))}
    believed = [_row(price, now, unconfirmed) for price in _prices(offering).filter(known_until__isnull=True)]
    rows = [
        _row(price, now, unconfirmed) for price in _prices(offering).order_by("-known_from", "-id")[: ROWS_SHOWN + 1]
    ]
    changes = list(
        offering.changes.select_related("source", "decision__made_by").order_by("-sequence")[: CHANGES_SHOWN + 1]
    )
    holds, disagreements = doubts_of(offering)
    return Story(
        in_force=_in_order(row for row in believed if row.state == "in force"),
        to_come=sorted((row for row in believed if row.state == "to come"), key=lambda r: r.price.effective_from),
        holds=holds,
        disagreements=disagreements,
        rows=_in_order(reversed(rows[:ROWS_SHOWN])),
        more_rows=len(rows) > ROWS_SHOWN,
        calendar=[_rule_row(rule, now) for rule in _calendar(offering)],
        changes=[_happened(change) for change in changes[:CHANGES_SHOWN]],
        more_changes=len(changes) > CHANGES_SHOWN,
        stated=list(_stated(offering)),
        decisions=list(offering.decisions.select_related("line", "made_by", "undone_by")),
        references=list(offering.references.select_related("source").order_by("source__precedence", "external_id")),
    )


def stands_withdrawn(offering: Offering) -> bool:
    """Whether a person's withdrawal of the offering still runs, so that it can be relisted."""
    standing = offering.decisions.filter(kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
    return standing.filter(effective_until__isnull=True).exists()


def _prices(offering: Offering) -> QuerySet[Price]:
    return Price.objects.filter(line__offering=offering).select_related(*_EVIDENCE)


def _stated(offering: Offering) -> QuerySet[Statement]:
    """What editors state and have not taken back."""
    stated = Statement.objects.filter(line__offering=offering, source__kind=Source.Kind.EDITOR, ended_at__isnull=True)
    return stated.select_related("line", "author", "source").order_by("-first_observed_at")


def _calendar(offering: Offering) -> QuerySet[SlotRule]:
    """The rules of the calendar: what is believed now first, then what was."""
    rules = offering.slot_rules.select_related("source", "statement__source", "statement__author")
    order = (F("known_until").desc(nulls_first=True), "source__precedence", "slot", "effective_from", "id")
    return rules.order_by(*order)[:ROWS_SHOWN]


def _rule_row(rule: SlotRule, now: datetime) -> RuleRow:
    author = rule.statement.author if rule.statement else None
    spoken_by = f"stated by {author}" if author else rule.source.name
    return RuleRow(rule, _state(rule, now), rule_hours(rule), rule_since(rule), utc(rule.effective_until), spoken_by)


def _row(price: Price, now: datetime, unconfirmed: Collection[int]) -> PriceRow:
    return PriceRow(
        price=price,
        state=_state(price, now),
        since=beginning(price.effective_from, price.precision, price.observed_after),
        until=utc(price.effective_until),
        spoken_by=_spoken_by(price),
        citation_url=_citation(price),
        why=why_url(price),
        is_unconfirmed=price.pk in unconfirmed,
    )


def _happened(change: PricingChange) -> ChangeRow:
    if change.nature == PricingChange.Nature.CORRECTION:
        return ChangeRow(change, utc(change.effective_at))
    return ChangeRow(change, beginning(change.effective_at, change.precision, change.observed_after))


def _state(row: Price | SlotRule, now: datetime) -> str:
    if row.known_until is not None:
        return "no longer believed"
    if row.effective_from is not None and row.effective_from > now:
        return "to come"
    return "in force" if row.effective_until is None or now < row.effective_until else "past"


def _spoken_by(price: Price) -> str:
    if price.decision is not None:
        return f"pinned by {price.decision.made_by or 'a person'}"
    if price.statement is not None and price.statement.author is not None:
        return f"stated by {price.statement.author}"
    return price.source.name if price.source else ""


def _citation(price: Price) -> str:
    if price.decision is not None:
        return price.decision.citation_url
    return price.statement.citation_url if price.statement else ""


def _in_order(rows: Iterable[PriceRow]) -> list[PriceRow]:
    """The plainest lines of the best known meters first; of one line the latest price, then the latest belief."""
    ordered = sorted(rows, key=lambda row: (row.price.effective_from, row.price.known_from), reverse=True)

    def order(row: PriceRow) -> tuple[object, ...]:
        line = row.price.line
        tier = (line.service_tier != STANDARD_TIER, line.service_tier)
        rest = (line.region, line.variant, line.commitment, line.above_input_tokens, line.slot, line.layer)
        return (*tier, _METER_ORDER.get(line.meter, len(_METER_ORDER)), *rest)

    return sorted(ordered, key=order)
