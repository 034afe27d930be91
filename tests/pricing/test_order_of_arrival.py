"""Whatever the order in which readings of several sources arrive, the ledger comes to believe the same, and rightly.

``LEDGER_WORLDS`` and ``LEDGER_CROWDS`` (of forty worlds each, through the database) ask for more cases.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from django.db import transaction

from tests.pricing import oracle
from tests.pricing.believing import difference, resolved
from tests.pricing.crowds import AppendOnly, Arrival, Enrolled, enrol, random_crowd
from tests.pricing.stages import wrong
from tests.pricing.worlds import random_world, short

WORLDS = int(os.environ.get("LEDGER_WORLDS", "2000"))
CROWDS = int(os.environ.get("LEDGER_CROWDS", "5"))
FIRST_SEED = int(os.environ.get("LEDGER_FIRST_SEED", "0"))
CROWD_SIZE = 40
BLOCK = 200


@pytest.mark.parametrize("block", range(0, WORLDS, BLOCK))
def test_resolution_agrees_with_the_oracle_in_every_order_of_arrival(block: int) -> None:
    for seed in range(FIRST_SEED + block, FIRST_SEED + min(block + BLOCK, WORLDS)):
        chance = Random(seed)
        world = random_world(chance)
        expected = oracle.believed(world)
        for _ in range(2):
            arrivals = world.arrivals()
            chance.shuffle(arrivals)
            found = resolved(world, arrivals, chance)
            assert found == expected, difference(f"seed {seed}", world, found, expected)


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(CROWDS))
def test_the_ledger_agrees_with_the_oracle_in_every_order_of_arrival(number: int) -> None:
    seed = FIRST_SEED + number
    chance = Random(seed)
    crowd = random_crowd(chance, CROWD_SIZE)
    expected = [oracle.believed(world) for world in crowd.worlds]
    for arrivals, backfilled in ((crowd.arrivals(), False), (_another_order(chance, crowd.arrivals()), True)):
        with transaction.atomic():
            enrolled = enrol(crowd)
            take(enrolled, arrivals, backfilled)
            for index, found in enumerate(enrolled.believed()):
                name = f"crowd {seed}, world {index}, arrivals {told(arrivals)}"
                assert found == expected[index], difference(name, crowd.worlds[index], found, expected[index])
            transaction.set_rollback(True)


def _another_order(chance: Random, arrivals: list[Arrival]) -> list[Arrival]:
    """Newest first, source by source, or any."""
    kind = chance.choice(["reversed", "by source", "any", "any"])
    if kind == "reversed":
        return arrivals[::-1]
    if kind == "by source":
        return sorted(arrivals, key=lambda arrival: (-arrival[0], arrival[1]))
    return chance.sample(arrivals, len(arrivals))


def take(enrolled: Enrolled, arrivals: list[Arrival], backfilled: bool) -> None:
    """Feed readings to the ledger, holding it to its rules after each."""
    watch = AppendOnly(enrolled.offerings)
    for arrival in arrivals:
        enrolled.read(arrival, backfilled)
        watch.check()
        found = wrong()
        assert not found, f"after {told([arrival])} of {told(arrivals)}:\n" + "\n".join(map(str, found))


def told(arrivals: list[Arrival]) -> str:
    return ", ".join(f"{place}@{short(at)}" for place, at in arrivals)
