"""The one error of all kinds of address."""

from __future__ import annotations


class BadAddress(ValueError):
    """An address that cannot be a channel's; the message says what is right and repeats no secret."""
