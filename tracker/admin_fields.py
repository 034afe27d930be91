"""Form fields of the admin: exact amounts, moments in UTC, and lists that are typed one entry per line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextareaWidget

from tracker.amounts import DIGITS, PLACES, fits, plain

_ADDRESS = re.compile(r"https?://\S+")


class AmountFormField(forms.DecimalField):
    """An exact decimal, shown without exponent or trailing zeros."""

    def validate(self, value: Decimal | None) -> None:
        super().validate(value)  # type: ignore[arg-type]
        if value is not None and not fits(value):
            raise ValidationError(f"an amount has at most {DIGITS - PLACES} digits before the point and {PLACES} after")

    def prepare_value(self, value: Any) -> Any:
        return plain(value) if isinstance(value, Decimal) and value.is_finite() else value


class UtcDateTimeFormField(forms.SplitDateTimeField):
    """A day and a time of day in UTC; a day alone means its first moment."""

    widget = UnfoldAdminSplitDateTimeWidget

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list:
            return None
        day, clock = data_list
        if day is None:
            if clock is None:
                return None
            raise ValidationError("a time needs a day", code="invalid_date")
        assert isinstance(day, date)
        return datetime.combine(day, clock or time(0), tzinfo=UTC)


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "One a line.")
        super().__init__(**{"required": False, "widget": UnfoldAdminTextareaWidget(attrs={"rows": 3}), **options})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data)


class CitationsField(LinesField):
    """Further sources of a fact, one a line: the address, then the title."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "One a line: the address, then the title.")
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{entry.get('url', '')} {entry.get('title', '')}".strip() for entry in value)

    def clean(self, value: Any) -> list[dict[str, str]]:
        return [self._entry(line) for line in super().clean(value)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(str(self.prepare_value(initial or [])), data)

    @staticmethod
    def _entry(line: str) -> dict[str, str]:
        address, _, title = line.partition(" ")
        if not _ADDRESS.fullmatch(address):
            raise ValidationError(f"{address!r} is not an address; write it as https://example.org/page The title")
        return {"url": address, "title": title.strip()} if title.strip() else {"url": address}
