"""What a webhook's address must be, and how it is shown."""

from __future__ import annotations

from alerts.channels.addresses import BadAddress
from tracker.outbound.errors import BadUrl
from tracker.outbound.urls import checked_url, origin_of

LONGEST = 2000


def checked(address: str) -> str:
    """The address as it is called. Raises BadAddress."""
    if len(address) > LONGEST or not address.isprintable() or " " in address:
        raise BadAddress(f"the address must be one URL of up to {LONGEST} characters, without spaces")
    try:
        url = checked_url(address)
    except BadUrl as error:
        raise BadAddress(error.reason) from None
    return str(url.copy_with(fragment=None))


def shown(address: str) -> str:
    """Scheme and host alone: receivers put their secrets into path and query."""
    url = checked_url(address)
    rest = url.raw_path not in (b"", b"/")
    return f"{origin_of(url)}/{'…' if rest else ''}"
