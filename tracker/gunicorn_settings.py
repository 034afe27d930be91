"""How the web server runs, wherever it runs: `gunicorn --config python:tracker.gunicorn_settings tracker.wsgi`."""

from __future__ import annotations

from tracker.process_memory import give_back_early
from tracker.settings import ENVIRONMENT, LOGGING

give_back_early()

_host = f"[{ENVIRONMENT.host}]" if ":" in ENVIRONMENT.host else ENVIRONMENT.host
bind = f"{_host}:{ENVIRONMENT.port}"
workers = ENVIRONMENT.web_processes
worker_class = "gthread"
threads = ENVIRONMENT.web_threads
timeout = 120
graceful_timeout = 5
keepalive = 5
# Room for a long filter or cursor: beyond gunicorn's bound of 4,094 bytes a request never reaches what explains errors.
limit_request_line = 8190
# A worker lives for a bounded number of requests, so that no leak grows for ever.
max_requests = 100_000
max_requests_jitter = 10_000
control_socket_disable = True
logconfig_dict = LOGGING | {
    "loggers": LOGGING["loggers"]
    | {
        # Its lines on starting and stopping tell an operator nothing; a request that fails is Django's to log.
        "gunicorn.error": {"handlers": [], "level": "WARNING", "propagate": True},
        "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
    }
}
