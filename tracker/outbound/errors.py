"""What can go wrong with an outbound call, each as one line and with whether trying again unchanged can help."""

from __future__ import annotations

_LONGEST_REASON = 300
# Client errors that pass: request timeout, too early, too many requests.
_PASSING_CLIENT_ERRORS = (408, 425, 429)


class OutboundError(Exception):
    """A call that brought no usable answer.

    `permanent` says that the same call will fail again until somebody changes something. `origin` is scheme, host and
    port only: paths and queries of webhook addresses are secrets.
    """

    permanent: bool = False

    def __init__(self, reason: str, *, origin: str = "") -> None:
        super().__init__(reason)
        self.reason = " ".join(reason.split())[:_LONGEST_REASON]
        self.origin = origin

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}" if self.origin else self.reason


class BadUrl(OutboundError):
    """The address is not one that can be called: malformed, or with credentials in it."""

    permanent = True


class BadScheme(BadUrl):
    """The address is neither http nor https."""


class InsecureRedirect(BadScheme):
    """An https address redirects to an http one."""


class BadHeader(OutboundError):
    """The caller's headers cannot be written as HTTP."""

    permanent = True


class AddressRefused(OutboundError):
    """The host leads only to special-purpose addresses that the operator has not allowed."""

    permanent = True


class TooManyRedirects(OutboundError):
    """The server redirects more often than is followed."""

    permanent = True


class TooLarge(OutboundError):
    """The headers, the body as sent or the body as decompressed are larger than the limit."""

    permanent = True


class TooSlow(OutboundError):
    """There was no complete answer in time."""


class ConnectionFailed(OutboundError):
    """The host has no address, cannot be reached, does not prove who it is, or broke off."""


class Unreadable(OutboundError):
    """The body is in a coding that was not asked for, or is damaged or cut short in its coding."""


class StatusError(OutboundError):
    """The server answered with a status that carries no document.

    `retry_after` is the number of seconds after which the server wants to be asked again, already bounded, or None.
    """

    def __init__(self, status: int, *, retry_after: float | None = None, origin: str = "") -> None:
        super().__init__(f"answered with status {status}", origin=origin)
        self.permanent = 400 <= status < 500 and status not in _PASSING_CLIENT_ERRORS
        self.status = status
        self.retry_after = retry_after
