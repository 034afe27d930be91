"""Whatever the order in which documents arrive, the ledger comes to believe the same calendar, and rightly.

The oracle replays the documents in the order of time, moment by moment: for each sample of time it asks what the rules
of a slot were, and knows of no runs, intervals or rows. ``CALENDAR_WORLDS`` asks for more cases.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import transaction

from pricing.calendar_history import bare
from pricing.calendar_rules import normalised
from pricing.claims import Conditions, SlotRule
from pricing.models import CalendarStatement, Offering
from pricing.models import SlotRule as SlotRuleRow
from tests.pricing.believing import price
from tests.pricing.stages import Stage, wrong
from tests.pricing.worlds import ORIGIN, short

WORLDS = int(os.environ.get("CALENDAR_WORLDS", "40"))
FIRST_SEED = int(os.environ.get("LEDGER_FIRST_SEED", "0"))
BLOCK = 20
INSTANT = timedelta(microseconds=1)
HORIZON = 30
HOURS = (
    SlotRule("peak", ((60, 240),)),
    SlotRule("peak", ((360, 600),), (1, 2, 3, 4, 5)),
    SlotRule("night", ((0, 60),)),
)
REST = SlotRule("off-peak", is_rest=True)
QUOTES = [price("2", Conditions("input_tokens", slot=slot)) for slot in ("peak", "night", "off-peak")]
Held = dict[str, frozenset[SlotRule]]
# What a reading shows: a calendar, none (), or not even the offering (None).
Document = tuple[SlotRule, ...] | None


def day(number: float) -> datetime:
    return ORIGIN + timedelta(days=number)


SAMPLES = [day(-1), *(moment for number in range(HORIZON) for moment in (day(number) - INSTANT, day(number)))]


def random_documents(chance: Random) -> dict[datetime, Document]:
    """One to seven readings on whole days, between which dates move, come and go."""
    days = sorted(chance.sample(range(2, HORIZON - 4), chance.randint(1, 7)))
    documents: dict[datetime, Document] = {}
    latest: Document = _calendar(chance)
    for number in days:
        if chance.random() < 0.6:
            latest = _calendar(chance)
        documents[day(number)] = chance.choice([latest] * 6 + [None, ()])
    return documents


def _calendar(chance: Random) -> tuple[SlotRule, ...]:
    if chance.random() < 0.5:
        return normalised([*chance.sample(HOURS, chance.randint(1, 3)), REST])
    return normalised(rule for slot in (HOURS[:2], HOURS[2:], (REST,)) for rule in _dated(chance, slot))


def _dated(chance: Random, rules: Sequence[SlotRule]) -> Sequence[SlotRule]:
    """One slot's rules one after the other, the first perhaps without a beginning, the last perhaps with an end."""
    edges = sorted(chance.sample(range(HORIZON), len(rules) + 1))
    starts = [None if chance.random() < 0.4 else day(edges[0]), *map(day, edges[1:-1])]
    ends = [*map(day, edges[1:-1]), None if chance.random() < 0.6 else day(edges[-1])]
    return [
        replace(rule, effective_from=start, effective_until=end)
        for rule, start, end in zip(chance.sample(rules, len(rules)), starts, ends, strict=True)
    ]


@dataclass
class Oracle:
    """What is in force at each sample, as documents are replayed in the order of time."""

    held: dict[datetime, Held]
    last: tuple[SlotRule, ...] = ()
    first_shown: datetime | None = None

    def read(self, at: datetime, document: Document, previous: datetime | None) -> None:
        if document is None:
            return
        if self.first_shown is None and document:
            self.first_shown = at
        is_first = not any(rules for held in self.held.values() for rules in held.values())
        if previous is not None:
            self._let_what_never_came_be(at, document, previous)
        before = dict(self.held)
        for moment in SAMPLES:
            self.held[moment] = {
                slot: self._at(moment, slot, at, document, before, is_first) for slot in ("peak", "night", "off-peak")
            }
        self.last = document

    def _at(
        self,
        moment: datetime,
        slot: str,
        at: datetime,
        document: Sequence[SlotRule],
        before: dict[datetime, Held],
        is_first: bool,
    ) -> frozenset[SlotRule]:
        own = [rule for rule in document if rule.slot == slot]
        told = frozenset(bare(rule) for rule in own if in_force(rule, moment))
        if moment >= at:
            return told
        earlier = before[moment].get(slot, frozenset())
        seen = {bare(rule) for rule in own if rule.effective_from is None and not is_over(rule, at)}
        begins = [self._beginning(rule, at, before, is_first) for rule in own]
        speaks_from = min([at, *begins])
        if moment < speaks_from:
            return earlier
        spoken = {
            bare(rule) for rule, start in zip(own, begins, strict=True) if start <= moment and in_force(rule, moment)
        }
        return frozenset(spoken | (earlier & seen))

    def _beginning(self, rule: SlotRule, at: datetime, before: dict[datetime, Held], is_first: bool) -> datetime:
        end = rule.effective_until
        if rule.effective_from is not None:
            return rule.effective_from
        if end is None or not is_over(rule, at):
            return day(-1000) if is_first else at
        if bare(rule) in before[end - INSTANT].get(rule.slot, frozenset()):
            return end
        assert self.first_shown is not None
        return day(-1000) if self.first_shown >= end else end - INSTANT

    def _let_what_never_came_be(self, at: datetime, document: Sequence[SlotRule], previous: datetime) -> None:
        """What the last document dated since the previous reading, and this one does not state at its moment."""

        def is_news(moment: datetime | None) -> bool:
            return moment is not None and previous < moment <= at

        def states(rule: SlotRule, moment: datetime) -> bool:
            return any(bare(own) == bare(rule) and in_force(own, moment) for own in document)

        dropped = [r for r in self.last if is_news(r.effective_from) and not states(r, r.effective_from)]  # type: ignore[arg-type]
        gaps = {(rule.slot, rule.effective_from) for rule in dropped}
        mended = []
        for rule in self.last:
            if rule in dropped:
                continue
            end = rule.effective_until
            goes_on = is_news(end) and ((rule.slot, end) in gaps or states(rule, end))  # type: ignore[arg-type]
            mended.append(replace(rule, effective_until=at) if goes_on else rule)
        for moment in SAMPLES:
            if previous < moment < at:
                for slot in ("peak", "night", "off-peak"):
                    self.held[moment][slot] = frozenset(
                        bare(r) for r in mended if r.slot == slot and in_force(r, moment)
                    )


def in_force(rule: SlotRule, moment: datetime) -> bool:
    begun = rule.effective_from is None or rule.effective_from <= moment
    return begun and (rule.effective_until is None or moment < rule.effective_until)


def is_over(rule: SlotRule, at: datetime) -> bool:
    return rule.effective_until is not None and rule.effective_until <= at


def replayed(documents: dict[datetime, Document]) -> dict[datetime, Held]:
    oracle = Oracle({moment: {} for moment in SAMPLES})
    previous = None
    for at in sorted(documents):
        oracle.read(at, documents[at], previous)
        previous = at
    return oracle.held


def in_rows(offering: Offering) -> dict[datetime, Held]:
    rows = list(SlotRuleRow.objects.filter(offering=offering, known_until=None))
    held: dict[datetime, Held] = {}
    for moment in SAMPLES:
        rules = {rule for row in rows if in_force(rule := rule_of(row), moment)}
        held[moment] = {
            slot: frozenset(bare(rule) for rule in rules if rule.slot == slot) for slot in ("peak", "night", "off-peak")
        }
    return held


def rule_of(row: SlotRuleRow) -> SlotRule:
    windows = tuple((start, end) for start, end in row.windows)
    dates = (row.effective_from, row.effective_until)
    return SlotRule(row.slot, windows, tuple(row.weekdays), row.time_zone, row.holidays, row.is_rest, *dates)


def told(documents: dict[datetime, Document]) -> str:
    lines = []
    for at, document in sorted(documents.items()):
        lines.append(f"read on {short(at)}" + (": not named" if document is None else ""))
        lines += [
            f"  {r.slot} {r.windows} [{short(r.effective_from)}, {short(r.effective_until)})" for r in document or ()
        ]
    return "\n".join(lines)


def difference(found: dict[datetime, Held], expected: dict[datetime, Held]) -> str:
    lines = []
    for moment in SAMPLES:
        for slot in ("peak", "night", "off-peak"):
            one, other = found[moment].get(slot, frozenset()), expected[moment].get(slot, frozenset())
            if one != other:
                lines.append(
                    f"{short(moment)} {slot}: {[r.windows for r in one]}, expected {[r.windows for r in other]}"
                )
    return "\n".join(lines)


@pytest.mark.django_db
@pytest.mark.parametrize("block", range(0, WORLDS, BLOCK))
def test_every_order_of_arrival_gives_the_calendar_of_the_oracle(block: int) -> None:
    for seed in range(FIRST_SEED + block, FIRST_SEED + min(block + BLOCK, WORLDS)):
        chance = Random(seed)
        documents = random_documents(chance)
        expected = replayed(documents)
        seen = None
        for is_shuffled in (False, True):
            arrivals = chance.sample(sorted(documents), len(documents)) if is_shuffled else sorted(documents)
            with transaction.atomic():
                offering, rows, runs = played(documents, arrivals, seed)
                lines = difference(in_rows(offering), expected)
                assert not lines, f"seed {seed}, arrivals {list(map(short, arrivals))}\n{told(documents)}\n{lines}"
                assert seen is None or seen == (rows, runs), f"seed {seed}\n{told(documents)}"
                seen = (rows, runs)
                transaction.set_rollback(True)


def played(documents: dict[datetime, Document], arrivals: list[datetime], seed: int) -> tuple[Offering, list, list]:
    """Let the documents arrive in an order, holding the ledger to its rules after each."""
    stage = Stage()
    offering = stage.offering()
    known: dict[int, tuple[object, ...]] = {}
    for at in arrivals:
        document = documents[at]
        said = {} if document is None else {offering: QUOTES}
        number = (at - ORIGIN) / timedelta(days=1)
        stage.read("models-dev", number, said, hours={offering.pk: document or ()}, backfilled=True)
        assert not wrong(), (
            f"seed {seed} after {short(at)} of {list(map(short, arrivals))}: {wrong()}\n{told(documents)}"
        )
        known = append_only(known)
    rows = SlotRuleRow.objects.filter(known_until=None).values_list(
        "slot", "windows", "weekdays", "effective_from", "effective_until", "precision", "observed_after"
    )
    runs = CalendarStatement.objects.values_list("rules", "first_observed_at", "absent_before", "ended_at")
    return offering, sorted(map(repr, rows)), sorted(map(repr, runs))


def append_only(known: dict[int, tuple[object, ...]]) -> dict[int, tuple[object, ...]]:
    """The rows now; none is gone, and of the earlier ones nothing was written but an end of belief, once."""
    columns = ("slot", "windows", "effective_from", "effective_until", "known_from", "known_until")
    now = {pk: tuple(map(repr, row)) for pk, *row in SlotRuleRow.objects.values_list("pk", *columns)}
    for pk, row in known.items():
        assert now[pk][:-1] == row[:-1]
        assert row[-1] in ("None", now[pk][-1])
    return now
