"""What is believed of one tariff: a pure function of all that was said and ruled about it.

The unit of precedence is the tariff, so that the sheet is one that somebody sells: at each moment
one reference of one source sets it whole. ``resolve`` does not depend on the order in which
statements arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from pricing.claims import LIST_LAYER, Conditions
from pricing.scruples import DENIAL, Held, Words, ceiling_of, judge
from pricing.timeline import INSTANT, Said, Segment, Timeline, Value, Witness, same, shown_from_the_first
from pricing.voices import Sheet, Spoken, Voice, voices_of

_PRECISE = {"exact": 0, "day": 1, "month": 2, "year": 3}


@dataclass(frozen=True, slots=True)
class Ruled:
    """A person's ruling on one line (``pin``) or on the whole tariff (``withdraw``)."""

    decision: int
    kind: str
    line: Conditions | None
    value: Value | None
    effective_from: datetime
    effective_until: datetime | None
    precision: str = "exact"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A voice whose dated move stands before those ``over`` whom it was let speak, who cannot deny it yet."""

    voice: Voice
    over: Sequence[Voice]


@dataclass(frozen=True, slots=True)
class Denial:
    """What a voice went on to say after ``moment``, for which another had announced a move."""

    moment: datetime
    held: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is believed of one tariff, what was held back on the way, and the voices that were heard."""

    history: dict[Conditions, list[Segment]]
    held: list[Held]
    voices: list[Voice]


def resolve(
    said: Sequence[Said],
    ruled: Sequence[Ruled],
    witnesses: Mapping[int, Witness],
    specificity: Mapping[int, tuple[int, int, str]],
    released: Mapping[Words, bool] | None = None,
) -> dict[Conditions, list[Segment]]:
    """The effective history of every line of one tariff; see ``resolution_of``."""
    return resolution_of(said, ruled, witnesses, specificity, released).history


def resolution_of(
    said: Sequence[Said],
    ruled: Sequence[Ruled],
    witnesses: Mapping[int, Witness],
    specificity: Mapping[int, tuple[int, int, str]],
    released: Mapping[Words, bool] | None = None,
) -> Resolution:
    """Resolve one tariff.

    ``specificity`` orders the references of one source: the largest speaks first. ``released`` is what people
    released (True) or refused (False) of what was held.
    """
    if len(said) == 1 and not ruled and (shown := _shown_alone(said[0], witnesses[said[0].source])) is not None:
        return shown
    judged = judge(said, witnesses, released)
    held = list(judged.held)
    denials: list[Denial] = []
    voices = voices_of(judged.said, witnesses, specificity)
    timeline = _alone(voices[0]) if len(voices) == 1 else _compete(voices, released or {}, denials)
    if ruled:
        timeline = _rule(timeline, ruled)
    held += [each for denial in denials if _is_seen(timeline, denial.moment) for each in denial.held]
    return Resolution({line: segments for line, segments in timeline.items() if segments}, held, voices)


def _is_seen(timeline: Timeline, moment: datetime) -> bool:
    """Whether a move at a moment is believed: of one that a person's ruling covers there is nothing to deny."""
    rows = (segment for segments in timeline.values() for segment in segments)
    return any(s.end == moment or (s.start == moment and s.precision != "observed") for s in rows)


def _shown_alone(said: Said, witness: Witness) -> Resolution | None:
    """What one statement makes of a tariff of which nobody else says anything: nearly every one of a first document.

    None where it is dated, ended or absurd, which takes weighing.
    """
    segments = shown_from_the_first([said])
    if segments is None or (witness.patience and abs(said.value[0]) > ceiling_of(said.line.meter, said.value[1])):
        return None
    timeline = {said.line: segments}
    return Resolution(dict(timeline), [], [Voice(witness, said.reference, timeline, said.first_observed_at)])


def _alone(voice: Voice) -> Timeline:
    return dict(voice.timeline)


def _compete(voices: Sequence[Voice], released: Mapping[Words, bool], denials: list[Denial]) -> Timeline:
    """Cut time where any voice changes, let one voice speak in each piece, and join the pieces.

    What denies an announcement without having insisted on it is added to ``denials``; of one that came under the word
    of a person, who leads, there is nothing to deny.
    """
    result: Timeline = {}
    speaker: Voice | None = None
    announcement: Announcement | None = None
    for moment, end in pairwise([*_moments(voices), None]):
        assert moment is not None
        present = _present(voices, moment)
        heard: list[Spoken] = []
        if announcement is None or not any(voice is announcement.voice for voice, _ in present):
            heard = [spoken for spoken in present if not spoken[0].witness.is_person]
            announcement = _announcement(heard, moment, released)
        announcing = _announcing(present, announcement)
        if announcing is not None and heard:
            denials.append(Denial(moment, _denials(heard[0], moment)))
        chosen = announcing or _first_to_speak(present)
        if chosen is not None:
            another = speaker is not None and speaker is not chosen[0]
            stepped = another and not _moves(chosen, moment)
            if stepped:
                _yield(result, moment)
            for line, segment in chosen[1].items():
                _append(result.setdefault(line, []), segment, moment, end, stepped)
        speaker = chosen[0] if chosen is not None else None
    _refine(result, voices)
    return result


def _moves(spoken: Spoken, moment: datetime) -> bool:
    """Whether a voice that stated the tariff until now reports a move of its own."""
    voice, sheet = spoken
    return any(s.start == moment for s in sheet.values()) and bool(voice.sheet(moment - INSTANT))


def _moments(voices: Sequence[Voice]) -> list[datetime]:
    """Every moment at which another voice may begin to speak, or the same one to say something else."""
    found = {voice.witness.observations[0] for voice in voices if voice.witness.observations}
    for voice in voices:
        for segments in voice.timeline.values():
            for segment in segments:
                found.add(segment.start)
                if segment.end is not None:
                    found.add(segment.end)
    return sorted(found)


def _present(voices: Sequence[Voice], moment: datetime) -> list[Spoken]:
    """Who states the tariff at a moment, and what, in the order of speaking.

    A source sets only moments from its first reading on: what it dates before that counts where
    no source was being read.
    """
    present = [(voice, sheet) for voice in voices if (sheet := voice.sheet(moment))]
    return sorted(present, key=lambda spoken: not spoken[0].had_begun(moment))


def _yield(result: Timeline, moment: datetime) -> None:
    """Mark what the last speaker said until now: it ends because another speaks, not because it moved."""
    for segments in result.values():
        if segments and segments[-1].end == moment:
            segments[-1] = replace(segments[-1], yields=True)


def _first_to_speak(present: Sequence[Spoken]) -> Spoken | None:
    """The first voice in the order, unless it confirms a finer sheet of another source and yields to it.

    People never yield: their flat price is no reading of somebody's promotion.
    """
    if not present:
        return None
    first = present[0]
    if first[0].witness.is_person:
        return first
    others = (p for p in present[1:] if p[0].witness.source != first[0].witness.source)
    return next((finer for finer in others if confirms(first[1], finer[1])), first)


def confirms(flat: Sheet, finer: Sheet) -> bool:
    """Whether a flat sheet equals one calendar slot, or the promotion, of a finer sheet."""
    if any(line.slot or line.layer != LIST_LAYER for line in flat):
        return False
    coats = {(line.slot, line.layer) for line in finer if line.slot or line.layer != LIST_LAYER}
    return any(_equals(flat, finer, slot, layer) for slot, layer in coats)


def _equals(flat: Sheet, finer: Sheet, slot: str, layer: str) -> bool:
    counterparts = [(segment, finer.get(replace(line, slot=slot, layer=layer))) for line, segment in flat.items()]
    return all(other is not None and same(segment.value, other.value) for segment, other in counterparts)


def _announcing(present: Sequence[Spoken], announcement: Announcement | None) -> Spoken | None:
    """Who announced what stands now, unless somebody leads who was silent when it was announced."""
    if announcement is None or not any(voice is present[0][0] for voice in (*announcement.over, announcement.voice)):
        return None
    return next(spoken for spoken in present if spoken[0] is announcement.voice)


def _announcement(present: Sequence[Spoken], moment: datetime, released: Mapping[Words, bool]) -> Announcement | None:
    """Another source whose dated move the first in the order has not read far enough to deny.

    Both must have agreed until then, and nobody between them may know better. Three readings over two days that show
    the old price deny the move, or a person who releases them. After a record that is kept by hand the next source
    need not date its move.
    """
    if not present or not _leaves_open(*present[0], moment, released):
        return None
    first, now = present[0]
    heeds_any = first.is_record
    for place, (voice, sheet) in enumerate(present):
        if voice.witness.source == first.witness.source:
            continue
        moves_here = any((s.dated or heeds_any) and s.start == moment for s in sheet.values())
        heeds_any = False
        if moves_here and _agree(now, voice.sheet(moment - INSTANT)):
            return Announcement(voice, [each for each, _ in present[:place]])
        if not voice.presumes(sheet, moment):
            return None
    return None


def _leaves_open(voice: Voice, sheet: Sheet, moment: datetime, released: Mapping[Words, bool]) -> bool:
    rulings = [released[words] for words in _words(voice, sheet) if words in released] if released else []
    if rulings and voice.repeats(moment):
        return not any(rulings) and all(s.presumed for s in sheet.values())
    return voice.presumes(sheet, moment)


def _words(voice: Voice, sheet: Sheet) -> list[Words]:
    source, reference = voice.witness.source, voice.reference
    return [(source, reference, line, segment.value[0], segment.value[1]) for line, segment in sheet.items()]


def _denials(spoken: Spoken, moment: datetime) -> list[Held]:
    """What a voice went on to say after a moment for which another had announced a move."""
    voice, sheet = spoken
    if not voice.repeats(moment):
        return []
    return [
        Held(segment.statement, line, segment.value, DENIAL, None, True)
        for line, segment in sheet.items()
        if segment.statement is not None
    ]


def _agree(one: Sheet, other: Sheet) -> bool:
    shared = [line for line in one if line in other]
    equal = all(same(one[line].value, other[line].value) for line in shared)
    return (bool(shared) and equal) or confirms(one, other)


def _append(segments: list[Segment], segment: Segment, start: datetime, end: datetime | None, stepped: bool) -> None:
    """Add the piece of a segment between two moments, joined to an equal neighbour.

    Where another witness begins to speak nobody saw the price move, so there is no window.
    """
    last = segments[-1] if segments else None
    if last is not None and last.end == start and same(last.value, segment.value):
        segments[-1] = replace(last, end=end, presumed=segment.presumed, yields=False)
        return
    if segment.start == start and (segment.dated or not stepped):
        piece = replace(segment, end=end, steps=False)
    elif segment.start == start:
        piece = replace(segment, end=end, observed_after=None, steps=True)
    else:
        piece = replace(segment, start=start, end=end, precision="observed", observed_after=None, steps=True)
    segments.append(piece)


def _refine(result: Timeline, voices: Sequence[Voice]) -> None:
    """Move an observed beginning to where another source dates the same move inside its window."""
    for line, segments in result.items():
        for index in range(1, len(segments)):
            old, new = segments[index - 1], segments[index]
            if old.end == new.start and new.precision == "observed" and new.observed_after is not None:
                witness = _dated_move(voices, line, old, new)
                if witness is not None:
                    segments[index - 1] = replace(old, end=witness.start)
                    segments[index] = replace(
                        new,
                        start=witness.start,
                        precision=witness.precision,
                        observed_after=None,
                        dated_by=witness.statement,
                        steps=False,
                    )


def _dated_move(voices: Sequence[Voice], line: Conditions, old: Segment, new: Segment) -> Segment | None:
    """The best dated beginning of the new price inside the window, by a source that knows no other old price."""
    assert new.observed_after is not None
    found: list[tuple[int, datetime, int, Segment]] = []
    for place, voice in enumerate(voices):
        before: Segment | None = None
        for after in voice.timeline.get(line, []):
            inside = new.observed_after < after.start <= new.start and after.start > old.start
            dated = after.dated and after.precision in _PRECISE and same(after.value, new.value)
            if inside and dated and (before is None or before.end != after.start or same(before.value, old.value)):
                found.append((_PRECISE[after.precision], after.start, place, after))
            before = after
    return min(found, key=lambda f: f[:3])[3] if found else None


def _rule(timeline: Timeline, ruled: Sequence[Ruled]) -> Timeline:
    """Lay people's rulings over what the sources say, in the order in which they were made."""
    result = {line: list(segments) for line, segments in timeline.items()}
    for ruling in sorted(ruled, key=lambda r: r.decision):
        if ruling.line is None:
            result = {line: _blank(segments, ruling) for line, segments in result.items()}
        elif ruling.value is not None:
            kept = _blank(result.get(ruling.line, []), ruling)
            result[ruling.line] = _rejoin(sorted([*kept, _pinned(ruling, ruling.value)], key=lambda s: s.start))
    return result


def _blank(segments: Sequence[Segment], ruling: Ruled) -> list[Segment]:
    """The segments outside a ruling's interval."""
    kept = []
    start, end = ruling.effective_from, ruling.effective_until
    for segment in segments:
        if segment.start < start:
            ends_later = segment.end is None or segment.end > start
            cut = replace(segment, end=start, presumed=False, ruled_out=ruling.line is None)
            kept.append(cut if ends_later else segment)
        if end is not None and (segment.end is None or segment.end > end):
            kept.append(segment if segment.start >= end else _resumed(segment, ruling, end))
    return kept


def _resumed(segment: Segment, ruling: Ruled, start: datetime) -> Segment:
    """What goes on when a ruling ends: after a withdrawal it is sold again, after a pin the witness changes."""
    if ruling.line is None:
        return replace(segment, start=start, precision="exact", observed_after=None, decision=ruling.decision)
    return replace(segment, start=start, precision="observed", observed_after=None, steps=True)


def _pinned(ruling: Ruled, value: Value) -> Segment:
    return Segment(
        start=ruling.effective_from,
        end=ruling.effective_until,
        value=value,
        precision=ruling.precision,
        observed_after=None,
        source=None,
        reference=None,
        statement=None,
        steps=True,
        decision=ruling.decision,
    )


def _rejoin(segments: Sequence[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last is not None and last.end == segment.start and same(last.value, segment.value):
            joined[-1] = replace(last, end=segment.end, ruled_out=segment.ruled_out)
        else:
            joined.append(segment)
    return joined
