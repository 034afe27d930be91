"""Holds and disagreements as the API writes them, each with what the other sources say of the line now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pricing.api.shapes.prices import LINE_FIELDS, in_force, line_shape
from pricing.models import Decision, Disagreement, Hold, Offering, Price, PriceLine
from pricing.moves import percent_between
from pricing.opinions import Opinion, opinions_on
from tracker.api.fields import percent_text
from tracker.api.moments import moment_text
from tracker.fields import plain

OPEN, CLOSED = "open", "closed"
DOUBT_STATUSES = [OPEN, CLOSED]
_NO_LINE = dict.fromkeys((LINE_FIELDS[0], "unit", *LINE_FIELDS[1:]))


def hold_shapes(holds: Sequence[Hold], now: datetime) -> list[dict[str, Any]]:
    """The holds with what is believed and said of their lines now, by two queries.

    Source, offering with seller and model, line, seller and decision come joined.
    """
    lines = {hold.line_id for hold in holds if hold.line_id is not None}
    opinions, believed = opinions_on(lines, now), believed_on(lines, now)
    return [
        _hold_shape(hold, opinions.get(hold.line_id or 0, ()), believed.get(hold.line_id or 0), now) for hold in holds
    ]


def _hold_shape(hold: Hold, opinions: Collection[Opinion], believed: Price | None, now: datetime) -> dict[str, Any]:
    return {
        "id": hold.pk,
        "source": hold.source.slug,
        "reason": hold.reason,
        "reason_text": hold.get_reason_display(),
        "status": OPEN if hold.is_open else CLOSED,
        "outcome": hold.outcome or None,
        **_offering_shape(hold),
        **(line_shape(hold.line) if hold.line else _NO_LINE),
        **_money(hold.amount, hold.currency),
        "instead": None if hold.instead is None else _money(hold.instead, hold.instead_currency),
        "percent": percent_text(percent_of_hold(hold)),
        "believed": _believed_shape(believed),
        "others": _others(opinions, hold.source_id),
        "details": _counted(hold),
        "observed_at": moment_text(hold.observed_at),
        "raised_at": moment_text(hold.raised_at),
        "closed_at": moment_text(hold.closed_at),
        "age_days": age_in_days(hold.raised_at, hold.closed_at or now),
        "evidence": {"statement": hold.statement_id, "refresh": hold.refresh_id},
        "decision": _decision_shape(hold.decision),
    }


def disagreement_shapes(disagreements: Sequence[Disagreement], now: datetime) -> list[dict[str, Any]]:
    """The disagreements with what the other sources say of their lines now, by one query.

    Source, believed source, offering with seller and model, and line come joined.
    """
    opinions = opinions_on({row.line_id for row in disagreements}, now)
    return [
        {
            "id": row.pk,
            "source": row.source.slug,
            "kind": row.kind,
            "status": OPEN if row.closed_at is None else CLOSED,
            **_offering_shape(row),
            **line_shape(row.line),
            **_money(row.amount, row.currency),
            "believed": {
                "source": row.believed_source.slug if row.believed_source else None,
                **_money(row.believed_amount, row.believed_currency),
            },
            "percent": percent_text(percent_of_disagreement(row)),
            "others": _others(opinions.get(row.line_id, ()), row.source_id),
            "since": moment_text(row.since),
            "opened_at": moment_text(row.opened_at),
            "closed_at": moment_text(row.closed_at),
            "age_days": age_in_days(row.since, row.closed_at or now),
            "evidence": {"statement": row.statement_id},
        }
        for row in disagreements
    ]


def age_in_days(since: datetime, until: datetime) -> int:
    """Days from the one date to the other, in UTC: an age that turns at midnight, as tags do."""
    return max(0, (until.astimezone(UTC).date() - since.astimezone(UTC).date()).days)


def percent_of_hold(hold: Hold) -> Decimal | None:
    """How far what is held lies from what its source is read as saying."""
    return _percent(hold.instead, hold.instead_currency, hold.amount, hold.currency)


def percent_of_disagreement(row: Disagreement) -> Decimal | None:
    """How far a source lies from what is believed."""
    return _percent(row.believed_amount, row.believed_currency, row.amount, row.currency)


def believed_on(line_ids: Collection[int], now: datetime) -> Mapping[int, Price]:
    """The price in force on each line."""
    lines = in_force(PriceLine.objects.filter(pk__in=line_ids), now, None)
    prices = Price.objects.filter(pk__in=lines.order_by().values("price_id")).select_related("source")
    return {price.line_id: price for price in prices}


def _percent(old: Decimal | None, sold_in: str, new: Decimal | None, currency: str) -> Decimal | None:
    if old is None or new is None or sold_in != currency:
        return None
    return percent_between(old, new)


def _offering_shape(row: Hold | Disagreement) -> dict[str, Any]:
    offering: Offering | None = row.offering
    if offering is None:
        seller = row.seller.slug if isinstance(row, Hold) and row.seller else None
        return {"offering": None, "seller": seller, "external_id": None, "model": None}
    return {
        "offering": offering.pk,
        "seller": offering.seller.slug,
        "external_id": offering.external_id,
        "model": offering.model.slug if offering.model else None,
    }


def _money(amount: Decimal | None, currency: str) -> dict[str, str | None]:
    return {"amount": None if amount is None else plain(amount), "currency": currency or None}


def _believed_shape(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"source": price.source.slug if price.source else None, **_money(price.amount, price.currency)}


def _counted(hold: Hold) -> dict[str, Any]:
    """What was counted of a document; the references concerned are the record's own numbers."""
    return {name: counted for name, counted in hold.details.items() if name not in ("references", "returned", "joined")}


def _others(opinions: Collection[Opinion], but: int) -> list[dict[str, Any]]:
    return [
        {"source": opinion.slug, **_money(opinion.amount, opinion.currency), "since": moment_text(opinion.since)}
        for opinion in opinions
        if opinion.source != but
    ]


def _decision_shape(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "id": decision.pk,
        "kind": decision.kind,
        "note": decision.note,
        "made_at": moment_text(decision.made_at),
    }
