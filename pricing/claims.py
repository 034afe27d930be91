"""What a source says, before anybody decides whether it is so: plain values, no database.

An adapter's ``parse(bytes)`` returns one ``ParsedDocument``. Amounts are exact decimals for the
meter's canonical quantity (see ``pricing.meters``), as sold; times are aware and in UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

STANDARD_TIER = "standard"
LIST_LAYER = "list"
PROMO_LAYER = "promo"
PRECISIONS = ("exact", "day", "month", "year", "observed", "unknown")


@dataclass(frozen=True, slots=True, order=True)
class Conditions:
    """One cell of an offering's price sheet: the meter and everything its price depends on.

    ``above_input_tokens`` is 0, or n: the line applies to the whole request when its input is
    strictly above n (a source with "at least n" is stored as n-1). ``slot`` is empty or names a
    calendar slot such as ``peak``. ``layer`` is ``list`` or ``promo``.
    """

    meter: str
    service_tier: str = STANDARD_TIER
    region: str = ""
    variant: str = ""
    commitment: str = ""
    above_input_tokens: int = 0
    slot: str = ""
    layer: str = LIST_LAYER

    @property
    def tariff(self) -> Tariff:
        """The part that one source sets whole."""
        return (self.meter, self.service_tier, self.region, self.variant, self.commitment)


Tariff = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """One source saying one price for one line.

    ``effective_from`` and ``effective_until`` are what the source itself claims; None where it
    gives no date. ``precision`` belongs to ``effective_from`` and is one of PRECISIONS:
    ``observed`` when the source gives no date. The citation says where it can be read, for a
    source whose claims come from different places. A price that the source states as a factor on
    another line of the offering names that line in ``derived_from``, and the ``factor``. Where the
    amount is 0, ``zero_means`` says what that means; empty, it is what it means to whoever says it.
    """

    line: Conditions
    amount: Decimal
    currency: str = "USD"
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    precision: str = "observed"
    citation_url: str = ""
    citation_title: str = ""
    derived_from: Conditions | None = None
    factor: Decimal | None = None
    zero_means: str = ""


@dataclass(frozen=True, slots=True)
class RouteClaim:
    """One source saying where an id leads: to another id of the same provider, or to an AI model.

    Either ``target``, as the source writes ids, or ``model``, an AI model's slug, with ``model_name``
    for one that nobody knows yet. The dates and the citation mean what they mean in ``Claim``.
    """

    target: str = ""
    model: str = ""
    model_name: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    precision: str = "observed"
    citation_url: str = ""
    citation_title: str = ""


@dataclass(frozen=True, slots=True)
class SlotRule:
    """When a calendar slot applies.

    ``windows`` are (start, end) minutes from midnight in ``time_zone``; an end at or before its
    start lies on the next day, and (0, 1440) is the whole day. ``weekdays`` are ISO numbers
    (Monday 1) of the window's start; empty means every day. A slot may have several rules: they
    add up. ``is_rest`` marks the slot that holds whenever no other slot of the line does; it has
    no windows.
    """

    slot: str
    windows: tuple[tuple[int, int], ...] = ()
    weekdays: tuple[int, ...] = ()
    time_zone: str = "UTC"
    holidays: str = ""
    is_rest: bool = False
    effective_from: datetime | None = None
    effective_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a source says of the model behind an offering; empty where it says nothing."""

    name: str = ""
    family: str = ""
    developer: str = ""
    base_model: str = ""
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    mode: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    open_weights: bool | None = None
    released_on: date | None = None
    release_precision: str = "unknown"
    deprecated_on: date | None = None
    retired_on: date | None = None


@dataclass(frozen=True, slots=True)
class ParsedOffering:
    """One row of a document: what a source says one provider sells under one id."""

    provider: str
    model: str
    claims: tuple[Claim, ...]
    facts: ModelFacts = ModelFacts()
    slots: tuple[SlotRule, ...] = ()
    provider_name: str = ""
    routes: tuple[RouteClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that could not be taken, and why."""

    provider: str
    model: str
    reason: str


@dataclass(slots=True)
class ParsedDocument:
    """All that one document says.

    ``unrecognised`` counts price fields that no rule understands, by the source's own name;
    ``not_offerings`` counts rows that are not for sale (examples, defaults), by id. ``set_aside``
    tells what was left out of rows that were taken: the earlier twin of a repeated key, a price
    that is decided at run time.
    """

    offerings: list[ParsedOffering] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unrecognised: Counter[str] = field(default_factory=Counter)
    not_offerings: Counter[str] = field(default_factory=Counter)
    set_aside: list[Rejection] = field(default_factory=list)


class UnreadableDocument(ValueError):
    """The document cannot be taken whole; the message says what is wrong and what is right."""


JSONObject = Mapping[str, object]
