"""People rule while sources are read: after every step the ledger still follows from its evidence."""

from __future__ import annotations

import os
from contextlib import suppress
from random import Random

import pytest

from pricing import ledger
from pricing.models import Decision, Offering, Statement
from tests.pricing.crowds import AppendOnly, enrol, random_crowd
from tests.pricing.stages import claim, wrong
from tests.pricing.worlds import LONG, PEAK, PLAIN, PROMO

CROWDS = int(os.environ.get("LEDGER_CROWDS", "3"))
FIRST_SEED = int(os.environ.get("LEDGER_FIRST_SEED", "0"))
SOMEONE = ledger.Ruling(by=None, note="because")


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + min(CROWDS, 20)))
def test_rulings_and_readings_in_any_mixture_leave_a_clean_ledger(seed: int) -> None:
    chance = Random(seed)
    enrolled = enrol(random_crowd(chance, 10))
    arrivals = chance.sample(enrolled.crowd.arrivals(), len(enrolled.crowd.arrivals()))
    watch = AppendOnly(enrolled.offerings)
    for arrival in arrivals:
        enrolled.read(arrival)
        for _ in range(3):
            # What cannot be said is refused, and must leave the ledger clean as well.
            with suppress(ledger.LedgerError):
                someone_rules(chance, chance.choice(enrolled.offerings))
        watch.check()
        found = wrong()
        assert not found, f"seed {seed}:\n" + "\n".join(map(str, found))


def someone_rules(chance: Random, offering: Offering) -> None:
    """One ruling of any kind, about any line and any time."""
    since = chance.randint(0, 60)
    until = chance.choice([None, since + chance.randint(1, 30)])
    line = chance.choice([PLAIN, PLAIN, LONG, PEAK, PROMO])
    stated = claim(chance.choice("0123"), line, since, until)
    kind = chance.choice(["state", "state", "pin", "withdraw", "relist", "undo", "retire"])
    if kind == "state":
        ledger.state(offering, stated, SOMEONE, replaces_later=chance.random() < 0.3)
    elif kind == "pin":
        ledger.pin(offering, stated, SOMEONE)
    elif kind == "withdraw":
        ledger.withdraw(offering, SOMEONE, at=stated.effective_from)
    elif kind == "relist":
        ledger.relist(offering, SOMEONE, at=stated.effective_from)
    elif kind == "undo":
        standing = list(Decision.objects.filter(offering=offering, undone_by=None).order_by("pk"))
        if standing:
            ledger.undo(chance.choice(standing), SOMEONE)
    else:
        said = list(Statement.objects.filter(line__offering=offering, source__slug="editors").order_by("pk"))
        if said:
            ledger.retire_statement(chance.choice(said), SOMEONE)
