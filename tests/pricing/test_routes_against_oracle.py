"""Routes agree with naive oracles: what people say with one that replays all of it, readings with that of prices."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

import pytest
from django.db import transaction
from django.utils import timezone

from companies.models import Company
from pricing import ledger
from pricing.claims import Claim
from pricing.models import Alias, Decision, Offering, RouteStatement
from pricing.routes.targets import Target
from pricing.sheets import LedgerError
from tests.pricing import oracle
from tests.pricing.believing import day
from tests.pricing.crowds import Crowd, Enrolled, enrol, random_crowd
from tests.pricing.stages import Stage, assert_clean, routed
from tests.pricing.worlds import AMOUNTS, PLAIN, Speaker, World

LIVES = int(os.environ.get("ROUTE_LIVES", "25"))
CROWDS = int(os.environ.get("ROUTE_CROWDS", "2"))
CROWD_SIZE = 25
LAST_DAY = 60


@dataclass
class Uttered:
    """One thing that an editor said, in days."""

    pk: int
    target: str
    begins: int
    ends: int | None
    said: int
    replaces: list[int]
    moved: int | None = None
    ended: int | None = None
    unsaid: bool = False


@dataclass
class Diary:
    """All that people said of one id, replayed from the start whenever it is asked."""

    uttered: dict[int, Uttered] = field(default_factory=dict)

    def leads(self) -> list[str]:
        """Where the id leads on each day: each day of speaking forgets the future and paints it anew."""
        days = [""] * (LAST_DAY + 1)
        counted = [u for u in self.uttered.values() if not u.unsaid]
        for now in sorted({u.said for u in counted} | {u.ended for u in counted if u.ended is not None}):
            days[now:] = [""] * len(days[now:])
            for u in sorted(counted, key=lambda u: (u.begins, u.ends or LAST_DAY + 1, u.target)):
                if u.said <= now and (u.ended is None or now < u.ended):
                    ends = LAST_DAY + 1 if u.ends is None else u.ends
                    days[u.begins : ends] = [u.target] * (ends - u.begins)
        return days

    def running(self) -> list[Uttered]:
        return [u for u in self.uttered.values() if u.ended is None and not u.unsaid]

    def say(self, uttered: Uttered, now: int) -> None:
        for pk in uttered.replaces:
            self.uttered[pk].ended = now
        self.uttered[uttered.pk] = uttered

    def take_back(self, pk: int, now: int, with_moved: bool) -> None:
        uttered = self.uttered[pk]
        uttered.unsaid, uttered.ended = True, now
        again = self.replaced_by(uttered)
        if with_moved and uttered.moved is not None:
            self.uttered[uttered.moved].unsaid = False
            again.append(uttered.moved)
        for other in again:
            begins = self.uttered[other].begins
            if not any(u.begins == begins for u in self.running()):
                self.uttered[other].ended = None

    def replaced_by(self, uttered: Uttered) -> list[int]:
        found: list[int] = []
        for pk in sorted(uttered.replaces, reverse=True):
            earlier = self.uttered[pk]
            found += self.replaced_by(earlier) if earlier.unsaid else [pk]
        return found


@pytest.mark.parametrize("seed", range(LIVES))
def test_what_people_say_of_a_route_is_as_a_replay_of_all_of_it(
    seed: int, stage: Stage, person: ledger.Ruling, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    targets = [stage.offering(name) for name in ("A", "B", "C")]
    route = ledger.id_to_route(stage.seller, "latest")
    diary, now, done = Diary(), 10, []
    monkeypatch.setattr(timezone, "now", lambda: day(now))
    seen: dict[int, list[str]] = {}
    for _ in range(chance.randint(2, 12)):
        now += chance.randint(1, 3)
        done.append((now, _something(chance, now, route, targets, diary, person)))
        seen[now] = diary.leads()
        assert _believed(route) == seen[now], f"seed {seed}: {done}"
    for at, days in seen.items():
        assert _believed(route, known_at=at) == days, f"seed {seed}, as known on day {at}: {done}"


def _something(
    chance: Random, now: int, route: Offering, targets: list[Offering], diary: Diary, person: ledger.Ruling
) -> str:
    what = chance.choice(["say", "say", "say", "put off", "take back", "undo"])
    running = diary.running()
    if what == "say" or not running:
        return _say(chance, now, route, targets, diary, person)
    chosen = chance.choice(sorted(running, key=lambda u: u.pk))
    statement = RouteStatement.objects.get(pk=chosen.pk)
    if what == "put off":
        return _put_off(chance, now, statement, chosen, diary, person)
    if what == "take back":
        ledger.retire_route(statement, person)
    else:
        ledger.undo(Decision.objects.get(kind="reroute", details__route=chosen.pk), person)
    diary.take_back(chosen.pk, now, with_moved=what == "undo")
    return f"{what} {chosen}"


def _say(
    chance: Random, now: int, route: Offering, targets: list[Offering], diary: Diary, person: ledger.Ruling
) -> str:
    begins = max(0, now + chance.choice([-8, -2, 0, 2, 5, 5, 9]))
    ends = begins + chance.randint(1, 9) if chance.random() < 0.3 else None
    target, later = chance.choice(targets), chance.random() < 0.3
    until = None if ends is None else day(ends)
    try:
        ledger.reroute(route, target, person, at=day(begins), until=until, replaces_later=later)
    except LedgerError as refusal:
        return f"refused: {refusal}"
    said = RouteStatement.objects.latest("pk")
    later_ones = [u for u in diary.running() if u.begins >= begins and (ends is None or u.begins < ends)]
    replaces = [u.pk for u in later_ones if later or u.begins == begins]
    diary.say(Uttered(said.pk, target.name, begins, ends, now, replaces), now)
    return f"say {target.name} [{begins}, {ends})"


def _put_off(
    chance: Random, now: int, statement: RouteStatement, chosen: Uttered, diary: Diary, person: ledger.Ruling
) -> str:
    begins = max(0, now + chance.choice([-3, 1, 4, 8]))
    try:
        ledger.reschedule_route(statement, person, at=day(begins))
    except LedgerError as refusal:
        return f"refused: {refusal}"
    said = RouteStatement.objects.latest("pk")
    replaces = [u.pk for u in diary.running() if u.begins == begins and u is not chosen]
    chosen.unsaid, chosen.ended = True, now
    diary.say(Uttered(said.pk, chosen.target, begins, chosen.ends, now, replaces, chosen.pk), now)
    return f"put off {chosen} to {begins}"


def _believed(route: Offering, known_at: float | None = None) -> list[str]:
    days = [""] * (LAST_DAY + 1)
    for start, end, name in routed(route, known_at):
        last = LAST_DAY + 1 if end is None else int(end)
        days[int(start) : last] = [name] * (last - int(start))
    return days


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(CROWDS))
def test_what_readings_say_of_routes_is_resolved_as_prices_are_in_every_order_of_arrival(number: int) -> None:
    chance = Random(number)
    crowd = _of_routes(random_crowd(chance, CROWD_SIZE))
    expected = [
        [(row.start, row.end, row.value[:2], row.precision, row.observed_after) for row in rows]
        for rows in (oracle.believed(world).get(PLAIN, []) for world in crowd.worlds)
    ]
    for shuffled in (False, True):
        arrivals = crowd.arrivals()
        if shuffled:
            chance.shuffle(arrivals)
        with transaction.atomic():
            enrolled = enrol(crowd)
            targets = _Targets(enrolled)
            for place, at in arrivals:
                targets.read(place, at, backfilled=True)
            for index, offering in enumerate(enrolled.offerings):
                assert targets.believed(offering) == expected[index], (number, index, crowd.worlds[index].describe())
            assert_clean()
            transaction.set_rollback(True)


def _of_routes(crowd: Crowd) -> Crowd:
    """The same worlds with one line only: each price stands for a target, and none is strange enough to hold."""
    for world in crowd.worlds:
        for speaker in world.speakers:
            speaker.zero_means = ""
            speaker.readings = {
                at: frozenset(
                    replace(quote, claim=_as_target(quote.claim)) for quote in said if quote.claim.line == PLAIN
                )
                for at, said in speaker.readings.items()
            }
    return crowd


def _as_target(claim: Claim) -> Claim:
    known = sorted({round(amount, 3) for amount in AMOUNTS})
    place = known.index(round(claim.amount, 3)) + (50 if claim.currency == "CNY" else 0)
    amount = 1 + Decimal(place) / 10
    return replace(claim, amount=amount, currency="USD")


class _Targets:
    """The targets that stand for prices: one for each amount and currency."""

    def __init__(self, enrolled: Enrolled) -> None:
        self.enrolled = enrolled
        self.seller = Company.objects.create(slug="targets", name="Targets")
        self.by_price: dict[tuple[object, str], Target] = {}
        self.prices: dict[int, tuple[object, str]] = {}

    def of(self, amount: object, currency: str) -> Target:
        if (amount, currency) not in self.by_price:
            name = f"{amount} {currency}"
            row = Offering.objects.create(seller=self.seller, external_id=name, identity_key=name, name=name)
            self.by_price[amount, currency] = Target("offering", row.pk)
            self.prices[row.pk] = (amount, currency)
        return self.by_price[amount, currency]

    def read(self, place: int, at: object, backfilled: bool) -> None:
        reading = ledger.Reading(self.enrolled.sources[place], at, f"{place} {at}", backfilled=backfilled)  # type: ignore[arg-type]
        ledger.observe(
            reading,
            [],
            routes=[
                route
                for index, world in enumerate(self.enrolled.crowd.worlds)
                for route in self._told(place, at, index, world)
            ],
        )

    def _told(self, place: int, at: object, index: int, world: World) -> list[ledger.ToldRoute]:
        speaker: Speaker | None = next((s for s in world.speakers if s.name == str(place)), None)
        return [
            ledger.ToldRoute(
                self.enrolled.references[place, index, quote.external_id],
                self.enrolled.offerings[index].pk,
                self.of(quote.claim.amount, quote.claim.currency),
                quote.claim.effective_from,
                quote.claim.effective_until,
                quote.claim.precision,
            )
            for quote in (speaker.readings[at] if speaker is not None else ())  # type: ignore[index]
        ]

    def believed(self, offering: Offering) -> list[tuple[object, ...]]:
        rows = Alias.objects.filter(offering=offering, known_until=None).order_by("effective_from")
        return [
            (
                row.effective_from,
                row.effective_until,
                self.prices[row.target_offering_id or 0],
                row.precision,
                row.observed_after,
            )
            for row in rows
        ]
