"""What would end if an editor stated one line of a tariff, which one source sets whole."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from pricing.belief import Readings, load_sheets
from pricing.claims import Conditions
from pricing.models import Price, PriceLine
from pricing.rulings import editors
from pricing.timeline import Said, Segment
from tracker.amounts import plain
from tracker.moments import utc

# No price is sold so: it equals nothing that a source says, and so confirms nobody's finer sheet.
_SOME_PRICE = (Decimal(-1), "XXX", "")


def ended_by_stating(line: PriceLine, now: datetime | None = None) -> list[Price]:
    """The believed prices of other lines of the tariff, in force or to come, that would be believed no more."""
    now = now or timezone.now()
    history = _history_if_stated(line, now)
    return [price for price in _others_believed(line, now) if not _still_sold(price, history, now)]


def in_words(price: Price) -> str:
    """A price that would end, with its line and who says it."""
    said = f"{price.line}: {plain(price.amount)} {price.currency}"
    since = "" if price.effective_from <= timezone.now() else f", to come on {utc(price.effective_from)}"
    return f"{said}{since}, by {price.source.name}" if price.source else f"{said}{since}"


def _history_if_stated(line: PriceLine, now: datetime) -> dict[Conditions, list[Segment]]:
    """The tariff resolved as it would be, with the pins, the order of sources and what editors state already."""
    sheets, specificity = load_sheets([line.offering_id])
    sheet, conditions = sheets[line.offering_id], line.conditions
    stated = Said(0, editors().pk, None, conditions, _SOME_PRICE, now, None, "exact", now, None, None)
    sheet.said.setdefault(conditions.tariff, []).append(stated)
    return sheet.resolved([conditions.tariff], Readings.load(), specificity)


def _others_believed(line: PriceLine, now: datetime) -> list[Price]:
    believed = Price.objects.filter(line__offering=line.offering_id, known_until__isnull=True).exclude(line=line)
    rows = believed.exclude(effective_until__lte=now).select_related("line", "source")
    same_tariff = [price for price in rows if price.line.conditions.tariff == line.conditions.tariff]
    return sorted(same_tariff, key=lambda price: (price.line.conditions, price.effective_from))


def _still_sold(price: Price, history: dict[Conditions, list[Segment]], now: datetime) -> bool:
    moment = max(now, price.effective_from)
    return any(segment.covers(moment) for segment in history.get(price.line.conditions, []))
