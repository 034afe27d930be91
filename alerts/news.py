"""Brings what is new on its way to be sent: changes become notices, and notices that are due become messages."""

from __future__ import annotations

from alerts.models import FanOut
from alerts.models.watches import newest_sequence
from tracker.tick import run_steps

STEPS = ("alerts.fan_out.fan_out_changes", "alerts.composing.compose_due")


def gather_news() -> None:
    """Match new changes and compose what is due. What fails is logged, and is tried again by the tick."""
    for _outcome in run_steps(STEPS):
        pass


class Lookout:
    """Gathers news for somebody who asks often: once for each change that nobody has matched yet."""

    def __init__(self) -> None:
        self._looked_up_to = 0

    def look(self) -> None:
        """Gather, if there is a change that is new to everybody; where that failed, the tick tries it again."""
        newest = newest_sequence()
        if newest > max(self._looked_up_to, _fanned_out()):
            self._looked_up_to = newest
            gather_news()


def _fanned_out() -> int:
    return FanOut.objects.values_list("last_sequence", flat=True).first() or 0
