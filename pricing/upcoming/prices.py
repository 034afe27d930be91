"""Prices that begin or end at a moment to come, and promotions that end then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from django.db.models import F, Q, QuerySet

from pricing.claims import LIST_LAYER, PROMO_LAYER, Conditions
from pricing.headlines import money_in_words
from pricing.models import Price, PricingChange
from pricing.moves import ChangedLine
from pricing.syndication.texts import lasting_id
from pricing.timeline import Value
from pricing.upcoming.things import PRICE, PROMOTION_END, Coming, Scope, Versions, called, identity, told_since

# The kinds of changes by which something that was to come does not come, or comes at another moment.
_TAKES_BACK = ("retracted", "rescheduled", "promo_extended", "promo_ended", "withdrawn", "corrected", "announced")
_LINES_TOLD = 20
_ON_SALE = "no price is known from then on"

# Which kind, of which offering, and when.
Key = tuple[str, int, datetime]
Rows = Mapping[Key, Sequence[Price]]


def coming_prices(scope: Scope, now: datetime) -> list[Coming]:
    """What begins and ends after ``now``, one thing for each offering and moment."""
    live = _keyed(_believed(scope, now), now)
    live = {key: rows for key, rows in live.items() if _moved(key, rows)}
    closed = _keyed(_forgone(scope, {offering for _, offering, _ in live}, told_since(now)), None)
    listed = _list_prices({offering for kind, offering, _ in live if kind == PROMOTION_END})
    found = [_coming(key, rows, closed.get(key, ()), listed) for key, rows in live.items()]
    gone = [(key, rows) for key, rows in closed.items() if key not in live and _moved(key, rows)]
    found += [_cancelled(key, rows) for key, rows in gone if Versions.of(rows).last >= told_since(now)]
    return [thing for thing, meters in found if not scope.meters or meters.intersection(scope.meters)]


def _prices(scope: Scope) -> QuerySet[Price]:
    prices = Price.objects.filter(scope.of_offerings("line__offering__")).order_by()
    return prices.select_related("line__offering__seller", "statement", "source")


def _believed(scope: Scope, now: datetime) -> Iterable[Price]:
    """What is believed to begin or to end after ``now``: one look-up along the index of each."""
    believed = _prices(scope).filter(known_until=None)
    starting, ending = believed.filter(effective_from__gt=now), believed.filter(effective_until__gt=now)
    return {row.pk: row for row in [*starting, *ending]}.values()


def _forgone(scope: Scope, live: Collection[int], since: datetime) -> QuerySet[Price]:
    """Rows that ceased to be believed before they began or ended: of what is live, and of what was taken back."""
    changed = PricingChange.objects.filter(
        detected_at__gte=since, kind__in=_TAKES_BACK, initial=False, backfilled=False
    ).order_by()
    # Named one by one, so that both databases go from offerings to their prices and read no others.
    offerings = {*live, *changed.values_list("offering_id", flat=True).distinct()}
    dropped = Q(effective_from__gt=F("known_until")) | Q(effective_until__gt=F("known_until"))
    return _prices(scope).filter(dropped, line__offering__in=offerings, known_until__isnull=False)


def _keyed(prices: Iterable[Price], now: datetime | None) -> dict[Key, list[Price]]:
    """The rows by what they begin or end; those that ceased to be believed, as it was when they did (now: None)."""
    rows = sorted(prices, key=lambda row: (row.line_id, row.effective_from, row.pk))
    promoted = {(row.line_id, row.effective_from) for row in rows if row.line.layer == PROMO_LAYER}
    found: dict[Key, list[Price]] = {}
    for row in rows:
        moment = row.known_until if now is None else now
        for at in (row.effective_from, row.effective_until):
            if at is not None and moment is not None and at > moment:
                found.setdefault((_kind(row, at, promoted), row.line.offering_id, at), []).append(row)
    return found


def _kind(row: Price, at: datetime, promoted: Collection[tuple[int, datetime]]) -> str:
    ends = at == row.effective_until and row.line.layer == PROMO_LAYER and (row.line_id, at) not in promoted
    return PROMOTION_END if ends else PRICE


def _moved(key: Key, rows: Sequence[Price]) -> list[ChangedLine]:
    """The lines of which the amount moves at the moment of the key."""
    _, _, at = key
    old: dict[Conditions, Value] = {}
    new: dict[Conditions, Value] = {}
    for row in rows:
        side = new if row.effective_from == at else old
        side[row.line.conditions] = (row.amount, row.currency, row.zero_means)
    lines = [ChangedLine(line, old.get(line), new.get(line)) for line in {**old, **new}]
    return [changed for changed in lines if changed.old != changed.new]


def _list_prices(offerings: Collection[int]) -> dict[int, list[Price]]:
    """What is believed of the list prices of these offerings, which hold again when a promotion ends."""
    found: dict[int, list[Price]] = {}
    prices = Price.objects.filter(known_until=None, line__offering__in=offerings, line__layer=LIST_LAYER)
    for price in prices.select_related("line") if offerings else ():
        found.setdefault(price.line.offering_id, []).append(price)
    return found


def _coming(
    key: Key, rows: Sequence[Price], closed: Sequence[Price], listed: Mapping[int, Sequence[Price]]
) -> tuple[Coming, set[str]]:
    lines = _moved(key, rows)
    if key[0] == PROMOTION_END:
        lines = _listed_again(key, lines, listed.get(key[1], ()))
    return _thing(key, rows, Versions.of([*rows, *closed]), lines)


def _listed_again(key: Key, lines: Sequence[ChangedLine], listed: Iterable[Price]) -> list[ChangedLine]:
    """The lines of a promotion with the list price that holds from its end on as what is new."""
    _, _, at = key
    then: dict[Conditions, Value] = {
        price.line.conditions: (price.amount, price.currency, price.zero_means)
        for price in listed
        if price.effective_from <= at and (price.effective_until is None or price.effective_until > at)
    }
    plain = [replace(changed.line, layer=LIST_LAYER) for changed in lines]
    return [ChangedLine(line, changed.old, then.get(line)) for line, changed in zip(plain, lines, strict=True)]


def _cancelled(key: Key, rows: Sequence[Price]) -> tuple[Coming, set[str]]:
    """What is not to come any more, as it was believed last."""
    versions = Versions.of(rows)
    last = [row for row in rows if row.known_until == versions.last]
    return _thing(key, last, versions, _moved(key, last), is_cancelled=True)


def _thing(
    key: Key, rows: Sequence[Price], versions: Versions, lines: Sequence[ChangedLine], *, is_cancelled: bool = False
) -> tuple[Coming, set[str]]:
    kind, offering_id, at = key
    offering = rows[0].line.offering
    opening = "promotion ends, " if kind == PROMOTION_END else ""
    beginning = next((row for row in rows if row.effective_from == at), None)
    thing = Coming(
        kind=kind,
        uid=lasting_id(kind, *identity(offering), at.timestamp()),
        at=at,
        precision=beginning.precision if beginning else _precision_of_end(at),
        known_at=versions.last,
        sequence=versions.sequence,
        title=f"{called(offering)}: {opening}{money_in_words(lines)}",
        seller=offering.seller.name,
        lines=_in_words(lines),
        evidence=_evidence(rows),
        terms=_terms(rows),
        offering=offering_id,
        is_cancelled=is_cancelled,
    )
    return thing, {changed.line.meter for changed in lines}


def _precision_of_end(at: datetime) -> str:
    """An end carries no precision of its own: midnight says a day, anything else a moment."""
    at = at.astimezone(UTC)
    return "exact" if (at.hour, at.minute, at.second) != (0, 0, 0) else "day"


def _in_words(lines: Sequence[ChangedLine]) -> tuple[str, ...]:
    told = [money_in_words([line]) + ("" if line.new else f", {_ON_SALE}") for line in lines[:_LINES_TOLD]]
    more = len(lines) - len(told)
    return (*told, *([f"and {more} more"] if more else []))


def _evidence(rows: Iterable[Price]) -> tuple[str, ...]:
    cited = [row.statement.citation_url for row in rows if row.statement and row.statement.citation_url]
    homepages = [row.source.homepage for row in rows if row.source and row.source.homepage]
    return tuple(dict.fromkeys(cited or homepages))


def _terms(rows: Iterable[Price]) -> tuple[str, ...]:
    """What sources say about passing their data on, where they do not allow it."""
    closed = [row.source.name for row in rows if row.source and not row.source.may_republish]
    return tuple(f"{name} does not allow its data to be republished." for name in dict.fromkeys(closed))
