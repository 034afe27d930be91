"""A small language for tests of resolution: who read what on which day, and what is believed of it then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from pricing.claims import Claim, Conditions
from pricing.resolution import Ruled, resolve
from pricing.timeline import Said, Segment, Witness
from tests.pricing import oracle
from tests.pricing.run_store import RunStore
from tests.pricing.worlds import ORIGIN, PLAIN, Quote, Speaker, World, short

History = dict[Conditions, list[oracle.Row]]
Told = tuple[float, float | None, str, str, float | None]


def day(number: float) -> datetime:
    """A moment so many days after the origin of all tests."""
    return ORIGIN + timedelta(days=number)


def price(
    amount: str,
    line: Conditions = PLAIN,
    *,
    since: float | None = None,
    until: float | None = None,
    precision: str | None = None,
    external_id: str = "model",
    currency: str = "USD",
) -> Quote:
    """One claim of a document, dated where ``since`` or ``until`` say so."""
    start = None if since is None else day(since)
    end = None if until is None else day(until)
    known = precision or ("observed" if since is None else "exact")
    return Quote(external_id, Claim(line, Decimal(amount), currency, start, end, known))


def feed(name: str, rank: int, readings: dict[float, Sequence[Quote]], zero_means: str = "free") -> Speaker:
    """A feed read on some days, each time saying all this."""
    return Speaker(name, rank, True, zero_means, {day(at): frozenset(said) for at, said in readings.items()})


def record(name: str, rank: int, readings: dict[float, Sequence[Quote]]) -> Speaker:
    """A curated record: what it no longer says it has taken back."""
    return Speaker(name, rank, False, "free", {day(at): frozenset(said) for at, said in readings.items()})


def believe(*speakers: Speaker, ruled: Collection[Ruled] = ()) -> dict[Conditions, list[Told]]:
    """What resolution makes of it, per line, in days: start, end, amount, precision, observed after."""
    world = World(list(speakers))
    history = segments(world, world.arrivals(), Random(0), ruled)
    return {line: [_told(segment) for segment in found] for line, found in history.items()}


def _told(segment: Segment) -> Told:
    amount = f"{segment.value[0]}" + ("" if segment.value[1] == "USD" else f" {segment.value[1]}")
    return (_days(segment.start), _ends(segment.end), amount, segment.precision, _ends(segment.observed_after))


def _days(moment: datetime) -> float:
    return (moment - ORIGIN) / timedelta(days=1)


def _ends(moment: datetime | None) -> float | None:
    return None if moment is None else _days(moment)


def resolved(world: World, arrivals: Iterable[tuple[Speaker, datetime]], chance: Random) -> History:
    """What the core makes of a world whose readings arrive in this order, as rows."""
    history = segments(world, arrivals, chance)
    return {
        line: [oracle.Row(s.start, s.end, s.value, s.precision, s.observed_after) for s in found]
        for line, found in history.items()
    }


def segments(
    world: World, arrivals: Iterable[tuple[Speaker, datetime]], chance: Random, ruled: Collection[Ruled] = ()
) -> dict[Conditions, list[Segment]]:
    """What the core makes of a world whose readings arrive in this order."""
    stores = {speaker.name: RunStore() for speaker in world.speakers}
    for speaker, at in arrivals:
        stores[speaker.name].read(at, speaker.readings[at])
    ids: dict[tuple[str, str], int] = {}
    said = [run for speaker in world.speakers for run in _said(world, speaker, stores[speaker.name], ids)]
    chance.shuffle(said)
    specificity = {pk: (text.count("/"), len(text), text) for (_, text), pk in ids.items()}
    return resolve(said, list(ruled), _witnesses(world, stores), specificity)


def _said(world: World, speaker: Speaker, store: RunStore, ids: dict[tuple[str, str], int]) -> Iterable[Said]:
    place = world.speakers.index(speaker)
    for number, kept in store.kept.items():
        quote = kept.key
        assert isinstance(quote, Quote)
        claim = quote.claim
        yield Said(
            statement=place * 1000 + number,
            source=place,
            reference=ids.setdefault((speaker.name, quote.external_id), len(ids) + 1),
            line=claim.line,
            value=(claim.amount, claim.currency, "" if claim.amount else speaker.zero_means),
            effective_from=claim.effective_from,
            effective_until=claim.effective_until,
            precision=claim.precision,
            first_observed_at=kept.first,
            absent_before=kept.absent_before,
            ended_at=kept.ended,
        )


def _witnesses(world: World, stores: dict[str, RunStore]) -> dict[int, Witness]:
    found = {}
    for place, speaker in enumerate(world.speakers):
        if speaker.is_feed:
            found[place] = Witness(place, speaker.rank, stores[speaker.name].moments)
        else:
            found[place] = Witness(place, speaker.rank, (), patience=0)
    return found


def difference(name: str, world: World, found: History, expected: History) -> str:
    """All that is needed to see what went wrong."""
    parts = [name, world.describe()]
    for line in sorted({*found, *expected}):
        if found.get(line) != expected.get(line):
            parts += [
                str(line),
                "  ledger:",
                *_shown(found.get(line, [])),
                "  oracle:",
                *_shown(expected.get(line, [])),
            ]
    return "\n".join(parts)


def _shown(rows: list[oracle.Row]) -> list[str]:
    found = []
    for start, end, value, precision, after in map(astuple, rows):
        found.append(f"    [{short(start)}, {short(end)}) {value[0]} {value[1]} {value[2]} {precision} {short(after)}")
    return found
