"""The better time of a change: what was learnt since of a move that was merely observed, derived on reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import F, Q

from pricing.models import PricingChange, PricingChangeLine

# When, how exact that is, and after which moment it came where no source dates it.
Time = tuple[datetime, str, datetime | None]

_OBSERVED = "observed"
_OF_THE_FUTURE = ("announced", "rescheduled", "retracted")
# Nothing was seen before them, so their beginning may move back without limit.
_BEGINNINGS = ("listed", "price_added")
_PRICE = "line__prices__"


def refined_times(changes: Iterable[PricingChange]) -> dict[int, Time]:
    """The better time of each change that has one, by one query.

    The prices that a change brought are looked up as believed now at its own moment. Where one of them is known to
    have begun earlier within the window in which it was seen to move, or is dated by now, that is when it moved; the
    earliest counts. A beginning outside the window is another belief about the past, and no better time.
    """
    observed = {change.pk: change for change in changes if _was_merely_observed(change)}
    times: dict[int, list[Time]] = {}
    for change_id, time in _beginnings(observed):
        if _refines(observed[change_id], time):
            times.setdefault(change_id, []).append(time)
    return {change_id: _earliest(found) for change_id, found in times.items()}


def _was_merely_observed(change: PricingChange) -> bool:
    is_market = change.nature == PricingChange.Nature.MARKET
    return is_market and change.precision == _OBSERVED and change.kind not in _OF_THE_FUTURE


def _beginnings(changes: Mapping[int, PricingChange]) -> Iterable[tuple[int, Time]]:
    """For each moved line whose new price is still believed at the change's moment: since when."""
    lasts = Q(**{f"{_PRICE}effective_until__isnull": True}) | Q(
        **{f"{_PRICE}effective_until__gt": F("change__effective_at")}
    )
    rows = PricingChangeLine.objects.filter(
        lasts,
        change__in=list(changes),
        **{
            f"{_PRICE}known_until__isnull": True,
            f"{_PRICE}amount": F("new"),
            f"{_PRICE}currency": F("currency"),
            f"{_PRICE}effective_from__lte": F("change__effective_at"),
        },
    ).order_by()
    columns = (f"{_PRICE}effective_from", f"{_PRICE}precision", f"{_PRICE}observed_after")
    return ((row[0], (row[1], row[2], row[3])) for row in rows.values_list("change_id", *columns))


def _refines(change: PricingChange, time: Time) -> bool:
    began, precision, _ = time
    if change.observed_after is not None:
        return began > change.observed_after
    return change.kind in _BEGINNINGS and (began < change.effective_at or precision != _OBSERVED)


def _earliest(times: Sequence[Time]) -> Time:
    """The earliest; of one moment a dated one, else the one with the wider window."""
    return min(times, key=lambda time: (time[0], time[1] == _OBSERVED, time[2] or time[0]))
