"""Why a feed was not refreshed."""

from __future__ import annotations


class RefreshRefused(ValueError):
    """The document or the call cannot be taken; nothing was written."""


class CouldNotFetch(RuntimeError):
    """The document could not be had; nothing was changed, and the feed backs off."""
