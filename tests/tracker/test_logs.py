from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from tracker.logs import JSONFormatter, logging_settings


def formatted(
    message: str, *arguments: object, extra: Mapping[str, object] | None = None, failed: bool = False
) -> dict[str, Any]:
    logger = logging.getLogger("tests.lines")
    record = logger.makeRecord(
        logger.name, logging.WARNING, __file__, 1, message, arguments, sys.exc_info() if failed else None, extra=extra
    )
    line = JSONFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_a_line_has_time_level_logger_and_message() -> None:
    line = formatted("feed %s: %d rows", "litellm", 4500)

    assert line["time"].endswith("Z")
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "tests.lines", "feed litellm: 4500 rows")


def test_what_a_call_adds_stands_in_the_line() -> None:
    line = formatted("refreshed", extra={"feed": "litellm", "rows": 3, "request": object()})

    assert (line["feed"], line["rows"]) == ("litellm", 3)
    assert "request" not in line


def test_a_traceback_stays_on_its_line() -> None:
    try:
        raise ValueError("bad amount")
    except ValueError:
        line = formatted("failed", failed=True)

    assert "ValueError: bad amount" in line["traceback"]


def test_without_a_format_only_a_terminal_gets_text(monkeypatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert logging_settings("", "INFO")["handlers"]["stderr"]["formatter"] == "text"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert logging_settings("", "INFO")["handlers"]["stderr"]["formatter"] == "json"
    assert logging_settings("text", "INFO")["handlers"]["stderr"]["formatter"] == "text"
