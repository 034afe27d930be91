"""A page of pricing changes as subscribers get it, whatever the format: its entries and where it leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pricing.syndication.contents import Content, Speaker

# What an empty feed says of when it was changed last: every feed has to say something.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. ``id`` is a URN that no move of the site changes; ``terms`` are categories as (scheme, term)."""

    id: str
    title: str
    content: Content
    detected_at: datetime
    author: Speaker
    terms: Sequence[tuple[str, str]]
    address: str
    offering_address: str
    timeline_address: str
    change: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stream:
    """A feed or a page of one. ``first``, ``previous`` and ``following`` are its neighbours (RFC 5005)."""

    id: str
    title: str
    address: str
    home: str
    listing: str
    entries: Sequence[Entry]
    as_of: datetime | None
    first: str
    previous: str | None
    following: str | None

    @property
    def updated_at(self) -> datetime:
        """When its newest entry was detected; without entries the newest reading."""
        return max((entry.detected_at for entry in self.entries), default=self.as_of or NEVER)


SITE = "AI monetization tracker"
DESCRIPTION = "What AI companies charge, and how it changes."
