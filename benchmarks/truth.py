"""Loads a feed's dated documents and compares the changes that the API then shows with an independently computed truth.

The truth file has one row per (provider, model, field) that differs between two consecutive
documents. Run it as ``python benchmarks/truth.py FEED --documents DIR --truth FILE.jsonl.gz``; it
loads into a new temporary folder, or into the empty database at DATABASE_URL. It measures and
does not judge: the exit status is 0 whatever it finds, and 2 for a call that cannot be taken.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

if TYPE_CHECKING:
    from benchmarks.against_truth.report import Findings

MEMORY_GOAL_MIB = 300


class BadCall(Exception):
    """The call cannot be taken; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One document's refresh: how long it took, what it changed, and the most memory held until then."""

    date: str
    seconds: float
    rows: int
    changes: int
    withdrawn: int
    rejected: int
    peak_mib: int


def main() -> int:
    """Load, compare, print."""
    asked = _arguments()
    try:
        if asked.data_dir is not None:
            return _run(asked, asked.data_dir)
        with tempfile.TemporaryDirectory(prefix="tracker-truth-") as folder:
            return _run(asked, Path(folder))
    except BadCall as error:
        print(f"truth: {error}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("feed", help="the feed whose documents these are, such as models-dev")
    parser.add_argument("--documents", type=Path, required=True, help="a folder of YYYY-MM-DD.json(.gz)")
    parser.add_argument("--truth", type=Path, required=True, help="a file of JSON lines, which may be gzipped")
    parser.add_argument("--until", default="", help="leave out documents after this date, such as 2026-02-17")
    parser.add_argument("--data-dir", type=Path, help="keep the record in this empty folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    return parser.parse_args()


def _run(asked: argparse.Namespace, data_dir: Path) -> int:
    configure(data_dir)
    from benchmarks.against_truth import report
    from benchmarks.against_truth.fields import Documents

    files = _files(asked)
    migrate_empty_database()
    say = _silently if asked.json else _aloud
    loads = [_load(asked.feed, date, file, say) for date, file in files.items()]
    say(_memory_line(loads))
    verified = _verify()
    say(f"verify_ledger: {verified}")
    findings = report.findings_of_file(Documents(asked.feed, files), asked.truth, asked.until)
    print(_as_json(asked, loads, verified, findings) if asked.json else "\n".join(report.tables(findings)))
    return 0


def _silently(line: str) -> None:
    """Say nothing: what is asked for is one JSON object."""


def _aloud(line: str) -> None:
    print(line, flush=True)


def _files(asked: argparse.Namespace) -> dict[str, Path]:
    """The documents to load, oldest first. Raises BadCall for what cannot be compared."""
    from benchmarks.against_truth.fields import LAYOUTS, dated_files

    if asked.feed not in LAYOUTS:
        raise BadCall(f"no truth is known for the feed {asked.feed!r}; choose from {', '.join(sorted(LAYOUTS))}")
    if not asked.truth.is_file():
        raise BadCall(f"{asked.truth} is no file; --truth names a file of JSON lines")
    files = dated_files(asked.documents, asked.until) if asked.documents.is_dir() else {}
    if not files:
        raise BadCall(f"{asked.documents} holds no file named like 2026-02-17.json or 2026-02-17.json.gz")
    return files


def configure(data_dir: Path) -> None:
    """Set Django up on a folder of its own: no settings file, no limits, no debugging."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tracker.settings",
        "ENV_FILE": "",
        "DATA_DIR": str(data_dir.resolve()),
        "DEBUG": "0",
        "HTTPS": "0",
        "ALLOWED_HOSTS": "testserver",
        "API_REQUIRE_AUTH": "0",
        "API_RATE_LIMIT_ANON": "0",
        "LOG_LEVEL": "WARNING",
    }
    import django

    django.setup()


def migrate_empty_database() -> None:
    """Make the tables. Raises BadCall where there are some."""
    from django.core.management import call_command
    from django.db import connection

    if connection.introspection.table_names():
        name = connection.settings_dict["NAME"]
        raise BadCall(f"the database {name} is not empty; the comparison needs one of its own")
    call_command("migrate", verbosity=0)


def _load(slug: str, date: str, file: Path, say: Callable[[str], None]) -> Loaded:
    """Take one document as ``manage.py refresh FEED --file F --observed-at DATE`` does."""
    from benchmarks.against_truth.rows import moment
    from feeds.enrolment import feed_named
    from feeds.reading import from_file
    from feeds.refreshing import refresh

    started = time.perf_counter()
    report = refresh(feed_named(slug), document=from_file(file, moment(date)), trigger="file")
    seconds = time.perf_counter() - started
    rows, changes, withdrawn, rejected = (
        report.counts.get(name, 0) for name in ("seen", "changed", "withdrawn", "rejected")
    )
    loaded = Loaded(date, seconds, rows, changes, withdrawn, rejected, _peak_mib())
    say(
        f"{date}  {seconds:6.2f} s  {loaded.rows:5,} rows  {loaded.changes:5,} changes  "
        f"{loaded.withdrawn:4,} withdrawn  {loaded.rejected:3,} rejected  peak {loaded.peak_mib} MiB"
    )
    return loaded


def _peak_mib() -> int:
    """The most memory that this program has held.

    Linux hands getrusage's figure on from the process that started this one, so the kernel's own count comes first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "")
        if peak:
            return int(peak.split()[1]) // 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def _memory_line(loads: list[Loaded]) -> str:
    peak, total = loads[-1].peak_mib, sum(load.seconds for load in loads)
    verdict = "under" if peak < MEMORY_GOAL_MIB else "NOT UNDER"
    return f"{len(loads)} documents in {total:.1f} s; peak memory {peak} MiB, {verdict} {MEMORY_GOAL_MIB} MiB"


def _verify() -> str:
    """What ``manage.py verify_ledger`` says, in one line."""
    from io import StringIO

    from django.core.management import CommandError, call_command

    told = StringIO()
    try:
        call_command("verify_ledger", stdout=told, stderr=told)
    except CommandError as error:
        return f"FAILED: {error}"
    except SystemExit as left:
        return f"{'FAILED' if left.code else 'passed'}: {_one_line(told.getvalue())}"
    return _one_line(told.getvalue())


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _as_json(asked: argparse.Namespace, loads: list[Loaded], verified: str, findings: Findings) -> str:
    content = {
        "feed": asked.feed,
        "documents": [asdict(load) for load in loads],
        "verify_ledger": verified,
        **findings.as_json(),
    }
    return json.dumps(content, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
