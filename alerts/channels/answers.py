"""Makes what a receiver answered fit for a log: short, one line, nothing in it that acts."""

from __future__ import annotations

LONGEST = 500


def shown(answer: bytes | str) -> str:
    """The start of an answer with control characters, line ends and invisible marks written as escapes."""
    text = answer[: 2 * LONGEST].decode("utf-8", "backslashreplace") if isinstance(answer, bytes) else answer
    return "".join(map(_escaped, text[:LONGEST]))[:LONGEST]


def one_line(text: str, longest: int = LONGEST) -> str:
    """Text as a single line without control characters and without marks that reorder or hide it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:longest]


def _escaped(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
