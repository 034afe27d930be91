"""`make test`: the whole suite on SQLite and the embedded broker, then again on PostgreSQL and Redis.

The second run uses the servers at DATABASE_URL and REDIS_URL where they are set, and starts its own where they are not.
Arguments go to pytest. What ran, and what did not and why, is printed at the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from scripts.parent_death import end_with_parent
from scripts.servers import ServerError, running_servers

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_TESTS_COLLECTED = 5
# A run takes some minutes; one that takes this long will never end, and says so instead.
LONGEST_SECONDS = 35 * 60
TOOK_TOO_LONG = 124
VERDICTS = {
    0: "passed",
    NO_TESTS_COLLECTED: "FAILED: no test was found",
    TOOK_TOO_LONG: f"FAILED: not ended after {LONGEST_SECONDS // 60} min",
}
say = partial(print, flush=True)


@dataclass(frozen=True)
class Outcome:
    """How one run of the suite ended: what it ran on, pytest's exit status, and what it counted."""

    title: str
    status: int
    counted: str


def main(arguments: list[str]) -> int:
    """Run the suite twice; return 0 only when both passed."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # so that what was started is ended
    browser = find_browser()
    selection = arguments if browser else [*arguments, "-m", "not browser"]
    outcomes = [run_suite("SQLite and the embedded broker", selection, {"DATABASE_URL": "", "REDIS_URL": ""}, browser)]
    with ExitStack() as stack:
        try:
            title, servers = services(stack)
        except ServerError as error:
            say(f"PostgreSQL and Redis for the second run could not be started: {error}")
            outcomes.append(Outcome("PostgreSQL and Redis (not started)", 1, "nothing ran"))
        else:
            outcomes.append(run_suite(title, selection, servers, browser))
    return report(outcomes, browser)


def find_browser() -> str | None:
    """Return the browser for the tests marked `browser`: $CHROMIUM, else the first known one on the PATH."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def services(stack: ExitStack) -> tuple[str, dict[str, str]]:
    """Return the title and the environment of the second run, starting what the environment does not name."""
    named = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    if "DATABASE_URL" in named and urlsplit(named["DATABASE_URL"]).scheme not in ("postgres", "postgresql"):
        raise ServerError("DATABASE_URL is set to something other than PostgreSQL.")
    origin = dict.fromkeys(named, "yours")
    if len(named) < 2:
        started = stack.enter_context(running_servers())
        named = {"DATABASE_URL": started.database_url, "REDIS_URL": started.redis_url} | named
    database, broker = (origin.get(name, "started here") for name in ("DATABASE_URL", "REDIS_URL"))
    return f"PostgreSQL ({database}) and Redis ({broker})", named


def run_suite(title: str, arguments: list[str], variables: dict[str, str], browser: str | None) -> Outcome:
    """Run pytest once over everything, with `variables` in its environment."""
    say(f"\n== Tests on {title}")
    environment = os.environ | variables | ({"CHROMIUM": browser} if browser else {})
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal", *arguments]
    with tempfile.TemporaryDirectory(prefix="tracker-tests-") as folder:
        results = Path(folder) / "results.xml"
        status = _pytest([*command, f"--junit-xml={results}"], environment)
        return Outcome(title, status, _counted(results))


def _pytest(command: list[str], environment: dict[str, str]) -> int:
    pytest = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, preexec_fn=end_with_parent)  # noqa: PLW1509
    try:
        return pytest.wait(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.kill()
        pytest.wait()
        return TOOK_TOO_LONG


def _counted(results: Path) -> str:
    """Return what pytest's own report at `results` counts, in words; it is pytest's, so its XML is to be trusted."""
    if not results.exists():
        return "nothing ran"
    suite = ElementTree.parse(results).find("testsuite")  # noqa: S314
    counts = suite.attrib if suite is not None else {}
    failed = int(counts.get("failures", 0)) + int(counts.get("errors", 0))
    seconds = float(counts.get("time", 0))
    return f"{counts.get('tests')} tests, {failed} failed, {counts.get('skipped')} skipped, {seconds:.0f} s"


def report(outcomes: list[Outcome], browser: str | None) -> int:
    """Print one line for each run, and a loud one for what was left out; return the exit status for all."""
    say("\n== What ran")
    for outcome in outcomes:
        verdict = VERDICTS.get(outcome.status, "FAILED")
        say(f"  {outcome.title}: {verdict} ({outcome.counted})")
    if browser:
        say(f"  Browser tests ran in {browser}")
    else:
        say(f"  BROWSER TESTS WERE LEFT OUT: none of {', '.join(BROWSERS)} is installed, and CHROMIUM names none")
    return 0 if all(outcome.status == 0 for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
