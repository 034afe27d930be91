"""Text that can stand in XML and in a calendar, and names that stay the same whatever the site is called."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

# What XML 1.0 forbids (section 2.2), and the control characters that it only discourages.
_ILLEGIBLE = re.compile("[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OURS = UUID("e88ae1eb-da07-44f8-8d3c-85f52d37757c")


def legible(text: str) -> str:
    """The text without characters that XML has no place for, and with every line break as XML reads it."""
    return _ILLEGIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """The legible text with every run of spaces and line breaks as one space."""
    return " ".join(legible(text).split())


def lasting_id(*parts: object) -> str:
    """A UUID that is the same for the same parts, in any process and at any time."""
    return str(uuid5(_OURS, "/".join(map(str, parts))))
