"""Dated API prices of the curated record: sheets that held from one moment to another.

A sheet without an end would go before the live feeds for ever, since nothing precedes this
source: every sheet gives both its moments, and from its end on the feeds speak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from companies.record.fields import Citation, Fields
from companies.record.files import BadRecord
from feeds.adapters.curated.calendars import read_slot
from feeds.adapters.curated.claims import refuse_overlaps
from pricing.claims import (
    LIST_LAYER,
    PROMO_LAYER,
    STANDARD_TIER,
    Claim,
    Conditions,
    ModelFacts,
    ParsedOffering,
    SlotRule,
)
from pricing.meters import METERS

DATED = ("exact", "day", "month", "year")


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """The prices that were in force together, and where they were read."""

    claims: tuple[Claim, ...]
    citation: Citation
    note: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """From when on a seller has sold a model id no more, and where that was read."""

    at: datetime
    citation: Citation


@dataclass(frozen=True, slots=True)
class PricedModel:
    """What a seller charged for one model id; ``model`` is the seller's own id."""

    seller: str
    model: str
    name: str
    slots: tuple[SlotRule, ...]
    sheets: tuple[PriceSheet, ...]
    withdrawal: Withdrawal | None = None


def read_prices(place: str, slug: str, content: object) -> list[PricedModel]:
    """One file of ``prices/``. Raises BadRecord."""
    file = Fields.of(place, content)
    seller = file.owner("seller", slug)
    currency = file.currency("currency")
    models = [_model(seller, currency, fields) for fields in file.entries("offerings")]
    file.close()
    ids = [model.model for model in models]
    twice = next((model for model in ids if ids.count(model) > 1), None)
    if twice:
        raise BadRecord(f"{place}: {twice} stands twice, but all sheets of a model id belong under one entry")
    return models


def price_offering(model: PricedModel) -> ParsedOffering:
    """A model's dated prices as a source states them."""
    return ParsedOffering(
        provider=model.seller,
        model=model.model,
        claims=tuple(claim for sheet in model.sheets for claim in sheet.claims),
        facts=ModelFacts(name=model.name),
        slots=model.slots,
    )


def _model(seller: str, currency: str, fields: Fields) -> PricedModel:
    model = PricedModel(
        seller=seller,
        model=fields.text("model", required=True),
        name=fields.text("name"),
        slots=tuple(read_slot(slot) for slot in fields.entries("slots", required=False)),
        sheets=tuple(_sheet(currency, sheet) for sheet in fields.entries("sheets")),
        withdrawal=_withdrawal(fields.mapping("withdrawn")),
    )
    fields.close()
    claims = [claim for sheet in model.sheets for claim in sheet.claims]
    refuse_overlaps(fields.place, claims)
    _refuse_unruled_slots(fields, claims, model.slots)
    _refuse_later_prices(fields, claims, model.withdrawal)
    return model


def _withdrawal(fields: Fields | None) -> Withdrawal | None:
    if fields is None:
        return None
    at = fields.moment("at")
    if at is None:
        fields.refuse("at", "is missing, but a withdrawal has its moment")
    withdrawal = Withdrawal(at, fields.citation())
    fields.close()
    return withdrawal


def _sheet(currency: str, fields: Fields) -> PriceSheet:
    citation = fields.citation()
    sheet = PriceSheet(tuple(_claims(currency, fields, citation)), citation, fields.prose("note"))
    fields.close()
    return sheet


def _claims(currency: str, fields: Fields, citation: Citation) -> Iterator[Claim]:
    amounts = fields.mapping("amounts")
    start, end = fields.moment("effective_from"), fields.moment("effective_until")
    if start is None:
        fields.refuse("effective_from", "is missing: a sheet of the record says since when its prices held")
    if amounts is None or not amounts.values:
        fields.refuse("amounts", "is missing, but a sheet has an amount for at least one meter")
    for meter in amounts.values:
        if meter not in METERS:
            amounts.refuse(meter, f"is no meter; the meters are {', '.join(METERS)}")
        yield Claim(
            line=_line(fields, meter),
            amount=amounts.amount(meter),
            currency=currency,
            effective_from=start,
            effective_until=end,
            precision=fields.choice("precision", DATED),
            citation_url=citation.url,
            citation_title=citation.title,
        )


def _line(fields: Fields, meter: str) -> Conditions:
    return Conditions(
        meter=meter,
        service_tier=fields.slug("service_tier", required=False) or STANDARD_TIER,
        region=fields.text("region"),
        above_input_tokens=fields.number("above_input_tokens") or 0,
        slot=fields.slug("slot", required=False),
        layer=fields.choice("layer", (LIST_LAYER, PROMO_LAYER), LIST_LAYER),
    )


def _refuse_unruled_slots(fields: Fields, claims: list[Claim], slots: tuple[SlotRule, ...]) -> None:
    ruled = {rule.slot for rule in slots}
    for claim in claims:
        if claim.line.slot and claim.line.slot not in ruled:
            fields.refuse("slots", f"have no rule for {claim.line.slot}, which a sheet names")


def _refuse_later_prices(fields: Fields, claims: list[Claim], withdrawal: Withdrawal | None) -> None:
    if withdrawal is None:
        return
    if any(claim.effective_until is None or claim.effective_until > withdrawal.at for claim in claims):
        fields.refuse("withdrawn", "comes before the end of a sheet, but what is sold no more has no price")
