"""What a watch would have told lately: matched against the record as the fan-out would have done, writing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from alerts.bills.arithmetic import has_moved
from alerts.bills.billing import Biller
from alerts.bills.money import BECAUSE_NAMED, money_shape
from alerts.loading import CHANGES, batches, caught_from, interest_in, interests_of
from alerts.matching import Interest, catches
from alerts.models import Watch
from alerts.summaries import Words
from companies.models import AIModel, Company
from pricing.api.shapes.changes import confirmed_by
from pricing.models import Offering, Price, PricingChange

DEFAULT_DAYS = 90
MOST_DAYS = 365
CHANGES_SHOWN = 100
_READ_AT_ONCE = 1000
# So many moments at which a price began or ended are looked at, the latest.
_MOMENTS = 400
_IS_NEWS = Q(initial=False, backfilled=False)


@dataclass(frozen=True, slots=True)
class Named:
    """A watch that need not be saved, with the rows that it names."""

    watch: Watch
    companies: Iterable[Company] = ()
    models: Iterable[AIModel] = ()
    offerings: Iterable[Offering] = ()
    channels: Sequence[str] = ()

    @classmethod
    def of(cls, watch: Watch) -> Named:
        """A saved watch."""
        channels = [channel.name for channel in watch.channels.all()]
        return cls(watch, watch.companies.all(), watch.models.all(), watch.offerings.all(), channels)

    @property
    def words(self) -> Words:
        """What it is made of, by name."""
        watch, profile = self.watch, self.watch.profile
        return Words(
            companies=[str(company) for company in self.companies],
            models=[str(model) for model in self.models],
            offerings=list(dict.fromkeys(str(offering.standing) for offering in self.offerings)),
            meters=watch.meters,
            kinds=watch.kinds,
            nature=watch.nature,
            direction=watch.direction,
            min_percent=watch.min_percent,
            confirmed_only=watch.confirmed_only,
            profile=str(profile) if profile else "",
            currency=profile.currency if profile else "",
            bill_percent=watch.bill_percent,
            bill_amount=watch.bill_amount,
            cadence=watch.cadence,
            digest_hour=watch.digest_hour,
            digest_weekday=watch.digest_weekday,
            quiet_from=watch.quiet_from,
            quiet_until=watch.quiet_until,
            time_zone=watch.owner.time_zone,
            paused_until=watch.paused_until,
            channels=self.channels,
        )

    @property
    def interest(self) -> Interest:
        """What it is interested in."""
        if self.watch.pk is not None:
            return interests_of([self.watch])[0]
        ids = [[row.pk for row in rows] for rows in (self.companies, self.models, self.offerings)]
        return interest_in(self.watch, *ids)


@dataclass(slots=True)
class Preview:
    """How often a watch would have fired since a moment, and on what, the latest first.

    ``changes`` are the latest of them; ``bills`` are the money lines of a watch on a bill, each with its moment.
    """

    since: datetime
    fired: int = 0
    changes: list[PricingChange] = field(default_factory=list)
    bills: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)


def preview(named: Named, now: datetime, days: int = DEFAULT_DAYS) -> Preview:
    """What the watch would have told in the last so many days."""
    since = now - timedelta(days=days)
    return _of_bills(named, since, now) if named.watch.is_on_bill else _of_changes(named, since)


def _of_changes(named: Named, since: datetime) -> Preview:
    interest, found = named.interest, Preview(since)
    rows = _of_interest(interest).filter(_IS_NEWS, recorded_at__gte=since).order_by("-sequence")
    before: int | None = None
    while page := list(rows.filter(sequence__lt=before)[:_READ_AT_ONCE] if before else rows[:_READ_AT_ONCE]):
        before = page[-1].sequence
        caught = [change for change, seen in zip(page, caught_from(page), strict=True) if catches(interest, seen)]
        if named.watch.confirmed_only:
            spoken_for = confirmed_by(caught)
            caught = [change for change in caught if spoken_for.get(change.pk)]
        found.fired += len(caught)
        found.changes += caught[: CHANGES_SHOWN - len(found.changes)]
    return found


def _of_interest(interest: Interest) -> QuerySet[PricingChange]:
    """The changes that the watch may catch, as far as the database can tell."""
    rows = CHANGES
    if interest.offerings:
        rows = rows.filter(Q(offering__in=interest.offerings) | Q(offering__merged_into__isnull=False))
    elif interest.models:
        rows = rows.filter(Q(offering__model__in=interest.models) | Q(offering__merged_into__isnull=False))
    if interest.demands.kinds:
        rows = rows.filter(kind__in=interest.demands.kinds)
    return rows


def _of_bills(named: Named, since: datetime, now: datetime) -> Preview:
    found = Preview(since)
    if named.watch.profile is None:
        return found
    biller = Biller(named.watch.profile)
    told = biller.bill(since).total
    for moment in _moments(biller.offerings, since, now):
        bill = biller.bill(moment)
        if has_moved(told, bill.total, named.watch.bill_percent, named.watch.bill_amount):
            headlines = _headlines_at(biller.offerings, moment)
            found.bills.insert(0, (moment, money_shape(biller.profile.currency, told, bill, headlines)))
            told = bill.total
    found.fired = len(found.bills)
    return found


def _moments(offerings: Iterable[int], since: datetime, now: datetime) -> list[datetime]:
    """When prices of the offerings, as believed now, began or ended."""
    found: set[datetime] = set()
    for ids in batches(offerings):
        for column in ("effective_from", "effective_until"):
            rows = Price.objects.filter(
                line__offering__in=ids, known_until__isnull=True, **{f"{column}__gt": since, f"{column}__lte": now}
            )
            found.update(rows.order_by().values_list(column, flat=True).distinct())
    return sorted(found)[-_MOMENTS:]


def _headlines_at(offerings: set[int], moment: datetime) -> list[str]:
    rows = PricingChange.objects.filter(_IS_NEWS, offering__in=offerings, effective_at=moment).order_by("sequence")
    return list(rows.values_list("headline", flat=True)[:BECAUSE_NAMED])
