"""The start page as a browser renders it, under the site's own content policy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from scripts.run_tests import find_browser
from tests.web.small_market import START, WEEK, SmallMarket, costs

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture
def browser() -> str:
    """The browser's path; a run without one leaves these tests out by name, and never passes them by."""
    found = find_browser()
    if found is None:
        pytest.fail('no browser: install chromium, or leave these out with -m "not browser" as `make test` does')
    return found


def rendered(browser: str, address: str, profile: Path) -> tuple[str, str]:
    """The page's document once it is laid out, and what the browser's console said."""
    command = [browser, *QUIET, f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_browser_shows_the_changes_and_finds_nothing_to_refuse(
    browser: str, live_server: LiveServer, tmp_path: Path
) -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("6")]})

    document, console = rendered(browser, live_server.url + "/", tmp_path)

    assert "input 3 -&gt; 6 USD per 1M tokens" in document
    assert console == ""
