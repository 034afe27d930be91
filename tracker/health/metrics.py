"""Metrics in Prometheus' format, read from the database when asked, so that every web process answers alike."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django import get_version
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tracker import __version__
from tracker.models import Heartbeat

logger = logging.getLogger(__name__)
PREFIX = "tracker_"


@dataclass(frozen=True)
class Gauge:
    """One value of a metric. `name` goes without the project's prefix; `meaning` says what is counted, in which unit.

    An app lists the dotted path of a function that returns these in `settings.METRIC_SOURCES`. Gauges of one name are
    one metric and must have the same label names.
    """

    name: str
    meaning: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def render_metrics() -> bytes:
    """Return every metric as Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_GaugeCollector())
    return generate_latest(registry)


class _GaugeCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for gauge in _all_gauges():
            names = sorted(gauge.labels)
            if gauge.name not in families:
                families[gauge.name] = GaugeMetricFamily(PREFIX + gauge.name, gauge.meaning, labels=names)
            families[gauge.name].add_metric([gauge.labels[name] for name in names], gauge.value)
        yield from families.values()


def _all_gauges() -> Iterator[Gauge]:
    for source in ("tracker.health.metrics.own_gauges", *settings.METRIC_SOURCES):
        gauges, failed = _gauges_of(source)
        yield from gauges
        yield Gauge("metric_source_failed", "1 when a source's metrics are missing", float(failed), {"source": source})


def _gauges_of(source: str) -> tuple[list[Gauge], bool]:
    """Return the gauges of one source; one that fails is logged and leaves the others standing."""
    try:
        return list(import_string(source)()), False
    except Exception:
        logger.exception("The metrics of %s could not be read", source)
        return [], True


def own_gauges() -> Iterable[Gauge]:
    """Return the build, and the age of the last tick once there was one."""
    versions = {"version": __version__, "django": get_version(), "python": platform.python_version()}
    gauges = [Gauge("build_info", "Versions of what is running, always 1", 1, versions)]
    seen_at = Heartbeat.last_seen(Heartbeat.TICK)
    if seen_at is not None:
        age = (timezone.now() - seen_at).total_seconds()
        gauges.append(Gauge("last_tick_age_seconds", "Seconds since a worker last saw a tick", age))
    return gauges
