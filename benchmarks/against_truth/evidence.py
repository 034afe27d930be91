"""What the ledger holds behind its prices: who said what and when, what is believed, and which rows were refused."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from benchmarks.against_truth.doubts import Doubts, read_doubts
from feeds.models import Refresh
from feeds.sellers import Sellers
from pricing.belief import LINE_COLUMNS
from pricing.claims import Conditions, Tariff
from pricing.models import Observation, Price, Reference, Source, Statement

PATIENCE = 3
SLIP = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class KnownId:
    """One id of the source, and the offering it is a reference of."""

    reference: int
    offering: int
    provider: str
    external_id: str

    @property
    def place(self) -> tuple[int, int, str]:
        """Of one source's ids the one with more parts speaks first, then the longer one."""
        return (-self.external_id.count("/"), -len(self.external_id), f"{self.external_id} {self.provider}")

    def __str__(self) -> str:
        return f"{self.provider} {self.external_id}"


@dataclass(frozen=True, slots=True)
class Run:
    """One amount that an id stated for a line, from its first reading to the first without it."""

    amount: Decimal
    first: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Word:
    """What an id says of a line at a moment; ``missed`` readings since it last did, 0 while it does."""

    amount: Decimal
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Slip:
    """An amount that an id stated by mistake, and the one that it stated before and after."""

    amount: Decimal
    instead: Decimal


@dataclass(slots=True)
class Evidence:
    """Statements, believed prices, readings and refusals of one source, read once."""

    source: Source
    readings: list[datetime]
    doubts: Doubts
    ids: dict[tuple[str, str], KnownId]
    by_offering: dict[int, list[KnownId]]
    runs: dict[tuple[int, Conditions], list[Run]] = field(default_factory=lambda: defaultdict(list))
    lines: dict[tuple[int, Tariff], set[Conditions]] = field(default_factory=lambda: defaultdict(set))
    prices: dict[tuple[int, Conditions], list[tuple[datetime, datetime | None, Decimal]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    rejections: dict[str, dict[tuple[str, str], str]] = field(default_factory=lambda: defaultdict(dict))
    unrecognised: dict[str, dict[str, int]] = field(default_factory=dict)

    def word(self, known: KnownId, line: Conditions, moment: datetime) -> Word | None:
        """What an id says of a line, its silence forgiven for fewer than three readings."""
        said = [run for run in self.runs.get((known.reference, line), ()) if run.first <= moment]
        if not said:
            return None
        last = max(said, key=lambda run: run.first)
        if last.ended is None or moment < last.ended:
            return Word(last.amount)
        missed = self._missed_in_a_row(known, line, last.ended)
        return Word(last.amount, missed) if missed < PATIENCE else None

    def states(self, known: KnownId, tariff: Tariff, moment: datetime) -> bool:
        """Whether an id states any line of a tariff at a moment."""
        lines = self.lines.get((known.reference, tariff), ())
        return any(self.word(known, line, moment) is not None for line in lines)

    def speaker(self, offering: int, tariff: Tariff, moment: datetime) -> KnownId | None:
        """The id of the source that sets a tariff at a moment: the most specific of those that state it."""
        present = [known for known in self.by_offering[offering] if self.states(known, tariff, moment)]
        return min(present, key=lambda known: known.place, default=None)

    def believed(self, offering: int, line: Conditions, moment: datetime) -> Decimal | None:
        """The price that the ledger now believes was in force at a moment."""
        rows = self.prices.get((offering, line), ())
        return next((amount for start, end, amount in rows if start <= moment and (end is None or moment < end)), None)

    def returned(self, known: KnownId, line: Conditions, moment: datetime) -> datetime | None:
        """When an id states a line for the first time after a moment."""
        return min(
            (run.first for run in self.runs.get((known.reference, line), ()) if run.first > moment), default=None
        )

    def moved_elsewhere(self, known: KnownId, line: Conditions, at: datetime) -> KnownId | None:
        """The same id under another provider, where the line's run of one ends as the other's begins, at one price."""
        for other in self.ids.values():
            if other.external_id == known.external_id and other.provider != known.provider:
                for mine in self.runs.get((known.reference, line), ()):
                    if any(_relays(mine, theirs, at) for theirs in self.runs.get((other.reference, line), ())):
                        return other
        return None

    def goes_on_as(self, one: KnownId, other: KnownId, line: Conditions, at: datetime) -> bool:
        """Whether an id was said of a line for the last time just before a reading, and another since it."""
        mine, theirs = self.runs.get((one.reference, line), ()), self.runs.get((other.reference, line), ())
        if not mine or not theirs:
            return False
        return _ends(mine) == at == min(run.first for run in theirs)

    def slip(self, known: KnownId, line: Conditions, moment: datetime) -> Slip | None:
        """What an id said at a moment, where it went there from a price and came straight back to it."""
        runs = sorted(self.runs.get((known.reference, line), ()), key=lambda run: run.first)
        for before, run, after in zip(runs, runs[1:], runs[2:], strict=False):
            if run.first <= moment < after.first and (before.ended, run.ended) == (run.first, after.first):
                return Slip(run.amount, before.amount) if self._came_straight_back(before, run, after) else None
        return None

    def _came_straight_back(self, before: Run, run: Run, after: Run) -> bool:
        read_once = bisect_left(self.readings, after.first) - bisect_left(self.readings, run.first) == 1
        return before.amount == after.amount and (read_once or after.first - run.first <= SLIP)

    def refusal(self, provider: str, model: str, date: str) -> str | None:
        """Why the refresh of a date rejected a row, by its own word; None where it took it or never met it."""
        refused = self.rejections.get(date, {})
        # A row whose provider cannot be read is refused without one, and a provider without its models.
        places = ((provider, model), ("", model), (provider, ""))
        return next((refused[place] for place in places if place in refused), None)

    def _missed_in_a_row(self, known: KnownId, line: Conditions, since: datetime) -> int:
        later = [run.first for run in self.runs[known.reference, line] if run.first >= since]
        stop = bisect_left(self.readings, min(later)) if later else len(self.readings)
        return stop - bisect_left(self.readings, since)


def _ends(runs: list[Run]) -> datetime | None:
    """When the last of an id's runs ended; None while one goes on."""
    ends = [run.ended for run in runs]
    return None if None in ends else max(end for end in ends if end is not None)


def _relays(one: Run, other: Run, at: datetime) -> bool:
    """Whether one of two runs at one price ends at a moment and the other begins."""
    meet = at in (one.ended, other.ended) and at in (one.first, other.first)
    return meet and one.amount == other.amount


class Zeros:
    """What a zero means in each listing of a source."""

    def __init__(self, source: Source) -> None:
        self._sellers = Sellers(source)

    def is_unknown(self, provider: str, external_id: str) -> bool:
        """Whether a price of 0 on this id says nothing."""
        return self._sellers.find(provider).zero_means(external_id) == "unknown"


def gather(slug: str) -> Evidence:
    """Read the evidence of a source."""
    source = Source.objects.get(slug=slug)
    readings = Observation.objects.filter(source=source).order_by("observed_at").values_list("observed_at", flat=True)
    evidence = Evidence(source, list(readings), read_doubts(source), *_ids(source))
    _read_runs(evidence)
    _read_prices(evidence)
    _read_refreshes(evidence)
    return evidence


def _ids(source: Source) -> tuple[dict[tuple[str, str], KnownId], dict[int, list[KnownId]]]:
    ids: dict[tuple[str, str], KnownId] = {}
    by_offering: dict[int, list[KnownId]] = defaultdict(list)
    for row in Reference.objects.filter(source=source).select_related("offering"):
        offering = row.offering.merged_into_id or row.offering_id
        ids[row.provider, row.external_id] = known = KnownId(row.pk, offering, row.provider, row.external_id)
        by_offering[offering].append(known)
    return ids, by_offering


def _read_runs(evidence: Evidence) -> None:
    rows = Statement.objects.filter(source=evidence.source, reference__isnull=False)
    columns = [f"line__{name}" for name in LINE_COLUMNS]
    for reference, amount, first, ended, *cell in rows.values_list(
        "reference_id", "amount", "first_observed_at", "ended_at", *columns
    ).iterator():
        if first == ended:
            # No reading holds it any more, since readings were told anew.
            continue
        line = Conditions(*cell)
        evidence.runs[reference, line].append(Run(amount, first, ended))
        evidence.lines[reference, line.tariff].add(line)


def _read_prices(evidence: Evidence) -> None:
    rows = Price.objects.filter(known_until__isnull=True)
    columns = [f"line__{name}" for name in LINE_COLUMNS]
    for offering, start, end, amount, *cell in rows.values_list(
        "line__offering_id", "effective_from", "effective_until", "amount", *columns
    ).iterator():
        evidence.prices[offering, Conditions(*cell)].append((start, end, amount))


def _read_refreshes(evidence: Evidence) -> None:
    for refresh in Refresh.objects.filter(feed__source=evidence.source, observed_at__isnull=False):
        assert refresh.observed_at is not None
        date = refresh.observed_at.date().isoformat()
        evidence.unrecognised[date] = refresh.unrecognised
        for refused in refresh.rejections:
            evidence.rejections[date][refused["provider"], refused["model"]] = refused["reason"]
