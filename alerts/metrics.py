"""What operators watch of the alerts, for ``/metrics``. Tests of channels are no part of any count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from alerts.composing import due_notices
from alerts.models import Attempt, Channel, Delivery
from tracker.health.metrics import Gauge

_LATELY = timedelta(hours=1)


def gauges() -> Iterator[Gauge]:
    """The backlog, how long the oldest due message waits, what was given up, and how channels fare."""
    now = timezone.now()
    told = Delivery.objects.exclude(kind=Delivery.Kind.PING)
    waiting = told.filter(status=Delivery.Status.WAITING)
    due = waiting.filter(next_attempt_at__lte=now).aggregate(count=Count("pk"), oldest=Min("next_attempt_at"))
    yield Gauge("alerts_notices_due", "Notices that are due and in no message yet", due_notices(now).count())
    yield Gauge("alerts_deliveries_waiting", "Messages that wait, due or for a later attempt", waiting.count())
    yield Gauge("alerts_deliveries_due", "Messages that are due now", due["count"])
    age = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    yield Gauge("alerts_oldest_due_seconds", "Seconds for which the oldest due message has been due", age)
    dead = told.filter(status=Delivery.Status.DEAD).count()
    yield Gauge("alerts_deliveries_dead", "Messages that were given up and are kept", dead)
    lately = Attempt.objects.filter(started_at__gte=now - _LATELY).exclude(delivery__kind=Delivery.Kind.PING)
    for succeeded, result in ((True, "succeeded"), (False, "failed")):
        made = lately.filter(succeeded=succeeded).count()
        yield Gauge("alerts_attempts_last_hour", "Attempts of the last hour", made, {"result": result})
    failing = Channel.objects.filter(disabled_at__isnull=True, failing_since__isnull=False).count()
    yield Gauge("alerts_channels_failing", "Channels whose last attempt failed", failing)
    disabled = Channel.objects.filter(disabled_at__isnull=False).count()
    yield Gauge("alerts_channels_disabled", "Channels that are disabled", disabled)
