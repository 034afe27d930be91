"""What is coming, as believed now: scheduled prices, ends of promotions, reroutes, new hours, ends of what is sold."""

from __future__ import annotations

from datetime import datetime

from pricing.upcoming.dates import coming_dates
from pricing.upcoming.hours import coming_hours
from pricing.upcoming.prices import coming_prices
from pricing.upcoming.routes import coming_routes
from pricing.upcoming.things import CALENDAR, KINDS, PRICES, ROUTE, Coming, Scope, first_moment

__all__ = ["KINDS", "Coming", "Scope", "upcoming"]

MOST = 1000


def upcoming(scope: Scope, now: datetime) -> list[Coming]:
    """What is to come after ``now``, and what was to come and was taken back lately; the nearest ``MOST``, in order.

    The number of queries does not grow with what is coming.
    """
    found: list[Coming] = []
    if scope.wants(*PRICES):
        found += coming_prices(scope, now)
    if scope.wants(ROUTE) and not scope.meters:
        found += coming_routes(scope, now)
    if scope.wants(CALENDAR) and not scope.meters:
        found += coming_hours(scope, now)
    if not scope.meters:
        found += coming_dates(scope, now)
    chosen = [thing for thing in found if scope.wants(thing.kind)]
    return sorted(chosen, key=lambda thing: (first_moment(thing.at), thing.title, thing.uid))[:MOST]
