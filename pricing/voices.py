"""Who speaks of one tariff, and in what order: one voice for each reference of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pricing.claims import Conditions
from pricing.scruples import insists
from pricing.timeline import Said, Segment, Timeline, Witness, reference_timeline

Sheet = dict[Conditions, Segment]
Spoken = tuple["Voice", Sheet]


@dataclass(frozen=True, slots=True)
class Voice:
    """The timeline of one reference of one source, in its place in the order of speakers.

    ``last_word`` is when it last began or ceased to say something of the tariff.
    """

    witness: Witness
    reference: int | None
    timeline: Timeline
    last_word: datetime

    def sheet(self, moment: datetime) -> Sheet:
        """The lines that this voice states as in force at a moment."""
        found = {}
        for line, segments in self.timeline.items():
            for segment in segments:
                if segment.covers(moment):
                    found[line] = segment
                    break
        return found

    def had_begun(self, moment: datetime) -> bool:
        """Whether the source had been read by a moment; people's word has no such beginning."""
        readings = self.witness.observations
        return not readings or readings[0] <= moment

    @property
    def is_record(self) -> bool:
        """Whether a record speaks that people keep by hand: it says what held when they wrote it."""
        return self.witness.patience == 0 and not self.witness.is_person

    def presumes(self, sheet: Sheet, moment: datetime) -> bool:
        """Whether nothing but its habit speaks for its sheet: no reading since, or too few to deny a move.

        What a record leaves open held when it was written; that it is read again says nothing more.
        """
        if not all(s.presumed for s in sheet.values()):
            return False
        if self.is_record:
            return self.last_word < moment
        return bool(self.witness.observations) and not insists(self.witness, moment)

    def repeats(self, moment: datetime) -> bool:
        """Whether it was read at the moment or later."""
        readings = self.witness.observations
        return bool(readings) and readings[-1] >= moment


def voices_of(
    said: Sequence[Said], witnesses: Mapping[int, Witness], specificity: Mapping[int, tuple[int, int, str]]
) -> list[Voice]:
    """The voices among what was said, in the order of speaking.

    ``specificity`` orders the references of one source: the largest speaks first.
    """
    groups: dict[tuple[int, int | None], list[Said]] = {}
    for statement in said:
        groups.setdefault((statement.source, statement.reference), []).append(statement)
    voices = [
        Voice(witnesses[source], reference, reference_timeline(runs, witnesses[source]), _last_word(runs))
        for (source, reference), runs in groups.items()
    ]
    if len(voices) == 1:
        return voices
    nobody = (0, 0, "")

    def order(voice: Voice) -> tuple[int, int, int, int, str, int]:
        parts, length, text = specificity.get(voice.reference or 0, nobody)
        return (voice.witness.rank, voice.witness.source, -parts, -length, text, voice.reference or 0)

    return sorted(voices, key=order)


def _last_word(runs: Sequence[Said]) -> datetime:
    return max(run.ended_at or run.first_observed_at for run in runs)
