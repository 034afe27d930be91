"""Serializer fields that write values as the API writes them everywhere."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracker.api.moments import moment_text
from tracker.fields import plain

AMOUNT_EXAMPLE = "0.435"


@extend_schema_field(
    {"type": "string", "pattern": r"^-?\d+(\.\d*[1-9])?$", "description": "Exact decimal.", "example": AMOUNT_EXAMPLE}
)
class AmountText(serializers.Field[Decimal, Any, str, Any]):
    """An exact amount as text, without exponent or trailing zeros."""

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentText(serializers.Field[datetime, Any, str | None, Any]):
    """A moment in UTC, ending in Z."""

    def to_representation(self, value: datetime) -> str | None:
        return moment_text(value)


def percent_text(percent: Decimal | None) -> str | None:
    """A change in percent, signed, with two places: ``+51.72``."""
    return None if percent is None else f"{percent:+.2f}"
