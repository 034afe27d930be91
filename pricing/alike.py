"""Whether two ids of one seller may name one thing: how far they are alike, and what that allows to conclude.

A key that is the same for two ids is only an index; ``alike`` decides. Numbers are never joined nor dropped, so that
``gpt-5`` is not ``gpt-5.1`` and ``qwen2-57b`` is not ``qwen2.5-7b``; a second date or another preview is another model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from urllib.parse import unquote

_TOKEN = re.compile(r"[a-z]+|\d+|[^\W\d_]+")
_ZERO_MINOR = re.compile(r"(?<=\d)\.0(?![\d.])")
_LATEST = re.compile(r"[-:@]latest$")
_PREVIEW = re.compile(r"-(preview(?:-\d\d-\d\d|-\d{4})?)$")
_DATE = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d)$")


class Likeness(IntEnum):
    """How far two ids are alike, the closest first."""

    SPELLING = 1
    VENDOR_LEFT_OUT = 2
    DATE_LEFT_OUT = 3
    LOOSE = 4

    @property
    def needs_equal_prices(self) -> bool:
        """Whether the ids alone are too little: another vendor, word order, a preview or an alias of the newest."""
        return self is Likeness.LOOSE

    @property
    def reason(self) -> str:
        """In words."""
        return _REASONS[self]


_REASONS = {
    Likeness.SPELLING: "one id in two spellings",
    Likeness.VENDOR_LEFT_OUT: "one names the vendor, or more of it",
    Likeness.DATE_LEFT_OUT: "one has a date, the other has none",
    Likeness.LOOSE: "the same words apart from the vendor, their order, “preview” or “latest”",
}


@dataclass(frozen=True, slots=True)
class Name:
    """An id taken apart; words are compared as runs of letters and of digits, however they are separated."""

    whole: tuple[str, ...]
    vendor: tuple[str, ...]
    last: tuple[str, ...]
    stem: tuple[str, ...]
    date: str
    preview: str

    @property
    def keys(self) -> frozenset[tuple[str, ...]]:
        """Two ids that are alike share one of these."""
        return frozenset((("whole", *self.whole), ("words", *sorted(self.stem))))


@lru_cache(maxsize=65_536)
def name_of(external_id: str) -> Name:
    """Take an id apart."""
    text = unquote(external_id.strip()).casefold()
    vendor, _, last = text.rpartition("/")
    stem, date, preview = _without_marks(last)
    return Name(_words(text), _words(vendor), _words(last), _words(stem), date, preview)


def alike(one: str, other: str) -> Likeness | None:
    """How far two ids are alike; None where they name two things."""
    a, b = name_of(one), name_of(other)
    if a.whole == b.whole:
        return Likeness.SPELLING
    if a.last == b.last and _one_holds_the_other(a.vendor, b.vendor):
        return Likeness.VENDOR_LEFT_OUT
    if not _compatible(a.date, b.date) or not _compatible(a.preview, b.preview):
        return None
    if a.date != b.date and a.preview != b.preview:
        return None
    is_dated = a.date != b.date
    if is_dated and a.stem == b.stem and _one_holds_the_other(a.vendor, b.vendor):
        return Likeness.DATE_LEFT_OUT
    # Without a number in it the last part is a kind of use, such as text-to-video, and the model stands before it.
    names_model = any(word.isdigit() for word in a.stem)
    return Likeness.LOOSE if sorted(a.stem) == sorted(b.stem) and (names_model or a.vendor == b.vendor) else None


def _compatible(one: str, other: str) -> bool:
    return one == other or not one or not other


def _one_holds_the_other(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether a vendor is the other with words before or after it, such as ``hf:Qwen`` and ``Qwen``, or nothing.

    A number in what is more belongs to the model: ``seedance-2.5/text-to-video`` is not ``seedance-2/text-to-video``.
    """
    short, long = sorted((one, other), key=len)
    if long[: len(short)] == short:
        more = long[len(short) :]
    elif long[len(long) - len(short) :] == short:
        more = long[: len(long) - len(short)]
    else:
        return False
    return not any(word.isdigit() for word in more)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(_ZERO_MINOR.sub("", text)))


def _without_marks(last: str) -> tuple[str, str, str]:
    """An id's last part without what marks a version of the same name: date, preview, latest."""
    stem = _LATEST.sub("", last)
    dated = _DATE.search(stem)
    date = dated.group(1).replace("-", "") if dated else ""
    stem = stem[: dated.start()] if dated else stem
    previewed = _PREVIEW.search(stem)
    preview = previewed.group(1) if previewed else ""
    return (stem[: previewed.start()] if previewed else stem), date, preview
