"""The allocator's settings: heard where there are such, and nothing to worry about elsewhere."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tracker.process_memory import give_back_early

# What is allocated in between keeps a heap from shrinking; blocks that are large by the settings are not on it.
_BURST = """
from pathlib import Path
from tracker.process_memory import give_back_early

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if {settled}:
    assert give_back_early()
bytes(30_000_000)  # after which glibc would take blocks up to this size from the heap
before = held()
blocks = [bytes(bytearray(2_000_000)) for _ in range(20)]
kept = blocks[1::2][-1]
del blocks
print(held() - before)
"""


class NoMallopt:
    """A C library that knows nothing of it."""


def test_a_library_without_the_settings_is_left_alone() -> None:
    assert give_back_early(NoMallopt()) is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_large_blocks_are_given_back_although_one_of_them_is_kept() -> None:
    settled, as_it_comes = (_held_after_a_burst(settled) for settled in (True, False))
    assert settled < 5_000_000
    assert as_it_comes > 10_000_000


def _held_after_a_burst(settled: bool) -> int:
    code = _BURST.format(settled=settled)
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
