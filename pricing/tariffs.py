"""An offering's price sheet, made ready to be asked which line applies to a meter at an instant.

Exactly one line applies, or none. First the tariff is chosen, the sheet that somebody sells:

1. the one with exactly the variant, commitment, service tier and region of the call;
2. else the nearest that is there, where the region gives way first (to the empty region), then the
   tier (to ``standard``), the commitment and the variant (to none).

A meter without a price in its tier is charged at the standard price, as sellers do: web searches in a
batch cost what they always cost, and batch or priority sheets that leave out the cache still sell it.
So a sub-count's own standard price comes before its parent's price in the tier; but where the two cost
the same on standard terms (reasoning at the price of output) it goes with its parent in the tier as
well. But a tier that the offering
does not have at all is an error, and so are a variant and a commitment; a region is not, because most
sellers charge the same everywhere. Nothing gives way towards a region, variant or commitment that was
not asked for: what is only sold in ``eu`` has no price without a region.

Then, within the tariff, of the lines in force:

1. promo before list;
2. the most specific slot (see ``pricing.calendars``), a line without a slot last;
3. the largest threshold that the request's input tokens are strictly above; it holds for the whole
   request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from pricing.calendars import Calendar, Slots
from pricing.claims import PROMO_LAYER, STANDARD_TIER, Conditions, SlotRule, Tariff
from pricing.likeness import misspelt

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class CostError(ValueError):
    """A call that cannot be priced as asked."""


class UnknownTerm(CostError):
    """A tier, variant or commitment that the offering never had; ``choices`` are those it has."""

    def __init__(self, field: str, value: str, choices: Sequence[str]) -> None:
        nearest = misspelt(value, tuple(choices))
        meant = f"; did you mean {nearest[0]}?" if nearest else ""
        listed = ", ".join(choices) or "none"
        super().__init__(f"{field}: there is no {value[:100]!r} here; choices are {listed}{meant}")
        self.field = field
        self.value = value
        self.choices = tuple(choices)


class OverlappingPrices(CostError):
    """Two prices of one line at one instant: the sheet is not one that the ledger keeps."""


@dataclass(frozen=True, slots=True)
class SheetPrice:
    """The amount and currency of a line over an effective interval; None is open.

    ``row`` is the id of the price row to cite. ``calendar`` says whose slot rules the line's slot
    follows, since sources of one offering may cut the day differently. ``zero_means`` is ``free`` or
    ``included`` where the amount is 0. ``remark`` is what a reader of the price has to know besides.
    """

    line: Conditions
    amount: Decimal
    currency: str = "USD"
    row: int | None = None
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    zero_means: str = ""
    calendar: int = 0
    remark: str = ""

    def in_force(self, moment: datetime) -> bool:
        """Whether the price is in force at an aware moment."""
        began = self.effective_from is None or self.effective_from <= moment
        return began and (self.effective_until is None or moment < self.effective_until)


class Terms(NamedTuple):
    """On which terms a call was made."""

    service_tier: str = STANDARD_TIER
    region: str = ""
    variant: str = ""
    commitment: str = ""

    def tariffs(self, meter: str) -> Iterator[Tariff]:
        """The tariffs of a meter that may set its price, the first before the others."""
        for variant in dict.fromkeys((self.variant, "")):
            for commitment in dict.fromkeys((self.commitment, "")):
                for tier in dict.fromkeys((self.service_tier, STANDARD_TIER)):
                    for region in dict.fromkeys((self.region, "")):
                        yield meter, tier, region, variant, commitment


class Situation(NamedTuple):
    """What a line's choice depends on besides the terms.

    ``above`` is the largest threshold of the sheet that the input is above; ``slots`` are those that
    hold, by calendar.
    """

    moment: datetime
    above: int
    slots: Mapping[int, Slots]


class Tariffs:
    """All prices of one offering by tariff. Raises OverlappingPrices and UnknownCalendar when made."""

    __slots__ = ("_by_tariff", "_calendars", "_choices", "edges", "thresholds")

    def __init__(self, prices: Iterable[SheetPrice], calendars: Mapping[int, Iterable[SlotRule]]) -> None:
        self._by_tariff: dict[Tariff, list[SheetPrice]] = {}
        for price in prices:
            self._by_tariff.setdefault(price.line.tariff, []).append(price)
        kept = list(self)
        _refuse_overlaps(kept)
        moments = {moment for price in kept for moment in (price.effective_from, price.effective_until) if moment}
        self.edges = sorted(moment.astimezone(UTC) for moment in moments)
        self.thresholds = sorted({price.line.above_input_tokens for price in kept} - {0})
        self._calendars = {key: Calendar(calendars.get(key, ())) for key in {p.calendar for p in kept if p.line.slot}}
        self._choices = Terms(*(_column(self._by_tariff, place) for place in range(1, 5)))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[SheetPrice]:
        return (price for prices in self._by_tariff.values() for price in prices)

    @property
    def has_slots(self) -> bool:
        """Whether any price depends on the time of day."""
        return bool(self._calendars)

    def slots(self, at: datetime, in_force_at: datetime) -> tuple[Slots, ...]:
        """What holds at an instant, calendar by calendar, by the rules in force at another.

        Raises CostError for an instant at the ends of the years that can be written.
        """
        try:
            return tuple([calendar.slots_at(at, in_force_at) for calendar in self._calendars.values()])
        except OverflowError:
            raise CostError(f"at: {at.isoformat()} is too far away for a calendar") from None

    def situation(self, moment: datetime, reached: int, slots: tuple[Slots, ...]) -> Situation:
        """The situation in which the input is above the first ``reached`` of the thresholds."""
        above = self.thresholds[reached - 1] if reached else 0
        return Situation(moment, above, dict(zip(self._calendars, slots, strict=True)))

    def choose(self, meter: str, terms: Terms, situation: Situation) -> SheetPrice | None:
        """The price of the one line that applies to a meter."""
        for tariff in terms.tariffs(meter):
            found = [(rank, price) for price in self._by_tariff.get(tariff, ()) if (rank := _rank(price, situation))]
            if found:
                return min(found, key=lambda ranked: ranked[0])[1]
        return None

    def cite(self, meters: Sequence[str], terms: Terms, situation: Situation) -> SheetPrice | None:
        """The price for what is counted by the first of some meters, each of which stands in for those before it."""
        for place, meter in enumerate(meters):
            price = self.choose(meter, terms, situation)
            if price is not None and not self._follows(price, meters[place + 1 :], terms, situation):
                return price
        return None

    def _follows(self, price: SheetPrice, wider: Sequence[str], terms: Terms, situation: Situation) -> bool:
        """Whether a price on other terms than those asked is no more than a copy of the next wider meter's."""
        found = Terms(*price.line.tariff[1:])
        if found == terms:
            return False
        others = (other for meter in wider if (other := self.choose(meter, found, situation)))
        nearest = next(others, None)
        return nearest is not None and (nearest.amount, nearest.currency) == (price.amount, price.currency)

    def has(self, field: str, value: str) -> bool:
        """Whether a tier, region, variant or commitment is one that some line has, or the plain one."""
        return value in getattr(self._choices, field) or value == getattr(Terms(), field)

    def refuse_unknown(self, terms: Terms) -> None:
        """Raises UnknownTerm for a tier, variant or commitment that no line has."""
        for field in ("service_tier", "variant", "commitment"):
            value = getattr(terms, field)
            if not self.has(field, value):
                raise UnknownTerm(field, value, [choice for choice in getattr(self._choices, field) if choice])

    def beginnings(self, meters: Iterable[str], terms: Terms) -> list[datetime]:
        """When prices of some meters begin that may apply on these terms, the first first."""
        tariffs = {tariff for meter in meters for tariff in terms.tariffs(meter)}
        prices = (price for tariff in tariffs for price in self._by_tariff.get(tariff, ()))
        return sorted({price.effective_from or _ALWAYS for price in prices})

    def next_known(self, meters: Iterable[str], terms: Terms, moment: datetime) -> datetime | None:
        """When the first price after a moment begins that any of some meters has."""
        return next((begins for begins in self.beginnings(meters, terms) if begins > moment), None)

    def other_terms(self, meter: str) -> list[str]:
        """On which terms a meter has prices, in words."""
        tariffs = sorted(tariff for tariff in self._by_tariff if tariff[0] == meter)
        return [" ".join(filter(None, tariff[1:])) for tariff in tariffs]


def _column(tariffs: Iterable[Tariff], place: int) -> tuple[str, ...]:
    return tuple(sorted({tariff[place] for tariff in tariffs}))


def _rank(price: SheetPrice, situation: Situation) -> tuple[bool, int, int, str] | None:
    """The place of a price among those of its tariff, the lowest first; None when it does not apply."""
    line = price.line
    if line.above_input_tokens > situation.above or not price.in_force(situation.moment):
        return None
    slots = situation.slots.get(price.calendar, ()) if line.slot else ()
    if line.slot and line.slot not in slots:
        return None
    specific = slots.index(line.slot) - len(slots) if line.slot else 0
    return line.layer != PROMO_LAYER, specific, -line.above_input_tokens, line.slot


def _refuse_overlaps(prices: Iterable[SheetPrice]) -> None:
    reached: dict[Conditions, datetime] = {}
    for price in sorted(prices, key=lambda price: price.effective_from or _ALWAYS):
        if (price.effective_from or _ALWAYS) < reached.get(price.line, _ALWAYS):
            raise OverlappingPrices(f"{price.line} has two prices from {price.effective_from}")
        reached[price.line] = price.effective_until or _NEVER
