"""Many small worlds at once in the real ledger: sources and readings are shared, each world is one offering."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from random import Random

from companies.models import Company
from pricing import ledger
from pricing.belief import LINE_COLUMNS
from pricing.claims import Conditions
from pricing.models import Offering, Price, Reference, Source, SourcePrecedence
from tests.pricing.oracle import Row
from tests.pricing.worlds import Speaker, World, reading_moments, tell

_serial = count(1)
SOURCES = 4
Arrival = tuple[int, datetime]


@dataclass
class Crowd:
    """Worlds of one, two or more of the same sources; every second one is sold where the order is another."""

    kinds: list[Source.Kind]
    zeros: list[str]
    ranks: list[list[int]]
    moments: list[list[datetime]]
    worlds: list[World] = field(default_factory=list)

    def arrivals(self) -> list[Arrival]:
        """All readings in the order of time."""
        found = [(moment, place) for place, moments in enumerate(self.moments) for moment in moments]
        return [(place, moment) for moment, place in sorted(found)]


def random_crowd(chance: Random, size: int) -> Crowd:
    kinds = [Source.Kind.FEED] * (SOURCES - 1) + [chance.choice([Source.Kind.FEED, Source.Kind.CURATED])]
    crowd = Crowd(
        kinds=kinds,
        zeros=[chance.choice(["free", "included"]) for _ in kinds],
        ranks=[chance.sample(range(10, 10 + SOURCES), SOURCES) for _ in range(2)],
        moments=[reading_moments(chance) for _ in kinds],
    )
    for place in range(size):
        crowd.worlds.append(_random_world(chance, crowd, crowd.ranks[place % 2]))
    return crowd


def _random_world(chance: Random, crowd: Crowd, ranks: list[int]) -> World:
    places = sorted(chance.sample(range(SOURCES), chance.randint(1, SOURCES)))
    speakers = [
        Speaker(str(place), ranks[place], crowd.kinds[place] == Source.Kind.FEED, crowd.zeros[place])
        for place in places
    ]
    tell(chance, speakers, [crowd.moments[place] for place in places])
    return World(speakers)


@dataclass
class Enrolled:
    """A crowd's rows in the database, before any reading."""

    crowd: Crowd
    sources: list[Source]
    offerings: list[Offering]
    references: dict[tuple[int, int, str], int]

    def read(self, arrival: Arrival, backfilled: bool = True) -> ledger.Outcome:
        """Let the ledger take one reading of one source."""
        place, at = arrival
        reading = ledger.Reading(self.sources[place], at, f"{place} {at}", backfilled=backfilled)
        return ledger.observe(reading, self._told(place, at))

    def _told(self, place: int, at: datetime) -> Iterable[ledger.Told]:
        for index, world in enumerate(self.crowd.worlds):
            speaker = next((s for s in world.speakers if s.name == str(place)), None)
            said = speaker.readings[at] if speaker is not None else frozenset()
            for external_id in sorted({quote.external_id for quote in said}):
                claims = [quote.claim for quote in said if quote.external_id == external_id]
                reference = self.references[place, index, external_id]
                yield ledger.Told(reference, self.offerings[index].pk, claims, self.crowd.zeros[place])

    def believed(self) -> list[dict[Conditions, list[Row]]]:
        """What the ledger believes of each offering now."""
        found: dict[int, dict[Conditions, list[Row]]] = {offering.pk: {} for offering in self.offerings}
        line = [f"line__{column}" for column in LINE_COLUMNS]
        effective = ("effective_from", "effective_until", "precision", "observed_after")
        rows = Price.objects.filter(line__offering__in=self.offerings, known_until=None).order_by("effective_from")
        for offering, start, end, precision, after, amount, currency, zero, *cell in rows.values_list(
            "line__offering_id", *effective, "amount", "currency", "zero_means", *line
        ):
            row = Row(start, end, (amount, currency, zero), precision, after)
            found[offering].setdefault(Conditions(*cell), []).append(row)
        return list(found.values())


def enrol(crowd: Crowd) -> Enrolled:
    """Make a crowd's sources, sellers, offerings and references; each call makes others."""
    serial = next(_serial)
    sellers = [Company.objects.create(slug=f"seller-{serial}-{n}", name=f"Seller {n}") for n in range(2)]
    sources = [
        Source.objects.create(slug=f"source-{serial}-{n}", name=f"Source {n}", kind=kind, precedence=crowd.ranks[0][n])
        for n, kind in enumerate(crowd.kinds)
    ]
    for source, rank in zip(sources, crowd.ranks[1], strict=True):
        SourcePrecedence.objects.create(source=source, seller=sellers[1], precedence=rank)
    offerings = [
        Offering.objects.create(seller=sellers[n % 2], external_id=f"o{n}", identity_key=f"o{n}", name=f"Offering {n}")
        for n in range(len(crowd.worlds))
    ]
    return Enrolled(crowd, sources, offerings, _references(crowd, sources, offerings))


def _references(crowd: Crowd, sources: list[Source], offerings: list[Offering]) -> dict[tuple[int, int, str], int]:
    keys = [
        (int(speaker.name), index, external_id)
        for index, world in enumerate(crowd.worlds)
        for speaker in world.speakers
        for external_id in speaker.ids
    ]
    first_seen = datetime(2026, 1, 1, tzinfo=UTC)
    rows = Reference.objects.bulk_create(
        Reference(
            source=sources[place],
            provider=f"provider-{index}",
            external_id=external_id,
            offering=offerings[index],
            first_seen_at=first_seen,
        )
        for place, index, external_id in keys
    )
    return {key: row.pk for key, row in zip(keys, rows, strict=True)}


class AppendOnly:
    """Watches price rows: none goes, none changes but ``known_until``, once; none overlap; all cite evidence."""

    def __init__(self, offerings: list[Offering]) -> None:
        self.rows = Price.objects.filter(line__offering__in=offerings)
        self.seen: dict[int, dict[str, object]] = {}

    def check(self) -> None:
        now = {row["id"]: row for row in self.rows.values()}
        for pk, before in self.seen.items():
            after = now[pk]
            changed = {column for column in before if before[column] != after[column]}
            assert changed <= ({"known_until"} if before["known_until"] is None else set()), (before, after)
        for row in now.values():
            assert row["statement_id"] or row["decision_id"], row
            assert row["known_until"] is None or row["known_until"] > row["known_from"], row
        self._check_apart(now.values())
        self.seen = now

    def _check_apart(self, rows: Iterable[dict[str, object]]) -> None:
        by_line: dict[object, list[dict[str, object]]] = {}
        for row in rows:
            by_line.setdefault(row["line_id"], []).append(row)
        for line, of_line in by_line.items():
            moments = {row[end] for row in of_line for end in ("known_from", "known_until") if row[end] is not None}
            for moment in moments:
                believed = [row for row in of_line if _holds(row, "known", moment)]
                believed.sort(key=lambda row: row["effective_from"])
                for one, other in pairwise(believed):
                    until = one["effective_until"]
                    assert until is not None and until <= other["effective_from"], (line, one, other)


def _holds(row: dict[str, object], axis: str, moment: object) -> bool:
    start, end = row[f"{axis}_from"], row[f"{axis}_until"]
    return start <= moment and (end is None or moment < end)
