"""Taking one entry of the record apart, field by field, with an error that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from companies.record.files import BadRecord
from tracker.amounts import fits

SOURCE_CLASSES = ("official", "press", "price_feed", "community", "secondary")
CONFIDENCES = ("high", "medium", "low")
PRECISIONS = ("exact", "day", "month", "year", "observed", "unknown")
LONGEST_SENTENCE = 300

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_AMOUNT = re.compile(r"\d+(\.\d+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_URL = re.compile(r"https?://[^\s/]+\.[^\s/]+(/\S*)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a fact was read, and how far it is to be trusted."""

    url: str
    title: str
    source_class: str
    confidence: str


@dataclass(slots=True)
class Fields:
    """One entry's fields and its place, such as ``data/events/openai.yaml, entry 3``.

    Every field that is asked for counts as known; ``close`` refuses the others. All methods raise
    BadRecord. A field that is left out is empty: ``""``, None or ``()``, unless it is required.
    """

    place: str
    values: Mapping[str, object]
    known: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, place: str, content: object) -> Fields:
        """The fields of a mapping."""
        if not isinstance(content, dict):
            raise BadRecord(f"{place}: a mapping of fields was expected, not {_shape(content)}")
        return cls(place, content)

    def refuse(self, name: str, wrong: str) -> NoReturn:
        """Raise BadRecord for a field; ``wrong`` says what is wrong and what would be right."""
        raise BadRecord(f"{self.place}: {name} {wrong}")

    def text(self, name: str, *, required: bool = False, longest: int = 300) -> str:
        """A line of text."""
        value = self._take(name, "", required)
        if not isinstance(value, str):
            self.refuse(name, f"is {_shape(value)}, but text was expected")
        if len(value) > longest:
            self.refuse(name, f"has {len(value)} characters, but {longest} are the most")
        return value

    def prose(self, name: str) -> str:
        """Sentences, none of them longer than LONGEST_SENTENCE characters."""
        value = self.text(name, longest=2000)
        for sentence in _SENTENCE_END.split(value):
            if len(sentence) > LONGEST_SENTENCE:
                self.refuse(name, f"has a sentence of {len(sentence)} characters, but {LONGEST_SENTENCE} are the most")
        return value

    def slug(self, name: str, *, required: bool = True) -> str:
        """Lower-case words joined by hyphens."""
        return self._like(name, _SLUG, "lower-case words joined by hyphens, such as price-cut-2024", required, 150)

    def kind(self, name: str) -> str:
        """Lower-case words joined by underscores."""
        return self._like(name, _NAME, "lower-case words joined by underscores, such as price_cut", True, 40)

    def currency(self, name: str, *, required: bool = True) -> str:
        """An ISO 4217 code."""
        return self._like(name, _CURRENCY, "a currency code such as USD", required)

    def country(self, name: str) -> str:
        """An ISO 3166 code."""
        return self._like(name, _COUNTRY, "a country code such as US", False)

    def url(self, name: str, *, required: bool = False) -> str:
        """A web address."""
        return self._like(name, _URL, "an address that starts with http:// or https://", required, 1000)

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of a few words; required without a default."""
        value = self.text(name, required=default is None) or default
        if value is None or value not in choices:
            self.refuse(name, f"is {value!r}, but one of {', '.join(choices)} was expected")
        return value

    def flag(self, name: str) -> bool:
        """``true`` or ``false``, the default."""
        return self.choice(name, ("true", "false"), "false") == "true"

    def amount(self, name: str) -> Decimal:
        """An exact number from 0 up, as text without exponent."""
        text = self._like(name, _AMOUNT, "a number such as 0.435", True, 60)
        try:
            amount = Decimal(text)
        except InvalidOperation:  # pragma: no cover - the pattern leaves nothing to refuse
            self.refuse(name, f"is {text!r}, but a number such as 0.435 was expected")
        if not fits(amount):
            self.refuse(name, f"is {text}, which has more digits than 20 before the point or 18 after it")
        return amount

    def number(self, name: str) -> int | None:
        """A whole number from 0 up."""
        text = self._like(name, re.compile(r"\d{1,9}"), "a whole number", False)
        return int(text) if text else None

    def day(self, name: str, *, required: bool = False) -> date | None:
        """A date."""
        text = self._like(name, _DAY, "a date such as 2026-08-16", required)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.refuse(name, f"is {text}, which is no day of the calendar")

    def moment(self, name: str) -> datetime | None:
        """A date, which stands for its first instant in UTC, or an instant such as 2026-08-16T16:00:00Z."""
        text = self.text(name)
        if not _MOMENT.fullmatch(text):
            if text and not _DAY.fullmatch(text):
                self.refuse(name, f"is {text!r}, but 2026-08-16 or 2026-08-16T16:00:00Z was expected")
            day = self.day(name)
            return datetime.combine(day, time.min, UTC) if day else None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            self.refuse(name, f"is {text}, which is no moment of the calendar")

    def instant(self, name: str) -> datetime | None:
        """A moment given to the second."""
        text = self.text(name)
        if text and not _MOMENT.fullmatch(text):
            self.refuse(name, f"is {text!r}, but an instant in UTC such as 2026-08-16T16:00:00Z was expected")
        return self.moment(name)

    def items(self, name: str) -> list[object]:
        """A list of anything."""
        value = self._take(name, [], False)
        if not isinstance(value, list):
            self.refuse(name, f"is {_shape(value)}, but a list was expected")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of text."""
        values = self.items(name)
        for value in values:
            if not isinstance(value, str) or not value.strip():
                self.refuse(name, f"holds {_shape(value)}, but a list of text was expected")
        return tuple(str(value) for value in values)

    def entries(self, name: str, *, required: bool = True) -> list[Fields]:
        """A list of mappings; the place of each is numbered from 1 and tells its key or slug."""
        values = self.items(name)
        if required and not values:
            self.refuse(name, "is missing or empty, but a list with at least one entry was expected")
        return [
            Fields.of(f"{self.place}, {_ordinal(name, index, value)}", value) for index, value in enumerate(values, 1)
        ]

    def mapping(self, name: str) -> Fields | None:
        """A mapping inside the entry."""
        value = self._take(name, None, False)
        return None if value is None else Fields.of(f"{self.place}, {name}", value)

    def citation(self) -> Citation:
        """The four fields that every fact has: source_url, source_title, source_class, confidence."""
        return Citation(
            url=self.url("source_url", required=True),
            title=self.text("source_title", required=True, longest=500),
            source_class=self.choice("source_class", SOURCE_CLASSES),
            confidence=self.choice("confidence", CONFIDENCES),
        )

    def owner(self, name: str, expected: str) -> str:
        """The slug of the company that the file belongs to, as in the file's name."""
        value = self.slug(name)
        if value != expected:
            self.refuse(name, f"is {value}, but the file is named {expected}.yaml: both are the company's slug")
        return value

    def close(self) -> None:
        """Refuse fields that nobody asked for: a misspelt one would be lost in silence."""
        unknown = sorted(set(self.values) - self.known)
        if unknown:
            self.refuse(unknown[0], f"is no field of this entry; its fields are {', '.join(sorted(self.known))}")

    def _take(self, name: str, empty: object, required: bool) -> object:
        self.known.add(name)
        value = self.values.get(name, empty)
        if required and value in ("", None):
            self.refuse(name, "is missing, but this entry needs it")
        return value

    def _like(self, name: str, pattern: re.Pattern[str], right: str, required: bool, longest: int = 300) -> str:
        value = self.text(name, required=required, longest=longest)
        if value and not pattern.fullmatch(value):
            self.refuse(name, f"is {value!r}, but {right} was expected")
        return value


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value in ("", None) else repr(value)


def _ordinal(name: str, index: int, value: object) -> str:
    label = ""
    if isinstance(value, dict):
        label = next((str(value[key]) for key in ("key", "slug", "model", "id") if value.get(key)), "")
    return f"{name} {index}" + (f" ({label})" if label else "")
