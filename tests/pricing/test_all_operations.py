"""Whatever is read and whatever people do, in any order: the record keeps its promises.

``LEDGER_OPERATIONS`` asks for more lives than are played by default, ``LEDGER_FIRST_SEED`` for others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from django.db import transaction
from django.utils import timezone

from pricing.claims import Tariff
from pricing.ledger import LedgerError
from pricing.models import Decision, Disagreement, Hold, Offering, Price, PricingChangeLine, SettledTime
from pricing.told_before import OF_THE_FUTURE
from tests.pricing.crowds import AppendOnly
from tests.pricing.lives import Event, Life, begin
from tests.pricing.naive_rulings import History
from tests.pricing.operations import Operation, any_operation
from tests.pricing.oracle import Row, Value, alike
from tests.pricing.stages import everything, wrong
from tests.pricing.what_operations_mean import Expected, moments_of, price_at
from tests.pricing.worlds import short

LIVES = int(os.environ.get("LEDGER_OPERATIONS", "40"))
FIRST_SEED = int(os.environ.get("LEDGER_FIRST_SEED", "0"))
BLOCK = 10


@pytest.mark.django_db
@pytest.mark.parametrize("block", range(0, LIVES, BLOCK))
def test_the_record_keeps_its_promises_through_any_life(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(FIRST_SEED + block, FIRST_SEED + min(block + BLOCK, LIVES)):
        with transaction.atomic():
            life, events = begin(Random(seed))
            monkeypatch.setattr(timezone, "now", lambda life=life: life.now)
            try:
                Watched(life).live(events)
            except BaseException as failure:
                failure.add_note(f"seed {seed}:\n" + "\n".join(life.log) + "\n" + _told_documents(life))
                raise
            transaction.set_rollback(True)


def _told_documents(life: Life) -> str:
    return "\n".join(
        f"feed {place} of rank {plan.rank}, offering {about}, {meter}, at {short(at)}: "
        + ", ".join(
            f"{q.external_id} {q.claim.line.above_input_tokens or ''}{q.claim.line.slot}{q.claim.line.layer}="
            f"{q.claim.amount} {q.claim.currency} [{short(q.claim.effective_from)}, {short(q.claim.effective_until)})"
            for q in sorted(plan.readings[at], key=repr)
        )
        for (place, about, meter), plan in sorted(life.plans.items())
        for at in plan.moments
    )


class Watched:
    """A life, held to what the ledger promises after every step."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.watch = AppendOnly(life.offerings)
        self.boundaries: dict[int, datetime] = {}
        self.ticked: datetime | None = None

    def live(self, events: list[Event]) -> None:
        for step, (when, _, what, place, at) in enumerate(events):
            self.life.now = max(when, self.life.now + timedelta(minutes=1))
            if what == "read":
                self.life.read(place, at)
            elif what == "tick":
                self._tick()
            else:
                self._rule(any_operation(self.life))
            self._check(wholly=step % 5 == 0)
        self.life.now += timedelta(days=400)
        self._tick()
        self._check(wholly=True)

    def _check(self, *, wholly: bool) -> None:
        self.life.known.clear()
        for offering in self.life.offerings:
            found, expected = believed(offering), self.life.believed(offering)
            assert found == expected, difference(found, expected)
        self.watch.check()
        self._check_what_was_known()
        if wholly:
            problems = wrong()
            assert not problems, "\n".join(map(str, problems))

    def _check_what_was_known(self) -> None:
        """New knowledge begins after all older knowledge of its line: what was known at a moment stays so."""
        rows = list(self.watch.rows.values_list("pk", "line_id", "known_from", "known_until"))
        for pk, line, known_from, known_until in rows:
            last = self.boundaries.get(line)
            moments = {known_from, known_until} - {None} - self._seen(pk)
            assert last is None or all(moment > last for moment in moments), (pk, line, last, moments)
        self.seen = {pk: {known_from, known_until} for pk, _, known_from, known_until in rows}
        for _, line, known_from, known_until in rows:
            self.boundaries[line] = max(filter(None, [self.boundaries.get(line), known_from, known_until]))

    seen: dict[int, set[datetime | None]] = {}

    def _seen(self, pk: int) -> set[datetime | None]:
        return self.seen.get(pk, set())

    def _rule(self, operation: Operation) -> None:
        offering, now = operation.offering, self.life.now
        before, belief = whole_record(), self.life.believed(offering)
        held = set(Hold.objects.filter(closed_at=None).values_list("pk", flat=True))
        decided = set(Decision.objects.values_list("pk", flat=True))
        try:
            with transaction.atomic():
                operation.run()
        except LedgerError as refusal:
            self.life.log[-1] += f" -- refused: {refusal}"
            assert whole_record() == before
            return
        made = set(Decision.objects.values_list("pk", flat=True)) - decided
        if operation.expected is not None:
            self._compare(operation, operation.expected, belief, _agreed_with(held, made))
        if operation.name not in ("undo", "retire"):
            self.life.before_last[offering.pk] = (made, belief)
        else:
            self.life.before_last.pop(offering.pk, None)
        assert all(row.known_from >= now for row in Price.objects.filter(recorded_at=now, line__offering=offering))

    def _compare(self, operation: Operation, expected: Expected, before: History, agreed: set[Tariff]) -> None:
        """``agreed`` are the tariffs of which the operation says what was held of a source, which counts since then."""
        after = believed(operation.offering)
        for moment in moments_of(before, after, others=[self.life.now]):
            for line in sorted({*before, *after}):
                found, wanted = price_at(after, line, moment), expected(line, moment)
                if line.tariff in agreed and wanted == price_at(before, line, moment):
                    continue
                assert same_price(found, wanted), (
                    f"{operation}\n{line} at {short(moment)} is {found}, should be {wanted}\n"
                    + difference(after, before)
                )

    def _tick(self) -> None:
        """What was foreseen since the last tick is told, and once."""
        since = self.ticked
        self.life.tick()
        self.ticked = self.life.now
        if since is None:
            return
        rows = Price.objects.filter(line__offering__in=self.life.offerings, known_until=None)
        for line, start, end, known in rows.values_list("line_id", "effective_from", "effective_until", "known_from"):
            for moment in (start, end):
                foreseen = moment is not None and known < moment and since < moment <= self.life.now
                if foreseen and not self._says_zero_otherwise(line, moment):
                    self._check_told(line, moment)

    def _says_zero_otherwise(self, line: int, moment: datetime) -> bool:
        """Whether nothing moves at a moment but what a zero means, which is told when it is learnt."""
        believed = Price.objects.filter(line=line, known_until=None)
        before = believed.filter(effective_until=moment).values_list("amount", "currency").first()
        return (
            before is not None
            and before == believed.filter(effective_from=moment).values_list("amount", "currency").first()
        )

    def _check_told(self, line: int, moment: datetime) -> None:
        told = PricingChangeLine.objects.filter(line=line, change__effective_at=moment)
        kinds = list(
            told.exclude(change__kind__in=OF_THE_FUTURE)
            .order_by("change__sequence")
            .values_list("change__kind", "change__nature", "old")
        )
        assert kinds, (line, short(moment), "was not told")
        # What was first told as a beginning is told again as a move once an older reading shows the price before it.
        twice = any(
            one[1] == other[1] == "market" and (one[2] is not None or other[2] is None)
            for one, other in pairwise(kinds)
        )
        assert not twice, (line, short(moment), kinds)


def _agreed_with(held: set[int], made: set[int]) -> set[Tariff]:
    """The tariffs of what was held and counts because a person says the same, also where the source no longer did."""
    freed = Hold.objects.filter(pk__in=held, outcome=Hold.Outcome.SECOND_SOURCE).select_related("line")
    lapsed = Hold.objects.filter(outcome=Hold.Outcome.LAPSED).select_related("line")
    words = set(Decision.objects.filter(pk__in=made).values_list("line_id", "amount", "currency"))
    counting = [*freed, *(hold for hold in lapsed if (hold.line_id, hold.amount, hold.currency) in words)]
    return {hold.line.conditions.tariff for hold in counting if hold.line is not None}


def whole_record() -> dict[str, list[dict[str, object]]]:
    return everything(Hold, Disagreement, Offering, SettledTime)


def believed(offering: Offering) -> History:
    found: History = {}
    rows = Price.objects.filter(line__offering=offering, known_until=None).select_related("line")
    for row in rows.order_by("effective_from"):
        value = (row.amount, row.currency, row.zero_means)
        told = Row(row.effective_from, row.effective_until, value, row.precision, row.observed_after)
        found.setdefault(row.line.conditions, []).append(told)
    return found


def same_price(one: Value | None, other: Value | None) -> bool:
    return one == other or (one is not None and other is not None and alike(one, other))


def difference(found: History, expected: History) -> str:
    return "\n".join(line for name, belief in (("found", found), ("other", expected)) for line in _shown(name, belief))


def _shown(name: str, belief: History) -> Iterator[str]:
    for line, rows in sorted(belief.items()):
        for row in rows:
            cell = f"{line.meter} {line.above_input_tokens or ''}{line.slot}{line.layer}"
            when = f"[{short(row.start)}, {short(row.end)}) {row.precision} after {short(row.observed_after)}"
            yield f"  {name} {cell} {row.value} {when}"
