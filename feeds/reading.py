"""Getting a feed's document: from a file, from what the project carries, or from the network."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from feeds.embedded import EMBEDDED
from feeds.models import Feed
from feeds.registry import known_feed
from pricing.claims import UnreadableDocument
from pricing.models import Observation
from tracker.outbound.conditional import NotModified, fetch
from tracker.outbound.configured import from_settings

LARGEST_DOCUMENT = 128 * 1024 * 1024
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Document:
    """The raw bytes of one reading, when it was made, and the validators that belong to them.

    ``is_outdated`` marks a copy that is older than what was read since: it says nothing any more.
    """

    body: bytes
    observed_at: datetime
    etag: str = ""
    last_modified: str = ""
    from_network: bool = False
    is_outdated: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, as hexadecimal text."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that the document held is still the newest."""

    observed_at: datetime


def from_file(path: Path, observed_at: datetime | None = None) -> Document:
    """Read a document from a file, which may be gzipped. Raises UnreadableDocument."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"{path} cannot be read: {error.strerror or error}") from None
    return Document(_inflated(raw, path) if raw[:2] == _GZIP else raw, observed_at or timezone.now())


def _inflated(raw: bytes, path: Path) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(raw, LARGEST_DOCUMENT + 1)
    except zlib.error:
        raise UnreadableDocument(f"{path} is not whole gzip data") from None
    if len(body) > LARGEST_DOCUMENT:
        raise UnreadableDocument(
            f"{path} unpacks to more than {LARGEST_DOCUMENT // 1024**2} MiB, the most a feed may have"
        )
    if not inflater.eof:
        raise UnreadableDocument(f"{path} is cut short: its gzip data has no end")
    return body


class NetworkNotAllowed(RuntimeError):
    """The operator does not let this feed be fetched."""


def newest(feed: Feed) -> Document | Unchanged:
    """The feed's document as it is now: embedded, unless the operator lets it be fetched.

    Raises NetworkNotAllowed, and tracker.outbound's errors when it cannot be fetched.
    """
    if feed.slug in settings.NETWORK_FEEDS:
        return _fetched(feed)
    if known_feed(feed.slug).is_embedded:
        return _embedded(feed)
    raise NetworkNotAllowed("NETWORK_FEEDS does not name it, so it is not fetched; a document can be given with --file")


def _embedded(feed: Feed) -> Document:
    """The project's own copy, observed when it was made.

    A curated record that was edited since is observed now; a package older than the last reading,
    such as one that was fetched, is outdated.
    """
    body, made_at = EMBEDDED[feed.slug]()
    document = Document(body, made_at)
    readings = Observation.objects.filter(source=feed.source).order_by("-observed_at")
    same = readings.filter(digest=document.digest).first()
    if same is not None:
        return replace(document, observed_at=same.observed_at)
    last = readings.first()
    if last is None or made_at > last.observed_at:
        return document
    if known_feed(feed.slug).kind == "curated":
        return replace(document, observed_at=timezone.now())
    return replace(document, is_outdated=True)


def _fetched(feed: Feed) -> Document | Unchanged:
    # A 304 may be trusted only if the validators belong to the body that we hold.
    trusted = bool(feed.current_digest) and feed.validated_digest == feed.current_digest
    answer = fetch(
        feed.address,
        client=from_settings(),
        etag=feed.etag if trusted else "",
        last_modified=feed.last_modified if trusted else "",
    )
    if isinstance(answer, NotModified):
        return Unchanged(timezone.now())
    return Document(
        answer.body,
        timezone.now(),
        etag=answer.etag,
        last_modified=answer.last_modified,
        from_network=True,
    )


def compressed(body: bytes) -> bytes:
    """The bytes as they are archived; the same body always gives the same bytes."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def can_be_read(feed: Feed) -> bool:
    """Whether this installation has a way to the feed: embedded data, or leave to fetch it."""
    return known_feed(feed.slug).is_embedded or feed.slug in settings.NETWORK_FEEDS
