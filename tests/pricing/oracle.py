"""The rules of resolution once more, slowly: every reading is replayed on a row of cells, one per piece of time.

Nothing of the ledger is used here. Time is cut at every moment that any reading or date names; a
price is a run of cells; rules are evaluated cell by cell from the readings themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from pricing.claims import Claim, Conditions
from tests.pricing.naive_scruples import judged
from tests.pricing.worlds import Quote, Speaker, Words, World

TICK = timedelta(microseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)
PRECISE = ("exact", "day", "month", "year")
Value = tuple[Decimal, str, str]


@dataclass(frozen=True)
class Row:
    """One believed price, as the ledger's table would show it."""

    start: datetime
    end: datetime | None
    value: Value
    precision: str
    observed_after: datetime | None


@dataclass(frozen=True)
class Label:
    """What a cell holds: a price, the cell where it began, and how well that beginning is known."""

    value: Value
    begins: int
    precision: str
    after: datetime | None
    dated: bool


@dataclass(frozen=True)
class Stretch:
    """Neighbouring cells with one label."""

    label: Label
    first: int
    stop: int
    open_ended: bool

    @property
    def after(self) -> datetime | None:
        """What resumes after an interruption has no window of its own."""
        return self.label.after if self.label.begins == self.first else None


def alike(one: Value, other: Value) -> bool:
    if one[1:] != other[1:]:
        return False
    return abs(one[0] - other[0]) <= Decimal("0.000001") * max(abs(one[0]), abs(other[0]))


def all_moments(world: World) -> list[datetime]:
    """Every moment at which anything may begin or end."""
    found: set[datetime] = set()
    for speaker in world.speakers:
        for at, said in speaker.readings.items():
            found.add(at)
            for quote in said:
                claim = quote.claim
                found |= {moment for moment in (claim.effective_from, claim.effective_until) if moment is not None}
                if claim.effective_from is None and claim.effective_until is not None:
                    found.add(claim.effective_until - TICK)
    return sorted(found)


class Replay:
    """What one id of one source says of one line, from its readings replayed in the order of time."""

    def __init__(self, times: list[datetime], speaker: Speaker, external_id: str, line: Conditions) -> None:
        self.times, self.speaker = times, speaker
        self.place = {moment: index for index, moment in enumerate(times)}
        self.cells: list[Label | None] = [None] * len(times)
        self.unending = [False] * len(times)
        mine = {at: [q for q in said if q.external_id == external_id] for at, said in speaker.readings.items()}
        self.claims = {at: {q.claim for q in said if q.claim.line == line} for at, said in mine.items()}
        self.arrivals = first_readings(mine)
        self.arrivals.pop(line, None)
        self._replay()

    def _replay(self) -> None:
        began: dict[Claim, tuple[datetime, datetime | None]] = {}
        previous: datetime | None = None
        last_stated: datetime | None = None
        missing: list[datetime] = []
        for at in sorted(self.claims):
            claims = self.claims[at]
            says_anew = claims != began.keys()
            if claims and previous is not None and self.speaker.is_feed:
                self._unannounce(previous, at)
            began = {claim: began.get(claim, (at, previous)) for claim in claims}
            previous = at
            if claims:
                if says_anew:
                    self._speak(at, began, last_stated)
                last_stated, missing = at, []
            elif last_stated is not None:
                missing.append(at)
                if self._gone(missing):
                    self._blank(missing[0])

    def _gone(self, missing: list[datetime]) -> bool:
        """Three readings over two days lack the line, or another line came in its place, or people removed it."""
        if not self.speaker.is_feed or missing[0] in self.arrivals.values():
            return True
        return len(missing) >= 3 and missing[-1] - missing[0] >= timedelta(hours=48)

    def _blank(self, since: datetime) -> None:
        for index in range(self.place[since], len(self.times)):
            self.cells[index] = None

    def _speak(
        self, at: datetime, began: dict[Claim, tuple[datetime, datetime | None]], last_stated: datetime | None
    ) -> None:
        goes_on = self.cells[self.place[at]] is not None
        self._blank(at)
        self._end_earlier(at)
        for claim in sorted(began, key=lambda c: self._order(c, began[c][0])):
            _, absent_before = began[claim]
            seen = last_stated if self.speaker.is_feed else None
            if claim.effective_from is not None:
                self._paint(claim, claim.effective_from, claim.precision, None, True)
            elif claim.effective_until is None or claim.effective_until > at:
                self._paint(claim, at, "observed", seen if goes_on else absent_before, False)
            else:
                self._join()
                self._past_end(claim, claim.effective_until)
        self._join()

    def _unannounce(self, previous: datetime, at: datetime) -> None:
        """A date between two readings, of which the second knows nothing, never came."""
        for stretch in list(self.stretches()):
            begins, value = self.times[stretch.first], stretch.label.value
            if not stretch.label.dated or not previous < begins <= at:
                continue
            told = [c for c in self.claims[at] if alike(self._value(c), value)]
            told = [c for c in told if c.effective_from is None or c.effective_from <= begins]
            if any(begins < (c.effective_until or NEVER) for c in told):
                continue
            for index in range(stretch.first, stretch.stop):
                self.cells[index] = self.cells[index - 1] if index else None

    def _end_earlier(self, at: datetime) -> None:
        """After the last end that a reading gives to a price without a beginning, that price was not in force."""
        undated = [claim for claim in self.claims[at] if claim.effective_from is None]
        for claim in undated:
            value = self._value(claim)
            last = max(c.effective_until or NEVER for c in undated if alike(self._value(c), value))
            for index, moment in enumerate(self.times):
                cell = self.cells[index]
                if last <= moment < at and cell is not None and alike(cell.value, value):
                    self.cells[index] = None

    def _order(self, claim: Claim, first: datetime) -> tuple[object, ...]:
        """A later beginning lies over an earlier one; the rest only makes the order total."""
        start, end = claim.effective_from or first, claim.effective_until or NEVER
        return (start, end, claim.amount, claim.currency, claim.precision)

    def _value(self, claim: Claim) -> Value:
        return (claim.amount, claim.currency, self.speaker.means(claim))

    def _paint(self, claim: Claim, start: datetime, precision: str, after: datetime | None, dated: bool) -> None:
        first = self.place[start]
        stop = len(self.times) if claim.effective_until is None else self.place[claim.effective_until]
        label = Label(self._value(claim), first, precision, after, dated)
        for index in range(first, stop):
            self.cells[index] = label
            self.unending[index] = claim.effective_until is None

    def _past_end(self, claim: Claim, end: datetime) -> None:
        """A past price without a beginning was in force just before its end."""
        last = self.place[end - TICK]
        covering = next((s for s in self.stretches() if s.first <= last < s.stop), None)
        if covering is not None and alike(covering.label.value, self._value(claim)):
            return
        before = self.cells[covering.first - 1] if covering is not None and covering.first else None
        if covering is not None and before is not None and alike(before.value, self._value(claim)):
            first, label = covering.first, before
        else:
            first, label = last, Label(self._value(claim), last, "unknown", None, False)
        for index in range(first, self.place[end]):
            self.cells[index] = label

    def _join(self) -> None:
        for index in range(1, len(self.cells)):
            before, here = self.cells[index - 1], self.cells[index]
            if before is not None and here is not None and alike(before.value, here.value):
                self.cells[index] = before

    def stretches(self) -> Iterator[Stretch]:
        index, count = 0, len(self.cells)
        while index < count:
            label, first = self.cells[index], index
            while index < count and self.cells[index] == label:
                index += 1
            if label is not None:
                yield Stretch(label, first, index, index == count and self.unending[-1])


def first_readings(readings: dict[datetime, list[Quote]]) -> dict[Conditions, datetime]:
    """The first reading that states each line."""
    found: dict[Conditions, datetime] = {}
    for at in sorted(readings):
        for quote in readings[at]:
            found.setdefault(quote.claim.line, at)
    return found


class Voice:
    """One id of one source, cell by cell."""

    def __init__(self, times: list[datetime], speaker: Speaker, external_id: str) -> None:
        self.times, self.speaker, self.external_id = times, speaker, external_id
        said = [q for quotes in speaker.readings.values() for q in quotes if q.external_id == external_id]
        self.lines: dict[Conditions, list[Stretch | None]] = {}
        for line in {quote.claim.line for quote in said}:
            cells: list[Stretch | None] = [None] * len(times)
            for stretch in Replay(times, speaker, external_id, line).stretches():
                cells[stretch.first : stretch.stop] = [stretch] * (stretch.stop - stretch.first)
            self.lines[line] = cells

    @property
    def order(self) -> tuple[int, int, int, str]:
        return (self.speaker.rank, -self.external_id.count("/"), -len(self.external_id), self.external_id)

    def sheet(self, index: int) -> dict[Conditions, Stretch]:
        if index < 0:
            return {}
        return {line: found for line, cells in self.lines.items() if (found := cells[index]) is not None}

    def had_begun(self, index: int) -> bool:
        return not self.speaker.is_feed or min(self.speaker.readings) <= self.times[index]

    def only_presumes(self, index: int) -> bool:
        """Whether nothing but its habit speaks for what it says of a moment: no three readings over two days."""
        later = [at for at in sorted(self.speaker.readings) if at >= self.times[index]]
        insists = len(later) >= 3 and later[-1] - self.times[index] >= timedelta(hours=48)
        if self.speaker.is_person or (self.speaker.is_feed and insists):
            return False
        if not self.speaker.is_feed and self._was_edited(since=self.times[index]):
            return False
        return all(stretch.open_ended for stretch in self.sheet(index).values())

    def _was_edited(self, since: datetime) -> bool:
        """Whether a reading since a moment says anything else than the one before it."""
        readings = sorted(self.speaker.readings.items())
        mine = [(at, {q for q in said if q.external_id == self.external_id}) for at, said in readings]
        return any(
            at >= since and said != before for (_, before), (at, said) in pairwise([(since, set[Quote]()), *mine])
        )

    def dates_a_move(self, index: int) -> bool:
        return any(s.label.dated and s.first == index for s in self.sheet(index).values())

    def moves(self, index: int) -> bool:
        return any(s.first == index for s in self.sheet(index).values())


def agree(first: dict[Conditions, Stretch], other: dict[Conditions, Stretch]) -> bool:
    shared = first.keys() & other.keys()
    same = all(alike(first[line].label.value, other[line].label.value) for line in shared)
    return (bool(shared) and same) or is_part_of(first, other)


def is_part_of(flat: dict[Conditions, Stretch], finer: dict[Conditions, Stretch]) -> bool:
    """Whether a flat sheet is one slot of a finer one, or its promotion."""
    if any(line.slot or line.layer != "list" for line in flat):
        return False
    coats = {(line.slot, line.layer) for line in finer if line.slot or line.layer == "promo"}
    for slot, layer in coats:
        partners = [(s, finer.get(replace(line, slot=slot, layer=layer))) for line, s in flat.items()]
        if all(p is not None and alike(s.label.value, p.label.value) for s, p in partners):
            return True
    return False


def believed(world: World) -> dict[Conditions, list[Row]]:
    """The whole effective history of every line."""
    world = judged(world)
    times = all_moments(world)
    pairs = [(speaker, external_id) for speaker in world.speakers for external_id in speaker.ids]
    voices = sorted((Voice(times, *pair) for pair in pairs), key=lambda voice: voice.order)
    rows: dict[Conditions, list[Row]] = {}
    announcer: Voice | None = None
    passed: list[Voice] = []
    before: Voice | None = None
    for index in range(len(times)):
        present = [voice for voice in voices if voice.sheet(index)]
        present.sort(key=lambda voice: not voice.had_begun(index))
        if announcer not in present:
            feeds = [voice for voice in present if not voice.speaker.is_person]
            announcer = next_announcer(feeds, index, world.rulings)
            passed = feeds[: feeds.index(announcer) + 1] if announcer is not None else []
        leads = announcer is not None and present[0] in passed
        speaker = announcer if leads else first_to_speak(present, index)
        if speaker is not None:
            steps = before not in (None, speaker) and not speaker.sheet(index - 1)
            for line, stretch in speaker.sheet(index).items():
                add(rows.setdefault(line, []), stretch, index, times, steps)
        before = speaker
    for line, found in rows.items():
        refine(found, line, voices, times)
    return rows


def first_to_speak(present: list[Voice], index: int) -> Voice | None:
    if present and present[0].speaker.is_person:
        return present[0]
    for voice in present[1:]:
        other_source = voice.speaker is not present[0].speaker
        if other_source and is_part_of(present[0].sheet(index), voice.sheet(index)):
            return voice
    return present[0] if present else None


def next_announcer(present: list[Voice], index: int, rulings: dict[Words, bool]) -> Voice | None:
    """Who has announced a move for this moment, of which nobody before them in the order can know better."""
    if not present or not cannot_deny(present[0], index, rulings):
        return None
    is_record = not present[0].speaker.is_feed
    others = [voice for voice in present[1:] if voice.speaker is not present[0].speaker]
    for place, voice in enumerate(others):
        moves = voice.dates_a_move(index) or (is_record and place == 0 and voice.moves(index))
        if moves and agree(present[0].sheet(index), voice.sheet(index - 1)):
            return voice
        if not voice.only_presumes(index):
            return None
    return None


def cannot_deny(voice: Voice, index: int, rulings: dict[Words, bool]) -> bool:
    """Whether another may have announced a move that this voice lacks: people may have ruled on what it still says."""
    sheet = voice.sheet(index)
    words = [(voice.speaker.name, voice.external_id, line, *s.label.value[:2]) for line, s in sheet.items()]
    ruled = [rulings[each] for each in words if each in rulings]
    if ruled and voice.speaker.is_feed and max(voice.speaker.readings) >= voice.times[index]:
        return not any(ruled) and all(stretch.open_ended for stretch in sheet.values())
    return voice.only_presumes(index)


def add(rows: list[Row], stretch: Stretch, index: int, times: list[datetime], other_witness: bool) -> None:
    start, end = times[index], times[index + 1] if index + 1 < len(times) else None
    last = rows[-1] if rows else None
    if last is not None and last.end == start and alike(last.value, stretch.label.value):
        rows[-1] = replace(last, end=end)
    elif stretch.first == index:
        after = None if other_witness else stretch.after
        rows.append(Row(start, end, stretch.label.value, stretch.label.precision, after))
    else:
        rows.append(Row(start, end, stretch.label.value, "observed", None))


def refine(rows: list[Row], line: Conditions, voices: list[Voice], times: list[datetime]) -> None:
    """An observed move takes the date that somebody gives the same move, inside the window in which it happened."""
    for place in range(1, len(rows)):
        old, new = rows[place - 1], rows[place]
        if old.end != new.start or new.precision != "observed" or new.observed_after is None:
            continue
        dates = []
        for rank, voice in enumerate(voices):
            cells = voice.lines.get(line, [])
            for index in range(1, len(cells)):
                before, after = cells[index - 1], cells[index]
                if after is None or after.first != index or not after.label.dated:
                    continue
                inside = new.observed_after < times[index] <= new.start and old.start < times[index]
                same = alike(after.label.value, new.value)
                same = same and (before is None or alike(before.label.value, old.value))
                if inside and same and after.label.precision in PRECISE:
                    dates.append((PRECISE.index(after.label.precision), times[index], rank, after.label.precision))
        if dates:
            _, moment, _, precision = min(dates)
            rows[place - 1] = replace(old, end=moment)
            rows[place] = replace(new, start=moment, precision=precision, observed_after=None)
