"""Watches and changes as matching sees them, read from the database a few queries at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Model, QuerySet

from alerts.cadence import Rhythm
from alerts.matching import Caught, Demands, Interest, MovedLine, moved_line
from alerts.models import Channel, Watch
from pricing.models import Offering, PricingChange, PricingChangeLine

_BATCH = 500
CHANGES = PricingChange.objects.select_related("offering__seller", "offering__model", "source")


def interests_of(watches: Collection[Watch]) -> list[Interest]:
    """What each watch is interested in, confirmed or not."""
    ids = [watch.pk for watch in watches]
    companies, models = (
        _named(Watch.companies.through, "company_id", ids),
        _named(Watch.models.through, "aimodel_id", ids),
    )
    offerings = _named(Watch.offerings.through, "offering_id", ids)
    followed = survivors({row for rows in offerings.values() for row in rows})
    return [
        Interest(
            watch.pk,
            frozenset(companies.get(watch.pk, ())),
            frozenset(models.get(watch.pk, ())),
            frozenset(followed.get(row, row) for row in offerings.get(watch.pk, ())),
            demands_of(watch),
        )
        for watch in watches
    ]


def interest_in(watch: Watch, companies: Iterable[int], models: Iterable[int], offerings: Collection[int]) -> Interest:
    """What a watch that is not saved would be interested in."""
    followed = survivors(offerings)
    merged = frozenset(followed.get(row, row) for row in offerings)
    return Interest(0, frozenset(companies), frozenset(models), merged, demands_of(watch))


def demands_of(watch: Watch) -> Demands:
    """What a watch demands of a change; that it be confirmed is asked apart."""
    return Demands(
        meters=frozenset(watch.meters),
        kinds=frozenset(watch.kinds),
        nature=watch.nature,
        direction=watch.direction,
        min_percent=watch.min_percent,
    )


def confirmed(interest: Interest) -> Interest:
    """The same interest, in confirmed changes only."""
    return replace(interest, demands=replace(interest.demands, confirmed_only=True))


def caught_from(changes: Sequence[PricingChange]) -> list[Caught]:
    """The changes in their order. Offering, seller and model come joined."""
    lines = _lines_of([change.pk for change in changes])
    merged = _survivors_of({change.offering_id for change in changes if change.offering.merged_into_id is not None})
    found = []
    for change in changes:
        sold = [change.offering, *([merged[change.offering_id]] if change.offering_id in merged else [])]
        models = [offering.model for offering in sold if offering.model is not None]
        developers = {model.developer_id for model in models if model.developer_id is not None}
        found.append(
            Caught(
                change=change.pk,
                offerings=frozenset(offering.pk for offering in sold),
                companies=frozenset({offering.seller_id for offering in sold} | developers),
                models=frozenset(model.pk for model in models),
                kind=change.kind,
                nature=change.nature,
                lines=tuple(lines.get(change.pk, ())),
                is_news=not (change.initial or change.backfilled),
            )
        )
    return found


def usable_channels(watch_ids: Collection[int]) -> dict[int, list[int]]:
    """The channels of each watch that messages may go to."""
    found: dict[int, list[int]] = {}
    usable = Channel.objects.filter(verified_at__isnull=False, disabled_at__isnull=True)
    for ids in batches(watch_ids):
        rows = Watch.channels.through.objects.filter(watch__in=ids, channel__in=usable.values("pk")).order_by("id")
        for watch, channel in rows.values_list("watch_id", "channel_id"):
            found.setdefault(watch, []).append(channel)
    return found


def rhythm_of(watch: Watch) -> Rhythm:
    """When its owner, who comes joined, wants to hear."""
    return Rhythm(
        watch.cadence,
        watch.owner.time_zone,
        watch.digest_hour,
        watch.digest_weekday,
        watch.quiet_from,
        watch.quiet_until,
    )


def survivors(offering_ids: Iterable[int]) -> dict[int, int]:
    """What each merged offering of these was merged into, in the end."""
    asked = set(offering_ids)
    next_of: dict[int, int] = {}
    frontier = asked
    # Each round follows one more merge; a chain is as long as people made it.
    while frontier:
        merged = {
            row: into
            for ids in batches(frontier)
            for row, into in Offering.objects.filter(pk__in=ids).values_list("pk", "merged_into")
            if into is not None
        }
        next_of.update(merged)
        frontier = set(merged.values()) - next_of.keys()
    return {row: _end_of(row, next_of) for row in asked if row in next_of}


def _end_of(row: int, next_of: Mapping[int, int]) -> int:
    seen = {row}
    while row in next_of and next_of[row] not in seen:
        row = next_of[row]
        seen.add(row)
    return row


def _survivors_of(offering_ids: Iterable[int]) -> dict[int, Offering]:
    ends = survivors(offering_ids)
    rows = {row.pk: row for row in Offering.objects.filter(pk__in=set(ends.values())).select_related("model")}
    return {row: rows[end] for row, end in ends.items()}


def _lines_of(change_ids: Collection[int]) -> dict[int, list[MovedLine]]:
    found: dict[int, list[MovedLine]] = {}
    for ids in batches(change_ids):
        rows = PricingChangeLine.objects.filter(change__in=ids).order_by("id")
        columns = ("change_id", "line__meter", "old", "new", "old_currency", "currency")
        for change, meter, old, new, old_currency, currency in rows.values_list(*columns):
            same = old_currency in ("", currency)
            found.setdefault(change, []).append(moved_line(meter, old, new, same_currency=same))
    return found


def _named(through: type[Model], column: str, watch_ids: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows: QuerySet[Any] = through._default_manager.all()
    for ids in batches(watch_ids):
        for watch, row in rows.filter(watch__in=ids).values_list("watch_id", column):
            found.setdefault(watch, []).append(row)
    return found


def batches(ids: Iterable[int]) -> list[list[int]]:
    """The ids, each once, so many at a time as one query may name."""
    ordered = sorted(set(ids))
    return [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
