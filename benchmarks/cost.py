"""Prices the same lines by the cost engine and by its peers, in turn in one process, and compares totals.

Run it as ``python benchmarks/cost.py [--every] [--litellm FILE] [--postgresql URL] [--engine-only]``;
with ``--every`` each line with two totals is printed. The engine's times are of the processor, and no
database is in them: sheets are made of the installed genai-prices data, and of a LiteLLM document
(``--litellm``, may be ``.gz``; else litellm's own) when litellm is installed beside the project. Then
10,000 lines go in one ``POST costs/`` over HTTP (see ``benchmarks/costs_over_http.py``), on SQLite and
on the PostgreSQL server named by ``--postgresql`` or DATABASE_URL. It measures and does not judge: the
exit status is 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks import costs_over_http  # noqa: E402
from benchmarks.cost_peers import genai_peer, litellm_peer  # noqa: E402
from benchmarks.cost_peers.differences import Comparison  # noqa: E402
from benchmarks.cost_peers.sheets import genai_prices_sheets  # noqa: E402

WORK = "the cost engine, per line, price rows cited"
# A bill of so many lines on so many models.
LINES = 10_000
MODELS = 100
ROUNDS = 7
GOALS = {genai_peer.NAME: 10, litellm_peer.NAME: 15}


def main() -> int:
    """Measure, compare, print."""
    options = _arguments()
    if options.litellm:
        litellm_peer.use_document(options.litellm)
    rows = [*_against_genai_prices(options.every), *_against_litellm(options.every)]
    if not options.engine_only:
        rows += costs_over_http.rows(ROUNDS, options.postgresql)
    print()
    for row in rows:
        print(json.dumps(row))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--every", action="store_true", help="print every line with two totals")
    parser.add_argument("--litellm", metavar="FILE", type=Path, help="a LiteLLM document to compare on")
    parser.add_argument("--postgresql", metavar="URL", default=os.environ.get("DATABASE_URL", ""))
    parser.add_argument("--engine-only", action="store_true", help="leave the request over HTTP out")
    return parser.parse_known_args()[0]


def _against_genai_prices(every: bool) -> list[dict[str, object]]:
    sheets = genai_prices_sheets()
    _say(genai_peer.compare(sheets), every)
    print("lines on every model, which no processor's cache holds:")
    _genai_prices_row(None)
    print(f"lines on {MODELS} models:")
    return [_genai_prices_row(MODELS)]


def _genai_prices_row(models: int | None) -> dict[str, object]:
    lines = genai_peer.timed_lines(genai_prices_sheets(), LINES, models)
    ours, theirs = genai_peer.our_loop(lines, genai_prices_sheets()), genai_peer.their_loop(lines)
    return _row(genai_peer.NAME, ours, theirs, len(lines))


def _against_litellm(every: bool) -> list[dict[str, object]]:
    if not litellm_peer.is_installed():
        print(f"{litellm_peer.NAME}: litellm is not installed here, so there is nothing to compare with; run this")
        print("  with a Python that has it besides the project's requirements")
        return [_as_row(litellm_peer.NAME, None, None)]
    _say(litellm_peer.compare(), every)
    lines = litellm_peer.timed_lines(LINES)
    return [_row(litellm_peer.NAME, litellm_peer.our_loop(lines), litellm_peer.their_loop(lines), len(lines))]


def _say(comparison: Comparison, every: bool) -> None:
    for text in comparison.report(every):
        print(text)
    print()


def _row(peer: str, ours: Callable[[], None], theirs: Callable[[], None], lines: int) -> dict[str, object]:
    """Medians of rounds taken in turn, in microseconds for one line; the first time of ours is told apart.

    As in the standard library's timeit, no garbage is collected meanwhile.
    """
    gc.collect()
    gc.disable()
    first = _microseconds(ours, lines)
    theirs()
    rounds = [(_microseconds(ours, lines), _microseconds(theirs, lines)) for _ in range(ROUNDS)]
    gc.enable()
    mine, other = (median(times) for times in zip(*rounds, strict=True))
    print(f"{WORK}: {lines:,} lines, {ROUNDS} rounds in turn")
    print(f"  ours {mine:.2f} us (the first time, plans to be made, {first:.1f} us); {peer} {other:.1f} us")
    print(f"  {other / mine:.1f} times as fast; the goal is {GOALS[peer]}\n")
    return _as_row(peer, mine, other)


def _microseconds(loop: Callable[[], None], lines: int) -> float:
    """Processor time of this process, which what else runs on the machine disturbs least."""
    started = time.process_time()
    loop()
    return (time.process_time() - started) / lines * 1e6


def _as_row(peer: str, ours: float | None, theirs: float | None) -> dict[str, object]:
    ratio = theirs / ours if ours and theirs else None
    return {
        "work": WORK,
        "peer": peer,
        "database": None,
        "ours": ours and round(ours, 3),
        "theirs": theirs and round(theirs, 3),
        "unit": "us",
        "ratio": ratio and round(ratio, 1),
        "goal": GOALS[peer],
        "ok": None if ratio is None else ratio >= GOALS[peer],
    }


if __name__ == "__main__":
    sys.exit(main())
