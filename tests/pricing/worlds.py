"""Small random worlds of sources that read and say prices of one tariff, for comparing the ledger with an oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from pricing.claims import PROMO_LAYER, Claim, Conditions

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
GRID = timedelta(hours=6)

PLAIN = Conditions("input_tokens")
LONG = Conditions("input_tokens", above_input_tokens=200_000)
PEAK = Conditions("input_tokens", slot="peak")
REST = Conditions("input_tokens", slot="off-peak")
PROMO = Conditions("input_tokens", layer=PROMO_LAYER)
LAYOUTS = ((PLAIN,), (PLAIN,), (PLAIN,), (PLAIN, LONG), (PEAK, REST), (PLAIN, PROMO), (PEAK, REST, PROMO))
AMOUNTS = tuple(map(Decimal, ("1", "1", "1", "2", "2", "2", "3", "0", "1.0000005", "2.000001", "30", "90000")))
IDS = ("model", "vendor/model", "vendor/other", "vendor/region/model")


@dataclass(frozen=True)
class Quote:
    """One claim in one reading, under the id by which the source knows the offering."""

    external_id: str
    claim: Claim


@dataclass
class Speaker:
    """A source: its place in the order (lower first), and all its readings, each with everything it said."""

    name: str
    rank: int
    is_feed: bool
    zero_means: str
    readings: dict[datetime, frozenset[Quote]] = field(default_factory=dict)
    is_person: bool = False

    def means(self, claim: Claim) -> str:
        """What the amount of a claim means where it is 0."""
        return "" if claim.amount else claim.zero_means or self.zero_means

    @property
    def moments(self) -> list[datetime]:
        return sorted(self.readings)

    @property
    def ids(self) -> list[str]:
        return sorted({quote.external_id for said in self.readings.values() for quote in said})


# Speaker, id, line, amount and currency.
Words = tuple[str, str, Conditions, Decimal, str]


@dataclass
class World:
    """Speakers, and what people released (True) or refused (False) of their words."""

    speakers: list[Speaker]
    rulings: dict[Words, bool] = field(default_factory=dict)

    def arrivals(self) -> list[tuple[Speaker, datetime]]:
        """Every reading, in the order of time; at one moment in the order of the speakers."""
        found = [(moment, place) for place, speaker in enumerate(self.speakers) for moment in speaker.moments]
        return [(self.speakers[place], moment) for moment, place in sorted(found)]

    def describe(self) -> str:
        """The world as text, for the message of a failure."""
        lines = []
        for speaker in self.speakers:
            lines.append(f"{speaker.name}: rank {speaker.rank}, {'feed' if speaker.is_feed else 'curated'}")
            for moment in speaker.moments:
                lines.append(f"  read at {short(moment)}")
                for quote in sorted(speaker.readings[moment], key=repr):
                    lines.append(f"    {quote.external_id}: {describe_claim(quote.claim)}")
        return "\n".join(lines)


def short(moment: datetime | None) -> str:
    """A moment in days from the origin, such as ``12.25``."""
    return "-" if moment is None else f"{(moment - ORIGIN) / timedelta(days=1):.12g}"


def describe_claim(claim: Claim) -> str:
    line = claim.line
    cell = "/".join(filter(None, [str(line.above_input_tokens or ""), line.slot, line.layer]))
    until = f"[{short(claim.effective_from)}, {short(claim.effective_until)}) {claim.precision}"
    return f"{cell} = {claim.amount} {claim.currency} {until}"


def random_world(chance: Random, speakers: int = 4) -> World:
    """A world of one to four speakers, some of them orderly, some saying anything at all."""
    count = chance.randint(1, speakers)
    ranks = chance.sample(range(10, 10 + speakers), count)
    people = [_speaker(chance, f"source-{place}", rank) for place, rank in enumerate(ranks)]
    tell(chance, people, [reading_moments(chance) for _ in people])
    return World(people)


def moment(step: int) -> datetime:
    return ORIGIN + step * GRID


def reading_moments(chance: Random) -> list[datetime]:
    """One to eight readings, days or hours apart, often at the same moments as another source's."""
    step, found = chance.randint(0, 60), []
    stride = chance.choice([1, 4, 8, 28])
    for _ in range(chance.randint(1, 8)):
        found.append(moment(step))
        step += max(1, stride * chance.choice([1, 1, 1, 2]) // chance.choice([1, 1, 2]))
    return found


def _speaker(chance: Random, name: str, rank: int) -> Speaker:
    is_feed = chance.random() < 0.85
    return Speaker(name, rank, is_feed, chance.choice(["free", "free", "included"]))


def tell(chance: Random, speakers: list[Speaker], moments: list[list[datetime]]) -> None:
    """Let each speaker say something at each of its moments: of one market that all see, or of its own."""
    truth = Market(chance, max((found for found in moments), key=len)) if chance.random() < 0.5 else None
    for speaker, mine in zip(speakers, moments, strict=True):
        readings: dict[datetime, set[Quote]] = {at: set() for at in mine}
        for external_id in chance.sample(IDS, chance.choice([1, 1, 1, 2, 3])):
            for at, claims in zip(mine, _style(chance, truth)(chance, mine), strict=True):
                readings[at] |= {Quote(external_id, claim) for claim in claims}
        speaker.readings = {at: frozenset(said) for at, said in readings.items()}


Style = Callable[[Random, list[datetime]], Iterator[set[Claim]]]


def _style(chance: Random, truth: Market | None) -> Style:
    if truth is not None and chance.random() < 0.8:
        return chance.choice([truth.seen, truth.seen, truth.dated])
    return chance.choice([_undated, _undated, _dated, _dated, _anything])


class Market:
    """What really happened, as several sources may see it: some only by looking, some with dates."""

    def __init__(self, chance: Random, moments: list[datetime]) -> None:
        self.schedules = {line: _schedule(chance, moments) for line in chance.choice(LAYOUTS)}

    def seen(self, chance: Random, moments: list[datetime]) -> Iterator[set[Claim]]:
        """The prices in force at each reading, by some never looked at again; now and then the document is empty."""
        last_look = chance.choice([None, None, moments[0]])
        for at in moments:
            rows = set() if chance.random() < 0.15 else set(self.schedules)
            look = last_look or at
            found = {line: [a for step, a in self.schedules[line] if moment(step) <= look] for line in rows}
            yield {Claim(line, amounts[-1]) for line, amounts in found.items() if amounts}

    def dated(self, chance: Random, moments: list[datetime]) -> Iterator[set[Claim]]:
        """The schedule as far as it is known at each reading, some moves before they come."""
        lead = chance.choice([0, 0, 20, 200]) * GRID
        for at in moments:
            claims: set[Claim] = set()
            for line, schedule in self.schedules.items():
                known = [(step, amount) for step, amount in schedule if moment(step) <= at + lead]
                claims |= set(_told(chance, line, known)) if known else set()
            yield claims


def _currency(chance: Random) -> str:
    return chance.choice(["USD"] * 12 + ["CNY"])


def _undated(chance: Random, moments: list[datetime]) -> Iterator[set[Claim]]:
    """A price list without dates: amounts move now and then, lines go missing, layouts change."""
    layout = chance.choice(LAYOUTS)
    sheet: dict[Conditions, Claim] = {}
    for _ in moments:
        if chance.random() < 0.15:
            layout = chance.choice(LAYOUTS)
        for line in layout:
            if line not in sheet or chance.random() < 0.3:
                sheet[line] = Claim(line, chance.choice(AMOUNTS), _currency(chance))
        absent = chance.random() < 0.2
        yield set() if absent else {sheet[line] for line in layout if chance.random() < 0.9}


def _dated(chance: Random, moments: list[datetime]) -> Iterator[set[Claim]]:
    """A price history with dates: each line has a schedule, which documents now and then revise."""
    schedules = {line: _schedule(chance, moments) for line in chance.choice(LAYOUTS)}
    for _ in moments:
        for line in list(schedules):
            if chance.random() < 0.3:
                schedules[line] = _revised(chance, schedules[line], moments)
        if chance.random() < 0.15:
            yield set()
        else:
            yield {claim for line, schedule in schedules.items() for claim in _told(chance, line, schedule)}


Schedule = list[tuple[int, Decimal]]


def _schedule(chance: Random, moments: list[datetime]) -> Schedule:
    steps = sorted({_step_near(chance, moments) for _ in range(chance.randint(1, 3))})
    return [(step, chance.choice(AMOUNTS)) for step in steps]


def _step_near(chance: Random, moments: list[datetime]) -> int:
    around = (chance.choice(moments) - ORIGIN) // GRID
    return max(0, around + chance.choice([-40, -8, -2, -1, 0, 0, 1, 2, 8, 40]))


def _revised(chance: Random, schedule: Schedule, moments: list[datetime]) -> Schedule:
    """The schedule with its last price added, dropped, moved or corrected."""
    *kept, (step, amount) = schedule
    what = chance.choice(["add", "drop", "move", "correct"])
    if what == "add":
        revised = [*schedule, (_step_near(chance, moments), chance.choice(AMOUNTS))]
    elif what == "drop" and kept:
        revised = kept
    elif what == "move":
        revised = [*kept, (_step_near(chance, moments), amount)]
    else:
        revised = [*kept, (step, chance.choice(AMOUNTS))]
    return sorted(dict(revised).items())


def _told(chance: Random, line: Conditions, schedule: Schedule) -> Iterator[Claim]:
    """A schedule as claims: the first price may have an open start, the last may have an end."""
    open_start = schedule[0][0] % 3 == 0
    closed_end = schedule[-1][0] % 4 == 0
    steps = [step for step, _ in schedule] + ([schedule[-1][0] + 12] if closed_end else [])
    for place, (step, amount) in enumerate(schedule):
        until = moment(steps[place + 1]) if place + 1 < len(steps) else None
        if place == 0 and open_start:
            yield Claim(line, amount, "USD", None, until, "observed")
        else:
            yield Claim(line, amount, "USD", moment(step), until, ("exact", "day", "month")[step % 3])


def _anything(chance: Random, moments: list[datetime]) -> Iterator[set[Claim]]:
    """Claims without any order: overlapping, contradictory, coming and going."""
    pool = [_any_claim(chance, moments) for _ in range(chance.randint(2, 6))]
    for _ in moments:
        yield {claim for claim in pool if chance.random() < 0.5}


def _any_claim(chance: Random, moments: list[datetime]) -> Claim:
    line = chance.choice((PLAIN, PLAIN, PLAIN, LONG, PEAK, REST, PROMO))
    start = _step_near(chance, moments) if chance.random() < 0.6 else None
    until = None
    if chance.random() < 0.5:
        until = (start if start is not None else _step_near(chance, moments)) + chance.randint(1, 20)
    precision = "observed" if start is None else chance.choice(["exact", "day", "month", "year"])
    return Claim(
        line,
        chance.choice(AMOUNTS),
        _currency(chance),
        None if start is None else moment(start),
        None if until is None else moment(until),
        precision,
    )
