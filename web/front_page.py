"""What the start page says of the record: how large it is, what moved, what is coming, what companies did.

Each part is a few rows found by an index, so that the page costs the same on a small record and on a large one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from companies.models import AIModel, Company, MonetizationEvent
from pricing.claims import PROMO_LAYER
from pricing.meters import METERS
from pricing.models import Disagreement, Hold, Offering, Price, PriceLine, PricingChange
from tracker.amounts import plain
from tracker.moments import beginning

# What happened to prices, and what happened to the list of what is sold: thousands of the second come with a feed's
# new sellers, and would leave no room for the first.
PRICE_MOVES = (
    "retracted",
    "rescheduled",
    "announced",
    "rerouted",
    "became_paid",
    "became_free",
    "currency_changed",
    "promo_started",
    "promo_extended",
    "promo_ended",
    "restructured",
    "increase",
    "decrease",
    "mixed",
)
CORRECTED = "corrected"
DATED = ("exact", "day", "month", "year")
LISTINGS = ("listed", "relisted", "withdrawn", "price_added", "price_removed")

MOVES_SHOWN = 12
LISTINGS_SHOWN = 6
# A large reading may bring more; the page then shows the latest of so many.
CHANGES_READ = 500
# With fewer moves than this the page also tells what is known of earlier ones.
ENOUGH_MOVES = 4
UPCOMING_SHOWN = 8
UPCOMING_READ = 200
LINES_SHOWN = 3
EVENTS_SHOWN = 8
_METER_ORDER = {meter: place for place, meter in enumerate(METERS)}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the record holds now, and how much of it is in doubt.

    ``on_sale`` are the offerings with a price in force or to come.
    """

    companies: int
    models: int
    offerings: int
    on_sale: int
    prices_in_force: int
    holds: int
    disagreements: int


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One pricing change as a line of a table. ``when`` is never more exact than what is known."""

    id: int
    when: str
    company: str
    company_slug: str
    headline: str
    kind: str
    is_correction: bool

    @property
    def kind_words(self) -> str:
        """The kind as people read it."""
        return "correction" if self.is_correction else self.kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class UpcomingRow:
    """What is to happen to one offering at one moment: new prices, or a promotion that ends."""

    at: datetime
    when: str
    company: str
    company_slug: str
    offering: str
    offering_id: int
    ends: bool
    lines: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """A monetization event with where it was read. ``source_url`` is empty unless a browser may follow it."""

    when: str
    company: str
    company_slug: str
    kind: str
    title: str
    summary: str
    source_url: str
    source_title: str
    source_class: str
    confidence: str


@dataclass(frozen=True, slots=True)
class FrontPage:
    """All that the start page shows of the record."""

    counts: Counts
    moves: list[ChangeRow]
    listings: list[ChangeRow]
    history: list[ChangeRow]
    upcoming: list[UpcomingRow]
    announced: list[EventRow]
    events: list[EventRow]


def front_page(now: datetime) -> FrontPage:
    """The record at a moment, as the start page tells it."""
    moves = latest_changes((*PRICE_MOVES, CORRECTED), MOVES_SHOWN)
    return FrontPage(
        counts=counts(now),
        moves=moves,
        listings=latest_changes(LISTINGS, LISTINGS_SHOWN),
        history=known_moves(now) if len(moves) < ENOUGH_MOVES else [],
        upcoming=upcoming(now),
        announced=announced_events(now.date()),
        events=latest_events(now.date()),
    )


def counts(now: datetime) -> Counts:
    """The sizes of the record at a moment."""
    offerings = Offering.objects.exclude(status=Offering.Status.MERGED).aggregate(
        every=Count("pk"), on_sale=Count("pk", filter=Q(status=Offering.Status.LISTED))
    )
    believed = Price.objects.filter(known_until=None)
    # What has ended had begun: two counts along an index each, where one condition on both would read every row.
    in_force = believed.filter(effective_from__lte=now).count() - believed.filter(effective_until__lte=now).count()
    return Counts(
        companies=Company.objects.count(),
        models=AIModel.objects.count(),
        offerings=offerings["every"],
        on_sale=offerings["on_sale"],
        prices_in_force=in_force,
        holds=Hold.objects.filter(closed_at=None).count(),
        disagreements=Disagreement.objects.filter(closed_at=None).count(),
    )


def latest_changes(kinds: Collection[str], limit: int) -> list[ChangeRow]:
    """The newest changes of these kinds: those detected last first, and of one reading those that took effect last.

    What was already so at a source's first load and what was read from old documents is no news.
    """
    # Written as IN, since SQLite does not use the index for what Django makes of `initial=False`.
    news = PricingChange.objects.filter(initial__in=[False], backfilled=False, kind__in=kinds).order_by("-sequence")
    read = news.values_list("detected_at", "effective_at", "sequence")[:CHANGES_READ]
    newest = sorted(read, reverse=True)[:limit]
    rows = PricingChange.objects.filter(sequence__in=[sequence for *_, sequence in newest])
    return _change_rows(rows.order_by("-detected_at", "-effective_at", "-sequence"))


def known_moves(now: datetime) -> list[ChangeRow]:
    """The latest moves of prices that were known from the start or from old documents, by the moment of the move.

    A move that was merely found done at a first reading has no moment of its own, and is left out.
    """
    history = PricingChange.objects.filter(Q(initial=True) | Q(backfilled=True), kind__in=PRICE_MOVES)
    has_moment = Q(precision__in=DATED) | Q(observed_after__isnull=False)
    history = history.filter(has_moment, effective_at__lte=now)
    return _change_rows(history.order_by("-effective_at", "-sequence")[:MOVES_SHOWN])


def _change_rows(changes: QuerySet[PricingChange]) -> list[ChangeRow]:
    return [
        ChangeRow(
            id=change.pk,
            when=beginning(change.effective_at, change.precision, change.observed_after),
            company=change.offering.seller.name,
            company_slug=change.offering.seller.slug,
            headline=change.headline,
            kind=change.kind,
            is_correction=change.nature == PricingChange.Nature.CORRECTION,
        )
        for change in changes.select_related("offering__seller")
    ]


def upcoming(now: datetime) -> list[UpcomingRow]:
    """What is believed to come after a moment, the nearest first: prices that begin and promotions that end."""
    believed = Price.objects.filter(known_until=None).select_related("line__offering__seller")
    starting = believed.filter(effective_from__gt=now).order_by("effective_from", "line__offering_id", "line_id")
    begins = list(starting[:UPCOMING_READ])
    ending = believed.filter(effective_until__gt=now, effective_from__lte=now, line__layer=PROMO_LAYER)
    ends = list(ending.order_by("effective_until", "line__offering_id", "line_id")[:UPCOMING_READ])
    rows = [*_beginnings(begins, now), *_ends(ends)]
    return sorted(rows, key=lambda row: (row.at, row.company, row.offering))[:UPCOMING_SHOWN]


def _beginnings(prices: Iterable[Price], now: datetime) -> list[UpcomingRow]:
    prices = list(prices)
    lines = {price.line_id for price in prices}
    holds = Q(effective_until=None) | Q(effective_until__gt=now)
    current = Price.objects.filter(holds, known_until=None, line__in=lines, effective_from__lte=now)
    amounts = {price.line_id: _amount(price) for price in current}
    rows = []
    for (offering_id, at), group in groupby(prices, key=lambda price: (price.line.offering_id, price.effective_from)):
        together = sorted(group, key=_plainest_first)
        texts = [_sentence(price, amounts.get(price.line_id)) for price in together]
        when = beginning(at, together[0].precision, together[0].observed_after)
        rows.append(_upcoming(together[0].line.offering, offering_id, at, when, texts, ends=False))
    return rows


def _ends(prices: Iterable[Price]) -> list[UpcomingRow]:
    rows = []
    for (offering_id, at), group in groupby(prices, key=lambda price: (price.line.offering_id, price.effective_until)):
        together = sorted(group, key=_plainest_first)
        if at is not None:
            texts = [_sentence(price, None) for price in together]
            rows.append(_upcoming(together[0].line.offering, offering_id, at, _end(at), texts, ends=True))
    return rows


def _plainest_first(price: Price) -> tuple[int, int, int]:
    """The list price of input, then of output, then of other meters; then what holds under conditions."""
    line = price.line
    return (len(line.qualifiers()), _METER_ORDER.get(line.meter, len(_METER_ORDER)), line.pk)


def _upcoming(
    offering: Offering, offering_id: int, at: datetime, when: str, texts: list[str], *, ends: bool
) -> UpcomingRow:
    return UpcomingRow(
        at=at,
        when=when,
        company=offering.seller.name,
        company_slug=offering.seller.slug,
        offering=offering.name,
        offering_id=offering_id,
        ends=ends,
        lines=tuple(texts[:LINES_SHOWN]),
        more=max(0, len(texts) - LINES_SHOWN),
    )


def _end(at: datetime) -> str:
    """An end carries no precision of its own: midnight says a day, anything else a moment."""
    at = at.astimezone(UTC)
    return beginning(at, "exact" if (at.hour, at.minute, at.second) != (0, 0, 0) else "day")


def _sentence(price: Price, now_in_force: str | None) -> str:
    """Such as ``input (peak): 0.66 USD per 1M tokens, now 0.435 USD``."""
    text = f"{_label(price.line)}: {_amount(price)} {price.line.unit}"
    return f"{text}, now {now_in_force}" if now_in_force else text


def _amount(price: Price) -> str:
    return f"{plain(price.amount)} {price.currency}"


def _label(line: PriceLine) -> str:
    words = line.meter.removesuffix("_tokens").replace("_", " ")
    qualifiers = line.qualifiers()
    return f"{words} ({', '.join(qualifiers)})" if qualifiers else words


def latest_events(today: date) -> list[EventRow]:
    """What companies did about money until a day, the newest first."""
    return _events(Q(day__lte=today), "-day", "-id")


def announced_events(today: date) -> list[EventRow]:
    """What companies said they would do after a day, the nearest first."""
    return _events(Q(day__gt=today), "day", "id")


def _events(condition: Q, *order: str) -> list[EventRow]:
    dated = MonetizationEvent.objects.annotate(day=Coalesce("effective_on", "announced_on"))
    found = dated.filter(condition).select_related("company").order_by(*order)
    return [_event_row(event) for event in found[:EVENTS_SHOWN]]


def _event_row(event: MonetizationEvent) -> EventRow:
    return EventRow(
        when=_event_date(event),
        company=event.company.name,
        company_slug=event.company.slug,
        kind=event.kind.replace("_", " "),
        title=event.title,
        summary=event.summary,
        source_url=event.source_url if event.source_url.startswith(("https://", "http://")) else "",
        source_title=event.source_title or event.source_url,
        source_class=event.get_source_class_display(),
        confidence=event.confidence,
    )


def _event_date(event: MonetizationEvent) -> str:
    if event.precision == "exact" and event.effective_at is not None:
        return beginning(event.effective_at, "exact")
    day = event.effective_on or event.announced_on
    if day is None:
        return ""
    whole = event.precision if event.precision in ("month", "year") else "day"
    return beginning(datetime(day.year, day.month, day.day, tzinfo=UTC), whole)
