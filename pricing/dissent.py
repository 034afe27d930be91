"""Which sources say something else than what is believed of a tariff now: a pure function of its resolution."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pricing.claims import Conditions
from pricing.resolution import Resolution, confirms
from pricing.timeline import Segment, Value, same
from pricing.voices import Sheet, Voice


@dataclass(frozen=True, slots=True)
class Dissent:
    """One source against the belief, on one line: ``amount``, ``currency`` or ``structure``."""

    kind: str
    line: Conditions
    source: int
    statement: int
    value: Value
    believed: Value | None
    believed_source: int | None
    since: datetime


def dissents(resolution: Resolution, now: datetime, running: Collection[int] | None = None) -> list[Dissent]:
    """Who disagrees with the believed sheet of a tariff at a moment, line by line.

    A source that confirms a slot or a promotion of the sheet agrees with it, and so does one whose own finer sheet
    the belief confirms. Where nothing is believed nobody disagrees. Of one source its most specific reference speaks.
    ``running`` are the statements that their sources still make (None: all): a source whose last reading lacks a line
    may keep its price for a while, and says nothing of it any more.
    """
    believed = _sheet_at(resolution, now)
    if not believed or len(resolution.voices) < 2:
        return []
    found: list[Dissent] = []
    heard: set[int] = set()
    speaker = _speaker(resolution, believed, now)
    for voice in resolution.voices:
        sheet = voice.sheet(now)
        if sheet and voice.witness.source not in heard:
            heard.add(voice.witness.source)
            if voice.witness.source != speaker:
                found += _against(voice, sheet, believed, speaker)
    return found if running is None else [dissent for dissent in found if dissent.statement in running]


def _speaker(resolution: Resolution, believed: Sheet, now: datetime) -> int | None:
    """The source whose sheet is believed now; who said a price first may have said it for another.

    None where a person pinned a price of the sheet: then nobody's sheet is believed whole.
    """
    if any(segment.decision is not None for segment in believed.values()):
        return None
    for voice in resolution.voices:
        sheet = voice.sheet(now)
        if sheet.keys() == believed.keys() and all(same(sheet[line].value, believed[line].value) for line in sheet):
            return voice.witness.source
    return next(iter(believed.values())).source


def _sheet_at(resolution: Resolution, now: datetime) -> Sheet:
    found = {}
    for line, segments in resolution.history.items():
        covering = next((segment for segment in segments if segment.covers(now)), None)
        if covering is not None:
            found[line] = covering
    return found


def _against(voice: Voice, sheet: Sheet, believed: Sheet, speaker: int | None) -> list[Dissent]:
    if confirms(sheet, believed) or confirms(believed, sheet):
        return []
    found = []
    for line, segment in sheet.items():
        other = believed.get(line)
        if segment.statement is not None and (other is None or not same(segment.value, other.value)):
            found.append(_dissent(voice, line, segment, other, speaker))
    return found


def _dissent(voice: Voice, line: Conditions, segment: Segment, other: Segment | None, speaker: int | None) -> Dissent:
    assert segment.statement is not None
    source, statement, value = voice.witness.source, segment.statement, segment.value
    if other is None:
        return Dissent("structure", line, source, statement, value, None, speaker, segment.start)
    kind = "amount" if segment.value[1] == other.value[1] else "currency"
    since = max(segment.start, other.start)
    spoken_by = None if other.decision is not None else speaker or other.source
    return Dissent(kind, line, source, statement, value, other.value, spoken_by, since)
