"""An exact decimal column that sorts and filters by value on every database.

PostgreSQL has ``numeric``. SQLite's decimal column is a float, which loses digits, so there an
amount is fixed-width text whose order is the order of the values.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from tracker.amounts import DIGITS, PLACES, AmountOutOfRange, fits, from_sortable, plain, to_sortable

if TYPE_CHECKING:
    _Field = models.Field[Decimal | str | int | None, Any]
else:
    _Field = models.Field


class AmountField(_Field):
    """A Decimal of up to 38 digits, 18 of them after the point, exact on every database."""

    description = "Exact decimal"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return f"numeric({DIGITS},{PLACES})" if connection.vendor == "postgresql" else f"varchar({DIGITS + 2})"

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value).strip())
        except InvalidOperation:
            raise ValidationError(f"{value!r} is not a decimal number such as 0.435") from None

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if value is not None and not fits(value):
            raise ValidationError(
                f"{value} has more than {DIGITS - PLACES} digits before the point or {PLACES} after it"
            )

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        amount = self.to_python(value)
        if amount is None:
            return None
        if not fits(amount):
            raise AmountOutOfRange(f"{amount} cannot be kept exactly in {DIGITS} digits, {PLACES} after the point")
        return amount if connection.vendor == "postgresql" else to_sortable(amount)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Decimal | None:
        if value is None:
            return None
        return value if isinstance(value, Decimal) else from_sortable(value)

    def value_to_string(self, obj: models.Model) -> str:
        amount = self.to_python(self.value_from_object(obj))
        return "" if amount is None else plain(amount)

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms

        return super().formfield(**{"form_class": forms.DecimalField, **kwargs})


__all__ = ["AmountField", "plain"]
