"""What may be one offering under two ids: offerings of one seller whose ids are alike, with what speaks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from django.db.models import Q
from django.utils import timezone

from pricing.alike import Likeness, alike, name_of
from pricing.belief import LINE_COLUMNS
from pricing.claims import Conditions
from pricing.models import Decision, Offering, Price
from tracker.amounts import plain

AT_ONCE = 500
# Nobody merges the hundreds of a list that one key has brought together by accident.
_LARGEST_GROUP = 40
Sheet = dict[Conditions, tuple[Decimal, str]]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Two offerings that may be one: how their ids are alike, and which prices agree or differ now."""

    one: Offering
    other: Offering
    likeness: Likeness
    agreeing: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def reason(self) -> str:
        """In words."""
        parts = [self.likeness.reason]
        if self.agreeing:
            parts.append(f"agree on {', '.join(self.agreeing)}")
        if self.differing:
            parts.append(f"differ on {', '.join(self.differing)}")
        return "; ".join(parts)


def suspected_duplicates() -> list[Suspicion]:
    """Pairs that may be one, the likeliest first.

    Ids that are only loosely alike, or differ by a date, count where their prices agree. A pair that a person has
    merged and taken apart again, or split, is ruled on and left out.
    """
    pairs = list(_pairs())
    sheets = _sheets({each.pk for one, other, _ in pairs for each in (one, other)})
    ruled = _ruled_apart()
    found = []
    for one, other, likeness in pairs:
        suspicion = _weighed(one, other, likeness, sheets)
        prices_needed = likeness >= Likeness.DATE_LEFT_OUT
        agree = bool(suspicion.agreeing) and not suspicion.differing
        if (agree or not prices_needed) and frozenset((one.pk, other.pk)) not in ruled:
            found.append(suspicion)
    return sorted(found, key=lambda s: (len(s.differing) > 0, s.likeness, not s.agreeing, s.one.pk, s.other.pk))


def _pairs() -> Iterator[tuple[Offering, Offering, Likeness]]:
    groups: dict[tuple[int, str, str, tuple[str, ...]], list[Offering]] = defaultdict(list)
    for offering in Offering.objects.filter(merged_into=None).select_related("seller").order_by("pk"):
        for key in name_of(offering.external_id).keys:
            groups[offering.seller_id, offering.kind, offering.listing, key].append(offering)
    seen: set[tuple[int, int]] = set()
    for group in groups.values():
        for one, other in combinations(group[:_LARGEST_GROUP], 2):
            likeness = alike(one.external_id, other.external_id)
            if likeness is not None and (one.pk, other.pk) not in seen:
                seen.add((one.pk, other.pk))
                yield one, other, likeness


def _weighed(one: Offering, other: Offering, likeness: Likeness, sheets: dict[int, Sheet]) -> Suspicion:
    mine, theirs = sheets.get(one.pk, {}), sheets.get(other.pk, {})
    shared = sorted(mine.keys() & theirs.keys())
    agreeing = tuple(_words(line, mine[line]) for line in shared if mine[line] == theirs[line])
    differing = tuple(
        f"{_words(line, mine[line])} and {_words(line, theirs[line])}" for line in shared if mine[line] != theirs[line]
    )
    return Suspicion(one, other, likeness, agreeing, differing)


def _words(line: Conditions, price: tuple[Decimal, str]) -> str:
    parts = [line.meter.replace("_tokens", ""), *filter(None, [line.region, line.variant, line.slot])]
    return f"{' '.join(parts)} {plain(price[0])} {price[1]}"


def _sheets(offering_ids: Collection[int]) -> dict[int, Sheet]:
    """The prices in force of some offerings."""
    now, ids = timezone.now(), sorted(offering_ids)
    columns = [f"line__{name}" for name in LINE_COLUMNS]
    found: dict[int, Sheet] = {}
    for start in range(0, len(ids), AT_ONCE):
        rows = Price.objects.filter(line__offering__in=ids[start : start + AT_ONCE], known_until=None)
        rows = rows.filter(Q(effective_until=None) | Q(effective_until__gt=now), effective_from__lte=now)
        for offering, amount, currency, *line in rows.values_list("line__offering", "amount", "currency", *columns):
            found.setdefault(offering, {})[Conditions(*line)] = (amount, currency)
    return found


def _ruled_apart() -> set[frozenset[int]]:
    splits = Decision.objects.filter(kind=Decision.Kind.SPLIT, undone_by=None)
    merges = Decision.objects.filter(kind=Decision.Kind.MERGE, undone_by__isnull=False)
    rows = (splits | merges).values_list("offering", "details")
    return {frozenset((offering, details["into"])) for offering, details in rows}
