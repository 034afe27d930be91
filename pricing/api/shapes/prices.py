"""Prices as the API writes them, and which of them are in force at a moment.

A page goes over lines in the order of their ids and seeks each line's row in the index of (line, effective_from): a
page costs as many seeks as it has rows, however many lines there are and however deep their history is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from pricing.meters import METERS
from pricing.models import Price, PriceLine
from pricing.staleness import is_stale
from pricing.witnesses import Confirmation, confirmations
from tracker.api.moments import moment_text
from tracker.fields import plain

# A query may name only so many values (SQLite counts them).
_BATCH = 1000
# Beginnings before a moment: with fewer, their lines are named rather than all lines gone over.
_FEW = 2000
LINE_FIELDS = (
    "meter",
    "service_tier",
    "region",
    "variant",
    "commitment",
    "above_input_tokens",
    "slot",
    "layer",
)
_COLUMNS = (
    "id",
    "line__offering_id",
    "line__offering__seller__slug",
    "line__offering__external_id",
    "line__offering__model__slug",
    *(f"line__{name}" for name in LINE_FIELDS),
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "observed_after",
    "known_from",
    "known_until",
    "statement__derived_from_id",
    "statement__factor",
)
PRICE_FIELDS = (
    "id",
    "offering",
    "seller",
    "external_id",
    "model",
    "meter",
    "unit",
    *LINE_FIELDS[1:],
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "observed_after",
    "known_from",
    "known_until",
    "sources",
    "last_confirmed_at",
    "stale",
    "unconfirmed",
    "derived_from",
    "factor",
)


def believed(known_at: datetime | None) -> Q:
    """The rows that were believed at a moment; None is now."""
    if known_at is None:
        return Q(known_until=None)
    return Q(known_from__lte=known_at) & (Q(known_until=None) | Q(known_until__gt=known_at))


def in_force(
    lines: QuerySet[PriceLine], as_of: datetime, known_at: datetime | None, currencies: Collection[str] = ()
) -> QuerySet[Any]:
    """The lines that have a price at ``as_of``, as believed at ``known_at``, each with that row's ``price_id``.

    What is believed at one moment does not overlap, so only the row that began last can be in force.
    """
    holds = Q(effective_until=None) | Q(effective_until__gt=as_of)
    if currencies:
        holds &= Q(currency__in=currencies)
    began = Price.objects.filter(believed(known_at), line=OuterRef("pk"), effective_from__lte=as_of)
    latest = began.order_by("-effective_from").values(price_id=Case(When(holds, then=F("id"))))[:1]
    return lines.annotate(price_id=Subquery(latest)).filter(price_id__isnull=False)


def among_begun(lines: QuerySet[PriceLine], as_of: datetime) -> QuerySet[PriceLine]:
    """The same lines or fewer: where hardly any price had begun by a moment, only those whose price had.

    Going over all lines would seek each of them in vain.
    """
    begun = Price.objects.filter(known_until=None, effective_from__lte=as_of).order_by("effective_from")
    if begun.values("effective_from")[_FEW : _FEW + 1]:
        return lines
    return lines.filter(pk__in=list(begun.values_list("line_id", flat=True)))


def unit_of(meter: str) -> str:
    """What an amount on the meter is for, such as ``per 1M tokens``."""
    return METERS[meter].unit if meter in METERS else ""


def price_shapes(price_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The prices of these ids, in the order of the ids, by three queries for each thousand."""
    starts = range(0, len(price_ids), _BATCH)
    return [shape for start in starts for shape in _shapes_of_batch(price_ids[start : start + _BATCH])]


def _shapes_of_batch(price_ids: Sequence[int]) -> list[dict[str, Any]]:
    rows = {row[0]: row for row in Price.objects.filter(pk__in=price_ids).order_by().values_list(*_COLUMNS)}
    confirmed = confirmations(rows)
    now = timezone.now()
    bases = _lines_of({row[-2] for row in rows.values()} - {None})
    return [_shape(rows[price_id], confirmed[price_id], bases, now) for price_id in price_ids if price_id in rows]


def _lines_of(line_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The coordinates of the lines that derived prices derive from."""
    lines = PriceLine.objects.filter(pk__in=line_ids) if line_ids else ()
    return {line.pk: line_shape(line) for line in lines}


def shapes_by_offering(lines: QuerySet[Any]) -> dict[int, list[dict[str, Any]]]:
    """The prices of lines that ``in_force`` found, by offering."""
    ids = list(lines.order_by("offering_id", "id").values_list("price_id", flat=True))
    grouped: dict[int, list[dict[str, Any]]] = {}
    for shape in price_shapes(ids):
        grouped.setdefault(shape["offering"], []).append(shape)
    return grouped


def _shape(
    row: tuple[Any, ...], confirmation: Confirmation, bases: Mapping[int, dict[str, Any]], now: datetime
) -> dict[str, Any]:
    price_id, offering, seller, external_id, model, meter, *rest, base, factor = row
    conditions, (amount, currency, zero_means, *moments) = rest[:7], rest[7:]
    effective_from, effective_until, precision, observed_after, known_from, known_until = moments
    # What has ended, or is believed no more, nobody need confirm.
    is_held = known_until is None and effective_from <= now and (effective_until is None or effective_until > now)
    return {
        "id": price_id,
        "offering": offering,
        "seller": seller,
        "external_id": external_id,
        "model": model,
        "meter": meter,
        "unit": unit_of(meter),
        **dict(zip(LINE_FIELDS[1:], conditions, strict=True)),
        "amount": plain(amount),
        "currency": currency,
        "zero_means": zero_means or None,
        "effective_from": moment_text(effective_from),
        "effective_until": moment_text(effective_until),
        "precision": precision,
        "observed_after": moment_text(observed_after),
        "known_from": moment_text(known_from),
        "known_until": moment_text(known_until),
        "sources": confirmation.sources,
        "last_confirmed_at": moment_text(confirmation.last_confirmed_at),
        "stale": is_held and is_stale(confirmation.last_confirmed_at, known_from, now),
        "unconfirmed": confirmation.is_missing(effective_from, known_from),
        "derived_from": bases.get(base),
        "factor": plain(factor) if factor is not None else None,
    }


def line_shape(line: PriceLine) -> dict[str, Any]:
    """The coordinates of a line, as every price and change line begins."""
    return {"meter": line.meter, "unit": unit_of(line.meter), **{name: getattr(line, name) for name in LINE_FIELDS[1:]}}
