"""Posts a message to a webhook, signed anew at each attempt over exactly the bytes that are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from alerts.channels.answers import shown
from alerts.channels.envelopes import Envelope
from alerts.retrying import Outcome
from alerts.signing import signed_headers
from tracker.outbound.client import Client, Response
from tracker.outbound.errors import BadHeader, BadUrl, OutboundError
from tracker.outbound.limits import WEBHOOK_LIMITS
from tracker.outbound.retry_after import retry_after_seconds

LIMITS = WEBHOOK_LIMITS


def content_of(body: Mapping[str, Any]) -> bytes:
    """The bytes of a body, the same at every attempt."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def send(envelope: Envelope, moment: datetime, client: Client) -> Outcome:
    """Post the envelope; any 2xx is success, and a redirect is not followed."""
    if envelope.secrets is None:
        return Outcome(succeeded=False, error="the channel has no signing secret", permanent=True)
    content = content_of(envelope.body)
    signed = signed_headers(envelope.secrets.valid_at(moment), envelope.message_id, moment, content)
    try:
        response = client.post(
            envelope.address, content=content, headers={"Content-Type": "application/json", **signed}, limits=LIMITS
        )
    except OutboundError as error:
        # An address that is refused or does not resolve today may be mended by its owner: only nonsense is permanent.
        return Outcome(succeeded=False, error=str(error), permanent=isinstance(error, BadUrl | BadHeader))
    return outcome_of(response)


def outcome_of(response: Response) -> Outcome:
    """What an answer means: its status decides, whatever became of its body."""
    succeeded = 200 <= response.status < 300
    return Outcome(
        succeeded=succeeded,
        status_code=response.status,
        answer=shown(response.body),
        error="" if succeeded else _error(response),
        gone=response.status == HTTPStatus.GONE,
        retry_after=None if succeeded else retry_after_seconds(response.headers.get("Retry-After")),
    )


def _error(response: Response) -> str:
    if response.status == HTTPStatus.GONE:
        return "answered 410: it wants no more messages"
    if 300 <= response.status < 400:
        return f"answered {response.status}: redirects are not followed; give the address that it leads to"
    return f"answered {response.status}"
