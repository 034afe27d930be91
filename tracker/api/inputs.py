"""Reading bodies: fields that say what is wrong with a value and what would be right, and take nothing unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from tracker.amounts import fits, plain
from tracker.api.moments import EXAMPLE, UnreadableMoment, moment_text, parse_moment
from tracker.api.nearest import nearest, nearest_in

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_MOST_NAMED = 200


class _Code(str):
    """The code of an error, with the values that would be right; REST framework keeps nothing else of an error."""

    choices: list[str]

    def __new__(cls, choices: Iterable[str]) -> _Code:
        made = super().__new__(cls, "invalid")
        made.choices = [str(choice) for choice in choices]
        return made


class WrongInput(serializers.ValidationError):
    """A value that a field cannot take, with those that it can."""

    def __init__(self, detail: str, choices: Iterable[str] = ()) -> None:
        super().__init__([ErrorDetail(detail, code=_Code(choices))])


def _described(field: serializers.Field[Any, Any, Any, Any], schema: Any) -> None:
    """Tell the schema what this one field takes, where its class alone does not tell."""
    extend_schema_field(schema)(field)  # type: ignore[type-var]


class StrictSerializer(serializers.Serializer[Any]):
    """Takes the fields that it has, leaves out those that nobody writes, and refuses all others by name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {str(name): self._unknown(str(name)) for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)

    def _unknown(self, name: str) -> list[ErrorDetail]:
        likely = nearest(name, self.fields, count=1)
        hint = f"; did you mean {likely[0]!r}?" if likely else ""
        return [ErrorDetail(f"unknown field{hint}", code=_Code(self.fields))]


class TextInput(serializers.Field[str, Any, str, Any]):
    """Text of a bounded length on one line; numbers and truths are no text."""

    def __init__(self, *, longest: int, may_be_empty: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest
        self.may_be_empty = may_be_empty
        _described(self, {"type": "string", "maxLength": longest})

    def to_internal_value(self, data: Any) -> str:
        right = f"text of {'up' if self.may_be_empty else '1'} to {self.longest} characters"
        if not isinstance(data, str) or len(data) > self.longest or not data.isprintable():
            raise WrongInput(f"is not {right}")
        if not data.strip() and not self.may_be_empty:
            raise WrongInput(f"is empty; {right} was expected")
        return data.strip()

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d*[1-9])?$", "example": "5"})
class AmountInput(serializers.Field[Decimal, Any, str, Any]):
    """An exact decimal above a bound, as text or as a number; written as text."""

    def __init__(self, *, above: int = 0, at_most: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.above, self.at_most = above, at_most

    def to_internal_value(self, data: Any) -> Decimal:
        right = f"a number above {self.above}" + (f" and at most {self.at_most}" if self.at_most is not None else "")
        try:
            value = Decimal(str(data)) if isinstance(data, str | int | float) and not isinstance(data, bool) else None
        except InvalidOperation:
            value = None
        if value is None or len(str(data)) > 60 or not fits(value):
            raise WrongInput(f"is not {right}, such as 5")
        if value <= self.above or (self.at_most is not None and value > self.at_most):
            raise WrongInput(f"is {plain(value)}; {right} was expected")
        return value

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


class WholeInput(serializers.Field[int, Any, int, Any]):
    """A whole number within bounds."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most
        _described(self, {"type": "integer", "minimum": least, "maximum": most})

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool) or not self.least <= data <= self.most:
            raise WrongInput(f"is not a whole number from {self.least} to {self.most}")
        return data

    def to_representation(self, value: int) -> int:
        return value


@extend_schema_field({"type": "boolean"})
class TruthInput(serializers.Field[bool, Any, bool, Any]):
    """true or false, and nothing that is like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise WrongInput("is neither true nor false")
        return data

    def to_representation(self, value: bool) -> bool:
        return value


@extend_schema_field({"type": "string", "format": "date-time", "example": EXAMPLE})
class MomentInput(serializers.Field[datetime, Any, str | None, Any]):
    """A moment with a time zone; written in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            raise WrongInput(f"is not a moment; write it as {EXAMPLE}")
        try:
            return parse_moment(data)
        except UnreadableMoment as error:
            raise WrongInput(str(error)) from None

    def to_representation(self, value: datetime) -> str | None:
        return moment_text(value)


@extend_schema_field({"type": "string", "pattern": _CLOCK.pattern, "example": "22:00"})
class ClockInput(serializers.Field[time, Any, str, Any]):
    """A time of day, hours and minutes."""

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not _CLOCK.fullmatch(data):
            raise WrongInput("is not a time of day; write it as 22:00")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:
        return f"{value:%H:%M}"


class ChoiceInput(serializers.Field[str, Any, str | None, Any]):
    """One of a closed list; where it may be null, null stands for the empty text that is stored."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        super().__init__(**options)
        self.choices = list(choices)
        # Not as a plain enum: the schema would give the same values of other endpoints other names.
        _described(self, {"allOf": [{"type": "string", "enum": self.choices}]})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null and nothing are the empty choice."""
        if self.allow_null and data in (None, ""):
            return ""
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and data in self.choices:
            return data
        likely = nearest(data, self.choices, count=1) if isinstance(data, str) else []
        hint = f"; did you mean {likely[0]!r}?" if likely else ""
        raise WrongInput(f"unknown value {data!r:.100}{hint}", self.choices)

    def to_representation(self, value: str) -> str | None:
        return value or None


class ChoicesInput(serializers.ListField):
    """Any of a closed list, each once."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        super().__init__(child=ChoiceInput(choices), max_length=_MOST_NAMED, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class RowInput(serializers.Field[Any, Any, Any, Any]):
    """A row named by one of its columns. ``rows`` is asked for the rows that may be named, given the serializer."""

    def __init__(self, rows: Any, *, column: str = "slug", **options: Any) -> None:
        super().__init__(**options)
        self.rows = rows
        self.column = column
        _described(self, {"type": "integer" if column == "id" else "string"})

    def to_internal_value(self, data: Any) -> Model:
        rows: QuerySet[Any] = self.rows(self.context) if callable(self.rows) else self.rows.all()
        wanted = int if self.column == "id" else str
        found = None
        if isinstance(data, wanted) and not isinstance(data, bool) and len(str(data)) <= 200 and "\0" not in str(data):
            found = rows.filter(**{self.column: data}).first()
        if found is None:
            name = rows.model._meta.verbose_name
            raise WrongInput(f"no {name} {data!r:.100}", self._choices(rows, str(data)))
        return found

    def _choices(self, rows: QuerySet[Any], wanted: str) -> Iterable[str]:
        if self.column != "id":
            return nearest_in(rows, self.column, wanted)
        # Numbers are not near to each other: of a few all are named.
        few = list(rows.order_by("pk").values_list("pk", flat=True)[:21])
        return map(str, few) if len(few) <= 20 else ()

    def to_representation(self, value: Any) -> Any:
        return getattr(value, self.column)


class RowsInput(serializers.ListField):
    """Rows named by one of their columns, each once."""

    def __init__(self, rows: Any, *, column: str = "slug", **options: Any) -> None:
        super().__init__(child=RowInput(rows, column=column), max_length=_MOST_NAMED, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        return list(dict.fromkeys(super().to_internal_value(data)))

    def to_representation(self, data: Any) -> list[Any]:
        return super().to_representation(data.all() if hasattr(data, "all") else data)


class ItemInput(serializers.Field[Any, Any, Any, Any]):
    """An object within a body, always given whole: in a body that changes only parts it is a part."""

    def __init__(self, serializer: type[serializers.Serializer[Any]], **options: Any) -> None:
        super().__init__(**options)
        self.serializer = serializer
        _described(self, serializer)

    def to_internal_value(self, data: Any) -> Any:
        inner = self.serializer(data=data, context=self.context)
        if not inner.is_valid():
            raise serializers.ValidationError(inner.errors)
        return inner.validated_data

    def to_representation(self, value: Any) -> Any:
        return self.serializer(value, context=self.context).data


class ItemsInput(serializers.ListField):
    """Objects within a body, of which there may be so many."""

    def __init__(self, serializer: type[serializers.Serializer[Any]], *, most: int, **options: Any) -> None:
        super().__init__(child=ItemInput(serializer), max_length=most, **options)
        _described(self, serializer(many=True))

    def to_representation(self, data: Any) -> list[Any]:
        return super().to_representation(data.all() if hasattr(data, "all") else data)
