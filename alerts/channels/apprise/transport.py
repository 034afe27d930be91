"""Hands a message to Apprise, whose calls go through this site's own outbound client."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cache
from typing import Any

from alerts.channels.answers import one_line, shown
from alerts.channels.apprise.schemas import SCHEMAS
from alerts.channels.envelopes import Envelope
from alerts.retrying import Outcome
from alerts.wording import Words, words_of
from tracker.outbound.client import Client
from tracker.outbound.retry_after import retry_after_seconds

LONGEST_TITLE = 200
# The narrowest of the services that people use takes 2,000 characters; each says the rest at its link.
LONGEST_TEXT = 1_800
_STORIES_SHOWN = 5


def send(envelope: Envelope, moment: datetime, client: Client) -> Outcome:
    """Send the envelope; a service that answers well has taken it."""
    if envelope.address.partition("://")[0].lower() not in SCHEMAS:
        return Outcome(succeeded=False, error="this kind of Apprise address is not taken any more", permanent=True)
    from alerts.channels.apprise.requests_adapter import through

    service = _service_at(envelope.address)
    if service is None:
        return Outcome(succeeded=False, error="Apprise cannot read this address", permanent=True)
    words = words_of(envelope.subject, envelope.body)
    with through(client) as exchanges:
        taken = service.notify(title=one_line(words.title, LONGEST_TITLE), body=text_of(words))
    answer = exchanges.answer
    status = answer.status if answer else None
    said = shown(answer.body) if answer else ""
    if taken:
        return Outcome(succeeded=True, status_code=status, answer=said)
    why = str(exchanges.failure) if exchanges.failure else f"answered {status}" if status else "nothing was sent"
    wait = retry_after_seconds(answer.headers.get("Retry-After")) if answer else None
    return Outcome(
        succeeded=False, status_code=status, answer=said, error=f"the service did not take it: {why}", retry_after=wait
    )


def text_of(words: Words) -> str:
    """The words of a message below its title, short enough for a chat."""
    lines = [*words.money, *words.cheaper]
    for story in words.stories[:_STORIES_SHOWN]:
        lines += [] if story.title == words.title else [story.title]
        lines += [
            story.when,
            *(f"{row.what} {row.unit}: {row.old} -> {row.new} {row.percent}".rstrip() for row in story.rows),
        ]
        lines.append(story.link)
    if len(words.stories) > _STORIES_SHOWN:
        lines.append(f"and {len(words.stories) - _STORIES_SHOWN} more")
    text = "\n".join([*lines, *words.notes])
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _service_at(address: str) -> Any:
    service = _apprise().instantiate(address, suppress_exceptions=True)
    if service:
        # Not the address's to choose: a wait between calls would hold a thread.
        service.request_rate_per_sec = service.retry = service.wait = 0
    return service


@cache
def _apprise() -> Any:
    """Apprise, loaded once: no log of its own (it writes addresses), and no way out but the checked client."""
    from apprise import Apprise

    from alerts.channels.apprise import requests_adapter

    logging.getLogger("apprise").disabled = True
    requests_adapter.install()
    return Apprise
