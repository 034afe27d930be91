"""The memory of a web process that prices usage on very many offerings, in a record of a million price rows.

The record is made as for ``as_of.py``, and served as in production (gunicorn, one process). Every offering is then
asked for in requests of 10,000 lines: as now, again (as lines seen before), and as known at an earlier moment. What
counts is the most memory that the process ever had.

    python benchmarks/cost_memory.py [--prices 1000000] [--postgresql postgresql://postgres@127.0.0.1:5432/postgres]

The last line is JSON. It measures and does not judge: the exit status is 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import costs_over_http as http  # noqa: E402
from benchmarks.as_of_record import END  # noqa: E402

WORK = "memory of a web process after pricing across all offerings of a record"
GOAL_MIB = 200
VERSIONS = 2
_MAKE = "from benchmarks.as_of_record import make; print(make({lines}, {versions}))"
_NAMES = """
import json
from pricing.models import Offering
print(json.dumps(list(Offering.objects.values_list("seller__slug", "external_id"))))
"""


def main() -> None:
    """Make the record, serve it, ask, print."""
    options = _options()
    with http.served(options.postgresql, lambda environment: _make(environment, options.prices)) as (port, environment):
        names = json.loads(http.manage(environment, "shell", "--no-imports", "-c", _NAMES).splitlines()[-1])
        process = _web_process(os.getpid())
        print(f"{len(names):,} offerings; {_peak(process):.0f} MiB before the first request", flush=True)
        for known_at in (None, None, END.isoformat()):
            _ask_all(port, names, known_at)
            print(f"{_peak(process):.0f} MiB after pricing all, known at {known_at or 'present'}", flush=True)
        print(json.dumps(_row(options, _peak(process))))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--prices", type=int, default=1_000_000, help="price rows of the record")
    parser.add_argument("--postgresql", default="", help="a server to make a database on; SQLite without")
    return parser.parse_args()


def _make(environment: dict[str, str], prices: int) -> None:
    code = _MAKE.format(lines=prices // VERSIONS, versions=VERSIONS)
    http.manage(environment | {"PYTHONPATH": str(ROOT)}, "shell", "--no-imports", "-c", code)


def _ask_all(port: int, names: Sequence[Sequence[str]], known_at: str | None) -> None:
    """Price each offering once, 10,000 lines at a time."""
    for some in _batches(names):
        lines = [
            {
                "seller": seller,
                "model": model,
                **({"known_at": known_at} if known_at else {}),
                "usage": {"input_tokens": 1234 + place, "cache_read_tokens": place % 1000, "output_tokens": 77},
            }
            for place, (seller, model) in enumerate(some)
        ]
        http.post(port, json.dumps({"lines": lines}).encode())


def _batches(names: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(names)
    while some := list(islice(rest, http.LINES)):
        yield some


def _web_process(parent: int) -> int:
    """The process of gunicorn that answers: the child of our child."""
    listed = subprocess.check_output(["ps", "-A", "-o", "ppid=,pid=,args="], text=True)
    children: dict[int, list[int]] = {}
    for row in listed.splitlines():
        ppid, pid, arguments = row.split(None, 2)
        if "gunicorn" in arguments:
            children.setdefault(int(ppid), []).append(int(pid))
    (master,) = children[parent]
    (web,) = children[master]
    return web


def _peak(process: int) -> float:
    """The most memory that a process has had, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _row(options: argparse.Namespace, peak: float) -> dict[str, Any]:
    return {
        "work": WORK,
        "peer": None,
        "database": "postgresql" if options.postgresql else "sqlite",
        "ours": round(peak, 1),
        "theirs": None,
        "unit": "MiB",
        "ratio": None,
        "goal": GOAL_MIB,
        "ok": peak < GOAL_MIB,
    }


if __name__ == "__main__":
    main()
