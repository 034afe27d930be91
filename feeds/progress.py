"""How far long work has come: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 40
PLAIN_LINES = 50


class Progress:
    """The progress of one piece of work over a known number of steps.

    ``bar`` is where a terminal shows the bar; ``say`` prints a plain line. Elsewhere than on a terminal at most some
    fifty steps say their line, and all that ask to be heard.
    """

    def __init__(self, total: int, bar: TextIO, say: Callable[[str], None]) -> None:
        self._total, self._bar, self._say = total, bar, say
        self._is_terminal = bar.isatty()
        self._every = -(-total // PLAIN_LINES) or 1
        self._started = time.monotonic()
        self._done = 0

    def step(self, line: str, *, heard: bool = False) -> None:
        """One more step is done; ``line`` tells of it."""
        self._done += 1
        if self._is_terminal:
            if heard:
                self._clear()
                self._say(line)
            self._draw()
        elif heard or self._done % self._every == 0 or self._done == self._total:
            self._say(f"[{self._done}/{self._total}] {line}")

    @property
    def seconds(self) -> float:
        """How long the work has taken so far."""
        return time.monotonic() - self._started

    def _draw(self) -> None:
        left = self.seconds / self._done * (self._total - self._done)
        filled = "#" * (WIDTH * self._done // self._total)
        end = "\n" if self._done == self._total else ""
        self._bar.write(f"\r[{filled:<{WIDTH}}] {self._done}/{self._total}, {left:.0f} s left \x1b[K{end}")
        self._bar.flush()

    def _clear(self) -> None:
        self._bar.write("\r\x1b[K")
        self._bar.flush()
