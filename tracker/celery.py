"""The Celery app: the worker and beat processes load it, and it carries every task that the web processes send."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

app = Celery("tracker")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Being current holds for the importing thread only; as the default it also serves the web server's other threads.
app.set_default()
app.autodiscover_tasks()


@setup_logging.connect
def use_the_projects_logging(**_signal: Any) -> None:
    """Log as the rest of the project does; being connected keeps Celery from adding handlers of its own."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_ready.connect
def tick_at_once(**_signal: Any) -> None:
    """Look for work as soon as a worker is up: beat's first message comes a whole tick later."""
    app.send_task("tracker.tick", expires=60)
