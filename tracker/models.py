"""The heartbeat: proof that a worker is alive, for other processes to read."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When a worker last saw one kind of message.

    A row, and not a file or a cache key, because it must be seen by every web process on every machine, and the
    database is the only thing that all of them share in each way of running. It costs one small write a tick.
    """

    TICK = "tick"

    name = models.CharField(max_length=32, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def record(cls, name: str) -> None:
        """Note that the message `name` has been seen by a worker now."""
        cls.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})

    @classmethod
    def last_seen(cls, name: str) -> datetime | None:
        """Return when a worker last saw the message `name`, or None if none ever did."""
        return cls.objects.filter(name=name).values_list("seen_at", flat=True).first()
