"""Which sources say something else than what is believed of a tariff now: a pure function of its resolution."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pricing.claims import Conditions
from pricing.resolution import Resolution, Sheet, Voice, confirms
from pricing.timeline import Segment, Value, same


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


def dissents(resolution: Resolution, now: datetime) -> list[Dissent]:
    """Who disagrees with the believed sheet of a tariff at a moment, line by line.

    A source that confirms a slot or a promotion of the sheet agrees with it, and so does one whose own finer sheet
    the belief confirms. Where nothing is believed nobody disagrees. Of one source its most specific reference speaks.
    """
    believed = _sheet_at(resolution, now)
    if not believed or len(resolution.voices) < 2:
        return []
    found: list[Dissent] = []
    heard: set[int] = set()
    for voice in resolution.voices:
        sheet = voice.sheet(now)
        if sheet and voice.witness.source not in heard:
            heard.add(voice.witness.source)
            found += _against(voice, sheet, believed)
    return found


def _sheet_at(resolution: Resolution, now: datetime) -> Sheet:
    found = {}
    for line, segments in resolution.history.items():
        covering = next((segment for segment in segments if segment.covers(now)), None)
        if covering is not None:
            found[line] = covering
    return found


def _against(voice: Voice, sheet: Sheet, believed: Sheet) -> list[Dissent]:
    if confirms(sheet, believed) or confirms(believed, sheet):
        return []
    speaker = next(iter(believed.values())).source
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
    return Dissent(kind, line, source, statement, value, other.value, other.source, since)
