"""What is too strange to count, and what was but a slip: a pure function of all that was said of one tariff.

A source's run that is held, or that was its slip, is read as if the source had gone on saying what it said before.
Nothing is lost: the statement stays, and counts from its own beginning as soon as a second source, its own
persistence or a person speaks for it. Only what a reference says of a line without any date is weighed against what it
said before; a dated claim speaks for itself, within the ceiling of its meter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from pricing.claims import Conditions
from pricing.meters import METERS
from pricing.timeline import INSTANT, Said, Value, Witness, same

LEAP = Decimal(10)
SLIP = timedelta(hours=72)
CORROBORATION = timedelta(days=30)
PERSISTENT_READINGS = 3
PERSISTENT_TIME = timedelta(hours=48)

CEILING, CURRENCY, ZERO, LEAPT, DENIAL = "ceiling", "currency", "zero", "leap", "denial"

# What a unit of a currency is worth, roughly, in how many to the dollar: for the ceilings alone, which are in USD.
_TO_THE_DOLLAR = {"JPY": 150, "KRW": 1400, "INR": 90, "IDR": 16_000, "VND": 26_000, "RUB": 90, "CNY": 8}
_SOME_CURRENCY = 10

# Source, reference, line, amount and currency: what a person releases or refuses, whichever runs say it.
Words = tuple[int, int | None, Conditions, Decimal, str]


@dataclass(frozen=True, slots=True)
class Held:
    """A statement that does not count, and why: ``ceiling, currency, zero, leap`` or ``denial``.

    ``instead`` is what its source is read as saying. ``is_open`` says that the source still says it.
    """

    statement: int
    line: Conditions
    value: Value
    reason: str
    instead: Value | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What counts, as if it had been said so, and what is held."""

    said: list[Said]
    held: list[Held]


def words_of(said: Said) -> Words:
    """What a statement says, whenever it says it."""
    return (said.source, said.reference, said.line, said.value[0], said.value[1])


def judge(said: Sequence[Said], witnesses: Mapping[int, Witness], ruled: Mapping[Words, bool] | None = None) -> Judged:
    """Weigh what was said of one tariff.

    ``ruled`` holds what people released (True) or refused (False). The result does not depend on the order in which
    statements arrived. People and the curated record are never held.
    """
    groups: dict[tuple[int, int | None, Conditions], list[Said]] = {}
    for statement in said:
        groups.setdefault((statement.source, statement.reference, statement.line), []).append(statement)
    judged = Judged([], [])
    for (source, _, _), runs in groups.items():
        witness = witnesses[source]
        if witness.patience == 0:
            judged.said.extend(runs)
        elif len(runs) > 1 and _is_plain(runs):
            _judge_runs(sorted(runs, key=lambda r: r.first_observed_at), said, witness, ruled or {}, judged)
        else:
            _judge_alone(runs, said, witness, ruled or {}, judged)
    return judged


def ceiling_of(meter: str, currency: str) -> Decimal:
    """The largest amount of a meter that is believed without a second voice, in a currency."""
    ceiling = METERS[meter].ceiling if meter in METERS else Decimal(10_000)
    return ceiling if currency in ("USD", "EUR", "GBP") else ceiling * _TO_THE_DOLLAR.get(currency, _SOME_CURRENCY)


def _is_plain(runs: Sequence[Said]) -> bool:
    """Whether the runs are one price after another, without any dates."""
    if any(run.effective_from is not None or run.effective_until is not None for run in runs):
        return False
    ordered = sorted(runs, key=lambda r: r.first_observed_at)
    return all(one.ended_at is not None and one.ended_at <= two.first_observed_at for one, two in pairwise(ordered))


def _judge_alone(
    runs: Iterable[Said], said: Sequence[Said], witness: Witness, ruled: Mapping[Words, bool], judged: Judged
) -> None:
    """Hold what is absurd in itself."""
    for run in runs:
        is_absurd = abs(run.value[0]) > ceiling_of(run.line.meter, run.value[1])
        counts_from = _counts_from(run, CEILING, said, witness, ruled) if is_absurd else run.first_observed_at
        if counts_from is None:
            judged.held.append(_held(run, CEILING, None))
        else:
            judged.said.append(_from_reading(run, counts_from, witness))


def _judge_runs(
    runs: Sequence[Said], said: Sequence[Said], witness: Witness, ruled: Mapping[Words, bool], judged: Judged
) -> None:
    """Go over the prices of one line in the order of time, each beside the last that counted."""
    last: Said | None = None
    for place, run in enumerate(runs):
        following = runs[place + 1] if place + 1 < len(runs) else None
        reason = _strange(last, run)
        if last is not None and _is_slip(last, runs[place - 1], run, following, said, witness):
            judged.said.append(_as_before(run, last))
            continue
        counts_from = _counts_from(run, reason, said, witness, ruled) if reason else run.first_observed_at
        if last is not None and counts_from != run.first_observed_at:
            judged.said.append(replace(_as_before(run, last), ended_at=counts_from or run.ended_at))
        if counts_from is None:
            judged.held.append(_held(run, reason, last))
        else:
            judged.said.append(_from_reading(run, counts_from, witness))
            last = run


def _held(run: Said, reason: str, last: Said | None) -> Held:
    instead = last.value if last is not None else None
    return Held(run.statement, run.line, run.value, reason, instead, run.ended_at is None)


def _as_before(run: Said, last: Said) -> Said:
    return replace(run, value=last.value, statement=last.statement)


def _from_reading(run: Said, reading: datetime, witness: Witness) -> Said:
    """What a run says from one of its readings on."""
    if reading == run.first_observed_at:
        return run
    return replace(run, first_observed_at=reading, absent_before=witness.last_before(reading))


def _strange(last: Said | None, run: Said) -> str:
    """Why a price cannot simply be taken after the last one, or nothing."""
    amount, currency, _ = run.value
    if abs(amount) > ceiling_of(run.line.meter, currency):
        return CEILING
    if last is None:
        return ""
    old, sold_in, _ = last.value
    if currency != sold_in and (old or amount):
        return CURRENCY
    if old and not amount:
        return ZERO
    if old and amount and (amount > old * LEAP or amount * LEAP < old):
        return LEAPT
    return ""


def released_by(run: Said, reason: str, said: Sequence[Said], witness: Witness, ruled: Mapping[Words, bool]) -> str:
    """Who speaks for a statement that would be held: ``person``, ``second source``, ``persistence``, or nobody."""
    ruling = ruled.get(words_of(run))
    if ruling is not None:
        return "person" if ruling else ""
    if _seconded_from(run, said, witness) is not None:
        return "second source"
    return "persistence" if reason == LEAPT and _persists(run, witness) else ""


def _counts_from(
    run: Said, reason: str, said: Sequence[Said], witness: Witness, ruled: Mapping[Words, bool]
) -> datetime | None:
    """The reading from which on a run that would be held counts all the same; None where nobody speaks for it.

    A second source that dates the price later than the first reading of it speaks for the readings since then only.
    """
    released = released_by(run, reason, said, witness, ruled)
    if released != "second source":
        return run.first_observed_at if released else None
    if reason == LEAPT and _persists(run, witness):
        return run.first_observed_at
    return _seconded_from(run, said, witness)


def _seconded_from(run: Said, said: Sequence[Said], witness: Witness) -> datetime | None:
    """The first reading of a run for which another source says the same of the line, then or in the month before."""
    since = run.first_observed_at - CORROBORATION
    begins = min(
        (
            other.effective_from or run.first_observed_at
            for other in said
            if other.source != run.source
            and other.line == run.line
            and same((*other.value[:2], ""), (*run.value[:2], ""))
            and _speaks_for(other, since, run.ended_at)
        ),
        default=None,
    )
    if begins is None or begins <= run.first_observed_at:
        return None if begins is None else run.first_observed_at
    return witness.first_from(begins, run.ended_at)


def _speaks_for(said: Said, since: datetime, until: datetime | None) -> bool:
    """Whether a statement is about any of a time: by its dates where it has some, else while it was said."""
    begins, ends = said.effective_from or said.first_observed_at, said.effective_until or said.ended_at
    if said.effective_from is None and said.effective_until is not None:
        begins = min(begins, said.effective_until - INSTANT)
    return (ends is None or ends > since) and (until is None or begins < until)


def _persists(run: Said, witness: Witness) -> bool:
    return insists(witness, run.first_observed_at, run.ended_at)


def insists(witness: Witness, since: datetime, until: datetime | None = None) -> bool:
    """Whether a source was read three times over two days from a moment on, before another (None: until now)."""
    start = bisect_left(witness.observations, since)
    stop = len(witness.observations) if until is None else bisect_left(witness.observations, until)
    if stop - start < PERSISTENT_READINGS:
        return False
    return witness.observations[stop - 1] - since >= PERSISTENT_TIME


def _is_slip(
    last: Said, before: Said, run: Said, following: Said | None, said: Sequence[Said], witness: Witness
) -> bool:
    """Whether a price went and came straight back, within three days or a document, while nobody else stated it."""
    if following is None or not same(last.value, following.value) or same(last.value, run.value):
        return False
    if before.ended_at != run.first_observed_at or run.ended_at != following.first_observed_at:
        return False
    next_reading = bisect_left(witness.observations, run.first_observed_at) + 1
    one_document = next_reading < len(witness.observations) and witness.observations[next_reading] == run.ended_at
    if not one_document and following.first_observed_at - run.first_observed_at > SLIP:
        return False
    return not any(_states_too(other, run) for other in said)


def _states_too(other: Said, run: Said) -> bool:
    """Whether another source stated the price of a run that ended, for the time of the run."""
    if other.source == run.source or other.line != run.line:
        return False
    return same(other.value, run.value) and _speaks_for(other, run.first_observed_at, run.ended_at)
