"""Rows of the project itself: the heartbeat of the workers, and the answers kept for requests that are repeated."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
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


class KeptAnswer(models.Model):
    """The answer to a request that carried an ``Idempotency-Key``, for its twin that may come; see tracker.api.twins.

    While ``status`` is empty the first request is still at work.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="Of the method, the address and the body.")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    begun_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="kept_answer_once")]
        indexes = [models.Index(fields=["begun_at"])]

    def __str__(self) -> str:
        return f"{self.key} of {self.user}"
