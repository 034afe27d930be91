"""Writing moments and amounts in the admin's templates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import template

from tracker import amounts, moments

register = template.Library()


@register.filter
def utc(moment: datetime | None) -> str:
    """The moment to the minute, in UTC."""
    return moments.utc(moment)


@register.filter
def plain(amount: Decimal | None) -> str:
    """The amount without exponent or trailing zeros; a dash for none."""
    return "—" if amount is None else amounts.plain(amount)


@register.filter
def percent(amount: Decimal | None) -> str:
    """A signed change in percent, or nothing."""
    return "" if amount is None else f"{amount:+.2f}%"
