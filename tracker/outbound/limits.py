"""How much time and how many bytes one outbound call may take."""

from __future__ import annotations

from dataclasses import dataclass

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


@dataclass(frozen=True)
class Limits:
    """The bounds of one call. Bytes of the body are counted both as sent and as decompressed."""

    total_seconds: float  # from the first look-up to the last byte, redirects included
    idle_seconds: float  # without a byte from the server
    connect_seconds: float  # for each of: the name's look-up, one address, the TLS handshake
    body_bytes: int
    header_bytes: int


# The largest known feed is under 4 MiB; a document that no longer fits deserves a person's look.
FEED_LIMITS = Limits(
    total_seconds=120,
    idle_seconds=30,
    connect_seconds=10,
    body_bytes=32 * MEBIBYTE,
    header_bytes=64 * KIBIBYTE,
)
# Of a webhook's answer only the status counts; the start of its body is kept for the attempt log.
WEBHOOK_LIMITS = Limits(
    total_seconds=15,
    idle_seconds=15,
    connect_seconds=5,
    body_bytes=16 * KIBIBYTE,
    header_bytes=32 * KIBIBYTE,
)
