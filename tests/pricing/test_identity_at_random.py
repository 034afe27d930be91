"""Merges, splits, links and their undoing at random between random readings: the ledger stays clean, and undoes all."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.models import Decision, Offering, Price, Reference
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, assert_clean, claim
from tests.pricing.worlds import LONG, PLAIN

LINES = (PLAIN, LONG, Conditions("output_tokens"))
IDENTITY = (Decision.Kind.MERGE, Decision.Kind.SPLIT)
Told = tuple[int, Conditions, object, object, object, str, str]


class Game:
    """Some offerings of one seller that two feeds name by ids which people move about."""

    def __init__(self, stage: Stage, chance: Random, clock: SetClock, person: ledger.Ruling) -> None:
        self.stage, self.chance, self.clock, self.person = stage, chance, clock, person
        self.day = 100
        self.offerings = [stage.offering(f"model-{number}") for number in range(4)]
        stage.source("litellm", 40)
        for source in ("models-dev", "litellm"):
            said = {each: [price("1", external_id=f"{each.name} at {source}")] for each in self.offerings}
            stage.read(source, 0, said)
        self.tick()

    def tick(self) -> None:
        self.day += 1
        self.clock(self.day)

    def read(self) -> None:
        """Let a source be read: each id says something, or is gone for once."""
        source = self.chance.choice(["models-dev", "litellm"])
        told = []
        for reference in Reference.objects.filter(source__slug=source).order_by("pk"):
            if self.chance.random() < 0.85:
                lines = self.chance.sample(LINES, self.chance.randint(1, 3))
                told.append((reference, [price(str(self.chance.randint(1, 4)), line).claim for line in lines]))
        reading = ledger.Reading(self.stage.source(source, 50), day(self.day), f"digest {self.day}")
        ledger.observe(reading, [ledger.Told(ref.pk, ref.offering_id, claims) for ref, claims in told])

    def rule(self) -> None:
        """Let a person rule something about what is one offering; what is refused is refused."""
        act: Callable[[], object] = self.chance.choice([self._merge, self._split, self._split, self._state, self._undo])
        try:
            act()
        except ledger.LedgerError:
            return

    def _merge(self) -> None:
        ledger.merge(self._any(), self._any(), self.person)

    def _split(self) -> None:
        offering = self._any()
        references = list(offering.references.order_by("pk"))
        chosen = self.chance.sample(references, self.chance.randint(0, len(references)))
        into = self._any() if self.chance.random() < 0.5 else None
        ledger.split(offering, chosen, self.person, into)

    def _state(self) -> None:
        line = self.chance.choice(LINES)
        amount = str(self.chance.randint(5, 9))
        rule = self.chance.choice([ledger.state, ledger.pin])
        rule(self._any(), claim(amount, line, since=self.day - self.chance.randint(0, 3)), self.person)

    def _undo(self) -> None:
        standing = list(Decision.objects.filter(kind__in=IDENTITY, undone_by=None).order_by("pk"))
        if standing:
            ledger.undo(self.chance.choice(standing), self.person)

    def _any(self) -> Offering:
        return self.chance.choice(list(Offering.objects.order_by("pk")))

    def undo_all(self) -> None:
        """Undo every merge and split that stands, the last one first."""
        for decision in Decision.objects.filter(kind__in=IDENTITY, undone_by=None).order_by("-pk"):
            self.tick()
            ledger.undo(decision, self.person)


def belief() -> list[Told]:
    rows = Price.objects.filter(known_until=None).select_related("line").order_by("line__offering", "effective_from")
    told = [
        (
            row.line.offering_id,
            row.line.conditions,
            row.effective_from,
            row.effective_until,
            row.observed_after,
            f"{row.amount.normalize():f}",
            row.precision,
        )
        for row in rows
    ]
    return sorted(told, key=str)


@pytest.mark.parametrize("seed", range(6))
def test_the_ledger_stays_clean_whatever_people_make_of_identity(
    stage: Stage, clock: SetClock, person: ledger.Ruling, seed: int
) -> None:
    game = Game(stage, Random(seed), clock, person)
    for _ in range(14):
        game.tick()
        game.chance.choice([game.read, game.rule, game.rule])()
    assert_clean()


@pytest.mark.parametrize("seed", range(6))
def test_undoing_every_ruling_on_identity_restores_the_belief(
    stage: Stage, clock: SetClock, person: ledger.Ruling, seed: int
) -> None:
    game = Game(stage, Random(100 + seed), clock, person)
    for _ in range(3):
        game.tick()
        game.read()
    game.tick()
    game._state()
    before = belief()
    for _ in range(10):
        game.tick()
        try:
            game.chance.choice([game._merge, game._split, game._split, game._undo])()
        except ledger.LedgerError:
            continue
    game.undo_all()
    assert belief() == before
