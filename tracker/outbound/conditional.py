"""Fetches a document again only if it changed since the version that is held."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tracker.outbound.client import Client, Response
from tracker.outbound.errors import StatusError
from tracker.outbound.limits import FEED_LIMITS, Limits
from tracker.outbound.retry_after import retry_after_seconds
from tracker.outbound.urls import checked_url, origin_of

_LONGEST_VALIDATOR = 500


@dataclass(frozen=True)
class Fetched:
    """A document, and the validators to ask with the next time; an empty one was not given."""

    body: bytes
    etag: str
    last_modified: str


@dataclass(frozen=True)
class NotModified:
    """The document is still the one that the validators sent belong to; these validators are its newest."""

    etag: str
    last_modified: str


def fetch(
    url: str, *, client: Client, etag: str = "", last_modified: str = "", limits: Limits = FEED_LIMITS
) -> Fetched | NotModified:
    """Return the document at `url`, or that it is unchanged.

    `etag` and `last_modified` must belong to the body that the caller holds: give them only then. The body is handed
    over as it is; whether it is the document that was expected is for the caller to judge. Raises StatusError for every
    status but 200 and a 304 that was asked for, and the other OutboundErrors.
    """
    asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    sent = {name: value for name, value in asked.items() if value}
    response = client.get(url, headers=sent, limits=limits)
    if response.status == 200:
        return Fetched(response.body, _validator(response, "ETag"), _validator(response, "Last-Modified"))
    if response.status == 304 and sent:
        return NotModified(
            _validator(response, "ETag") or etag,
            _validator(response, "Last-Modified") or last_modified,
        )
    raise _status_error(response)


def _validator(response: Response, name: str) -> str:
    """Return a validator that can be sent back as it came, else nothing: then the next fetch is a full one."""
    value: str = response.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR else ""


def _status_error(response: Response) -> StatusError:
    origin = origin_of(checked_url(httpx.URL(response.url)))
    return StatusError(
        response.status, retry_after=retry_after_seconds(response.headers.get("Retry-After")), origin=origin
    )
