"""The archive of raw documents: putting a body in, and getting out what a feed said at a moment."""

from __future__ import annotations

import gzip
from datetime import datetime

from feeds.models import Feed, Payload
from feeds.reading import Document, compressed
from pricing.models import Observation


class BodyNotKept(ValueError):
    """The raw document of a reading is not there; the message says why."""


def archive(document: Document, digest: str) -> Payload:
    """Keep a document's body, once however often it is read; one whose body was dropped has it again."""
    payload = Payload.objects.filter(digest=digest).defer("compressed").first()
    if payload is None:
        return Payload.objects.create(digest=digest, compressed=compressed(document.body), size=len(document.body))
    if payload.dropped_at is not None:
        payload.compressed, payload.dropped_at = compressed(document.body), None
        payload.save(update_fields=["compressed", "dropped_at"])
    return payload


def body_of(digest: str) -> bytes:
    """The raw document of a digest. Raises BodyNotKept."""
    payload = Payload.objects.filter(digest=digest).first()
    if payload is None:
        raise BodyNotKept(f"the document {digest[:12]} was never archived")
    if payload.dropped_at is not None:
        raise BodyNotKept(
            f"the body of the document {digest[:12]} was dropped on {payload.dropped_at:%Y-%m-%d}, "
            "as PAYLOAD_RETENTION_DAYS asks"
        )
    return gzip.decompress(bytes(payload.compressed))


def body_in_words(payload: Payload | None) -> str:
    """Whether a document's body is kept: ``kept``, ``none`` where nothing new was archived, ``dropped on …``."""
    if payload is None:
        return "none"
    return f"dropped on {payload.dropped_at:%Y-%m-%d}" if payload.dropped_at is not None else "kept"


def reading_at(feed: Feed, moment: datetime | None = None) -> Observation | None:
    """The reading that held at a moment, or holds now: the feed's last one by then."""
    readings = Observation.objects.filter(source=feed.source).order_by("-observed_at")
    return (readings.filter(observed_at__lte=moment) if moment is not None else readings).first()
