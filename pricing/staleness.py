"""Which prices nobody has confirmed for so long that they may no longer be asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from pricing.models import EMPTIED, Observation, Price, Source, Statement

STALE_AFTER = timedelta(days=30)
_FOREVER = datetime.max.replace(tzinfo=UTC)


def stale_before(now: datetime) -> datetime:
    """The moment since which somebody must have confirmed a price that is not stale.

    It moves at midnight UTC only, so that what is shown of a day can be kept for the day.
    """
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC) - STALE_AFTER


def is_stale(last_confirmed_at: datetime | None, known_from: datetime, now: datetime) -> bool:
    """Whether a price in force is stale; one that no source states counts from when it became known."""
    return (last_confirmed_at or known_from) < stale_before(now)


def stale_prices(now: datetime) -> QuerySet[Price]:
    """The prices in force that nobody confirmed since ``stale_before``, by one query: see ``confirmations``."""
    since = stale_before(now)
    in_force = Price.objects.filter(known_until__isnull=True, effective_from__lte=now).exclude(effective_until__lte=now)
    stating = Statement.objects.filter(
        _speaks_within_price(), line=OuterRef("line"), amount=OuterRef("amount"), currency=OuterRef("currency")
    ).exclude(EMPTIED)
    confirmed = Exists(stating.filter(_confirmed_since(since)))
    return in_force.filter(~Q(confirmed), Q(Exists(stating)) | Q(known_from__lt=since))


def _confirmed_since(since: datetime) -> Q:
    """The statements that a reading since a moment holds."""
    heard = Observation.objects.filter(observed_at__gte=since).values("source")
    fresh = list(Source.objects.filter(pk__in=heard).values_list("pk", flat=True))
    running = Q(ended_at__isnull=True) & (Q(source__in=fresh) | Q(first_observed_at__gte=since))
    read = Observation.objects.filter(
        source=OuterRef("source"),
        observed_at__gte=since,
        observed_at__lt=OuterRef("ended_at"),
    )
    ended = Q(ended_at__gt=since) & (Q(first_observed_at__gte=since) | Q(Exists(read)))
    return running | ended


def _speaks_within_price() -> Q:
    """The statements whose reach (see ``pricing.witnesses``) meets the price's own interval."""
    begins = OuterRef("effective_from")
    ends = Coalesce(OuterRef("effective_until"), Value(_FOREVER, DateTimeField()))
    goes_on = Q(ended_at__isnull=True) | Q(ended_at__gt=begins)
    dated = Q(effective_from__lt=ends) & (Q(effective_until__gt=begins) | Q(effective_until__isnull=True) & goes_on)
    undated = Q(effective_from__isnull=True, effective_until__isnull=True, first_observed_at__lt=ends) & goes_on
    held_before_end = Q(first_observed_at__lt=ends) | Q(effective_until__lte=ends)
    ending = Q(effective_from__isnull=True, effective_until__gt=begins) & held_before_end
    return dated | undated | ending
