"""Log lines as text for people or as JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

# What every LogRecord has; whatever else a record carries came from the call's `extra` and belongs in its JSON.
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Django and Celery hang whole objects on their records; their text says nothing and may hold personal headers.
_NOISE_FIELDS = frozenset({"request", "server_time", "sinfo", "data"})


class JSONFormatter(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, the fields of `extra`, any traceback."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS | _NOISE_FIELDS:
                line[name] = value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class NoProbesFilter(logging.Filter):
    """Drops Django's line about a /readyz that is 503: probes ask every few seconds, and the check logs the reason."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/readyz"


def logging_settings(log_format: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything to standard error at `level`.

    Without a `log_format`, a terminal gets text and anything else gets JSON.
    """
    chosen = log_format or ("text" if sys.stderr.isatty() else "json")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"},
            "json": {"()": "tracker.logs.JSONFormatter"},
        },
        "filters": {"no_probes": {"()": "tracker.logs.NoProbesFilter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": chosen}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django brings handlers of its own for these; without this a line would come twice.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"filters": ["no_probes"], "level": level, "propagate": True},
            # One line for each message sent and received tells an operator nothing that the tasks do not log.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
