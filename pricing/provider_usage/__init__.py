"""A provider's own usage body as a usage of ours: which fields count as what, and which say nothing to us."""

from __future__ import annotations

from decimal import localcontext

from pricing.likeness import misspelt
from pricing.provider_usage.aliases import ALIASES
from pricing.provider_usage.formats import FORMATS
from pricing.provider_usage.reading import MappedUsage, read_body
from pricing.usage import UsageError
from tracker.amounts import EXACT

__all__ = ["FORMATS", "MappedUsage", "map_usage"]

_NAMES = (*FORMATS, *ALIASES)


def map_usage(format_name: str, body: object) -> MappedUsage:
    """Map a body in a provider's format: its whole answer, or the usage object in it.

    Raises UsageError, whose field is ``provider_usage.format`` or the path in the body that is wrong.
    """
    name = format_name.strip().lower().replace("_", "-")
    form = FORMATS.get(ALIASES.get(name, name))
    if form is None:
        choices = misspelt(name, _NAMES, count=3) or list(FORMATS)
        detail = f"there is no format {format_name[:100]!r}; choices are {', '.join(FORMATS)}"
        raise UsageError("provider_usage.format", detail, choices)
    if not isinstance(body, dict):
        raise UsageError("provider_usage.body", f"is {type(body).__name__}; an object was expected")
    # Counts are added, and may have more digits than are usually kept.
    with localcontext(EXACT):
        return read_body(form, body)
