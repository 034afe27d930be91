"""The rules of holds and slips once more, slowly: each reading of a world is gone over in turn, and what must not count
is replaced by what counted last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from pricing.claims import Claim, Conditions
from tests.pricing.worlds import Quote, Speaker, World

NEVER = datetime.max.replace(tzinfo=UTC)
CEILINGS = {"USD": 10_000, "CNY": 80_000}


@dataclass
class Stretch:
    """Readings in a row in which one id states one and the same claim of a line."""

    claim: Claim
    moments: list[datetime]
    end: datetime


def judged(world: World) -> World:
    """The world as it is to be believed: slips and what is held are not said in it."""
    heard = [_judged(speaker, world) if speaker.is_feed else speaker for speaker in world.speakers]
    return World(heard, world.rulings)


def _judged(speaker: Speaker, world: World) -> Speaker:
    readings = {at: set(said) for at, said in speaker.readings.items()}
    for external_id in speaker.ids:
        for line in {q.claim.line for said in speaker.readings.values() for q in said if q.external_id == external_id}:
            for at, old, new in _replacements(speaker, external_id, line, world):
                readings[at].discard(Quote(external_id, old))
                if new is not None:
                    readings[at].add(Quote(external_id, new))
    return replace(speaker, readings={at: frozenset(said) for at, said in readings.items()})


def stretches(speaker: Speaker, external_id: str, line: Conditions) -> list[Stretch]:
    found: list[Stretch] = []
    open_now: list[Stretch] = []
    for at in speaker.moments:
        said = {q.claim for q in speaker.readings[at] if q.external_id == external_id and q.claim.line == line}
        for each in open_now:
            if each.claim in said:
                each.moments.append(at)
            else:
                each.end = at
        kept = {each.claim for each in open_now if each.end == NEVER}
        open_now = [each for each in open_now if each.end == NEVER]
        for claim in said - kept:
            open_now.append(Stretch(claim, [at], NEVER))
            found.append(open_now[-1])
    return sorted(found, key=lambda s: s.moments[0])


def _replacements(
    speaker: Speaker, external_id: str, line: Conditions, world: World
) -> list[tuple[datetime, Claim, Claim | None]]:
    found = stretches(speaker, external_id, line)
    dated = any(s.claim.effective_from or s.claim.effective_until for s in found)
    together = any(s.end > t.moments[0] for s, t in pairwise(found))
    result: list[tuple[datetime, Claim, Claim | None]] = []
    counted: Stretch | None = None
    for place, here in enumerate(found):
        if dated or together or len(found) == 1:
            result += [(at, here.claim, None) for at in _waiting(None, here, speaker, external_id, line, world)]
            continue
        slip = counted is not None and _slipped(counted, found, place, speaker, line, world)
        waiting = here.moments if slip else _waiting(counted, here, speaker, external_id, line, world)
        result += [(at, here.claim, counted.claim if counted else None) for at in waiting]
        if len(waiting) < len(here.moments):
            counted = here
    return result


def _waiting(
    counted: Stretch | None, here: Stretch, speaker: Speaker, external_id: str, line: Conditions, world: World
) -> list[datetime]:
    """The readings of a price that must wait for somebody to speak for it."""
    is_strange, may_repeat = _strange(counted.claim if counted else None, here.claim)
    if not is_strange:
        return []
    ruling = world.rulings.get((speaker.name, external_id, line, here.claim.amount, here.claim.currency))
    if ruling is not None:
        return [] if ruling else here.moments
    repeated = len(here.moments) >= 3 and here.moments[-1] - here.moments[0] >= timedelta(days=2)
    if may_repeat and repeated:
        return []
    supports = [each.claim.effective_from for each in _seconds(here, speaker, line, world)]
    return [at for at in here.moments if not any(begins is None or begins <= at for begins in supports)]


def _strange(old: Claim | None, new: Claim) -> tuple[bool, bool]:
    """Whether a price is too strange to be taken after another, and whether its source may insist on it."""
    if new.amount > CEILINGS[new.currency]:
        return True, False
    if old is None or (not old.amount and not new.amount):
        return False, False
    if old.currency != new.currency or (old.amount > 0 and new.amount == 0):
        return True, False
    is_small = min(old.amount, new.amount) <= 0 or max(old.amount, new.amount) <= 10 * min(old.amount, new.amount)
    return not is_small, True


def _slipped(
    counted: Stretch, found: list[Stretch], place: int, speaker: Speaker, line: Conditions, world: World
) -> bool:
    if place + 1 == len(found):
        return False
    before, here, after = found[place - 1], found[place], found[place + 1]
    meaning = speaker.zero_means
    if not alike(counted.claim, after.claim, meaning, meaning) or alike(counted.claim, here.claim, meaning, meaning):
        return False
    if before.end != here.moments[0] or here.end != after.moments[0]:
        return False
    if len(here.moments) > 1 and here.end - here.moments[0] > timedelta(hours=72):
        return False
    return not any(
        alike(other.claim, here.claim, other.claim.zero_means or who.zero_means, meaning)
        and is_about(other, here.moments[0], here.end)
        for who, other in _others(speaker, line, world)
    )


def _seconds(here: Stretch, speaker: Speaker, line: Conditions, world: World) -> list[Stretch]:
    since = here.moments[0] - timedelta(days=30)
    return [
        other
        for _, other in _others(speaker, line, world)
        if alike(other.claim, here.claim, "", "") and is_about(other, since, here.end)
    ]


def is_about(stretch: Stretch, since: datetime, until: datetime) -> bool:
    """Whether what was said is about any of a time: what is dated is about its dates, whenever it was said."""
    claim = stretch.claim
    first = claim.effective_from or stretch.moments[0]
    if claim.effective_from is None and claim.effective_until is not None:
        first = min(first, claim.effective_until - timedelta(microseconds=1))
    return first < until and (claim.effective_until or stretch.end) > since


def _others(speaker: Speaker, line: Conditions, world: World) -> list[tuple[Speaker, Stretch]]:
    return [
        (who, stretch)
        for who in world.speakers
        if who is not speaker
        for external_id in who.ids
        for stretch in stretches(who, external_id, line)
    ]


def alike(one: Claim, other: Claim, meaning: str, other_meaning: str) -> bool:
    if (one.amount, one.currency) == (other.amount, other.currency):
        return bool(one.amount) or meaning == other_meaning
    if one.currency != other.currency or (not one.amount and meaning) or (not other.amount and other_meaning):
        return False
    return abs(one.amount - other.amount) <= Decimal("0.000001") * max(abs(one.amount), abs(other.amount))
