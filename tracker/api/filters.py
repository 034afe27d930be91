"""Filters that take no unknown value: each names what was wrong and, where there are some, the choices.

A parameter that may be repeated means any of its values. Only the filters that a request names are built, so the
others cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django_filters import Filter, FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from tracker.amounts import fits
from tracker.api.moments import EXAMPLE, UnreadableMoment, parse_moment
from tracker.api.nearest import nearest, nearest_in
from tracker.api.problems import Fault, InvalidParameters, parameter_fault

LONGEST_TEXT = 1000
_LARGEST_ID = 2**63 - 1
# An error names so many choices whole; of more it names the nearest, of as many as it may compare.
_ALL_TOLD = 30
_MOST_COMPARED = 2000


class WrongValue(ValidationError):
    """A value that a parameter cannot take, with those that it can."""

    def __init__(self, message: str, choices: Iterable[str] = ()) -> None:
        super().__init__(message, params={"choices": list(choices)})


class _Values(forms.Field):
    """Hands all values of a parameter, as text, to the filter that knows how to read them."""

    widget = forms.MultipleHiddenInput

    def __init__(self, read: Callable[[list[str]], Any]) -> None:
        super().__init__(required=False)
        self.read = read

    def clean(self, value: Any) -> Any:
        return self.read(list(value))


class Parameter(Filter):
    """One query parameter: how its values are read, what they select, and how the schema describes them.

    ``lookup`` is the Django lookup on ``field_name``; a ``method`` of the filter set goes before it, and without
    either the view uses the value by itself.
    """

    several = False
    schema: dict[str, Any] = {"type": "string"}

    def __init__(
        self, lookup: str = "", *, description: str, method: str | Callable[..., Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(method=method, **kwargs)
        self.lookup = lookup
        described = {"type": "array", "items": self.schema} if self.several else self.schema
        extend_schema_field({**described, "description": description})(self)

    @property
    def field(self) -> _Values:
        """The form field that django-filter asks for."""
        return _Values(self.read)

    def read(self, texts: list[str]) -> Any:
        """The values that the texts mean. Raises WrongValue."""
        if len(texts) > 1 and not self.several:
            raise WrongValue("is given more than once")
        for text in texts:
            if len(text) > LONGEST_TEXT or "\0" in text:
                raise WrongValue(f"is not text of up to {LONGEST_TEXT} characters")
        values = [self.value_of(text) for text in texts]
        return values if self.several else values[0]

    def value_of(self, text: str) -> Any:
        """The value that one text means. Raises WrongValue."""
        if not text:
            raise WrongValue("is empty")
        return text

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Select by the lookup."""
        return queryset.filter(**{self.lookup: value}) if self.lookup else queryset


class Texts(Parameter):
    """Any of some texts, taken as they are."""

    several = True


class Recorded(Texts):
    """Any of the values that a column of the record holds; another value is an error that names them."""

    def __init__(self, lookup: str = "", *, model: type[Model], column: str, **kwargs: Any) -> None:
        self.recorded_model = model
        self.column = column
        super().__init__(lookup, **kwargs)

    def value_of(self, text: str) -> str:
        rows = self.recorded_model._default_manager.all()
        if text and text.isprintable() and rows.filter(**{self.column: text}).exists():
            return text
        held = [value for value in self.held(rows) if value]
        if len(held) <= _ALL_TOLD:
            raise WrongValue(f"nothing in the record has the value {text[:100]!r}", held)
        reason = f"nothing in the record has the value {text[:100]!r}; of {len(held)} values these are the nearest"
        raise WrongValue(reason, nearest(text, held))

    def held(self, rows: QuerySet[Any]) -> list[str]:
        """The values that there are, in order; as many as an error may go through."""
        return list(rows.order_by(self.column).values_list(self.column, flat=True).distinct()[:_MOST_COMPARED])


class Currency(Texts):
    """Any of some currencies."""

    def value_of(self, text: str) -> str:
        if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
            raise WrongValue(f"{text!r} is no currency; use its ISO 4217 code, such as USD or CNY")
        return text


class Search(Parameter):
    """Words that must all occur."""

    def value_of(self, text: str) -> list[str]:
        words = text.split()
        if not words:
            raise WrongValue("is empty; give a word to look for")
        return words[:10]


class Choices(Parameter):
    """Any of a closed list of values."""

    several = True

    def __init__(self, lookup: str = "", *, choices: Iterable[str], **kwargs: Any) -> None:
        self.choices = list(choices)
        self.schema = {"type": "string", "enum": self.choices}
        super().__init__(lookup, **kwargs)

    def value_of(self, text: str) -> str:
        if text in self.choices:
            return text
        likely = nearest(text, self.choices, count=1)
        hint = f"; did you mean {likely[0]!r}?" if likely else ""
        raise WrongValue(f"unknown value {text!r}{hint}", self.choices)


class Choice(Choices):
    """One of a closed list of values."""

    several = False


class Flag(Parameter):
    """``true`` or ``false``."""

    schema = {"type": "boolean"}

    def value_of(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise WrongValue(f"unknown value {text!r}", ["true", "false"])
        return text == "true"


class Moment(Parameter):
    """A moment with a time zone."""

    schema = {"type": "string", "format": "date-time"}

    def value_of(self, text: str) -> Any:
        try:
            return parse_moment(text)
        except UnreadableMoment as error:
            raise WrongValue(f"{error}" if text else f"is empty; write a moment such as {EXAMPLE}") from None


class Day(Parameter):
    """A calendar date."""

    schema = {"type": "string", "format": "date"}

    def value_of(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise WrongValue(f"{text!r} is not a date; write it as 2026-05-01") from None


class Number(Parameter):
    """A number that is not negative."""

    schema = {"type": "number", "minimum": 0}

    def value_of(self, text: str) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal(-1)
        if not fits(value) or value < 0 or len(text) > 40:
            raise WrongValue(f"{text!r} is not a number of 0 or more, such as 2.5")
        return value


class Whole(Parameter):
    """A whole number that is not negative."""

    schema = {"type": "integer", "minimum": 0}

    def value_of(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _LARGEST_ID:
            raise WrongValue(f"{text!r} is not a whole number of 0 or more")
        return int(text)


class Wholes(Whole):
    """Any of some whole numbers."""

    several = True


class Named(Parameter):
    """Any of some rows by slug; the value is their primary keys. A slug that names none is an error."""

    several = True

    def __init__(self, model: type[Model], lookup: str = "", *, column: str = "slug", **kwargs: Any) -> None:
        self.named_model = model
        self.column = column
        super().__init__(lookup, **kwargs)

    def read(self, texts: list[str]) -> list[Any]:
        slugs = super().read(texts)
        rows = self.named_model._default_manager.all()
        found = dict(rows.filter(**{f"{self.column}__in": slugs}).values_list(self.column, "pk"))
        for slug in slugs:
            if slug not in found:
                name = self.named_model._meta.verbose_name
                names = list(rows.order_by(self.column).values_list(self.column, flat=True)[: _ALL_TOLD + 1])
                choices = names if len(names) <= _ALL_TOLD else nearest_in(rows, self.column, slug)
                raise WrongValue(f"no {name} {slug[:100]!r}", choices)
        return [found[slug] for slug in slugs]


class StrictFilterSet(FilterSet):
    """A filter set that builds only the filters which the request names."""

    def __init__(
        self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: str | None = None
    ) -> None:
        named = data or {}
        declared: Any = type(self)
        self.base_filters = {name: each for name, each in declared.base_filters.items() if name in named}
        super().__init__(data, queryset, request=request, prefix=prefix)


class StrictFilterBackend(DjangoFilterBackend):
    """Filters by the view's filter set, leaves the values read as ``view.asked``, and names what is wrong."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if filterset.errors:
            raise InvalidParameters(list(_faults(filterset.errors.as_data())))
        view.asked = filterset.form.cleaned_data
        return filterset.qs


def _faults(errors: dict[str, list[ValidationError]]) -> Iterable[Fault]:
    for parameter, wrong in errors.items():
        for error in wrong:
            yield parameter_fault(parameter, str(error.message), (error.params or {}).get("choices", ()))


def words_in(words: Sequence[str], *columns: str) -> Q:
    """The condition that each word occurs in one of the columns."""
    condition = Q()
    for word in words:
        anywhere = Q()
        for column in columns:
            anywhere |= Q(**{f"{column}__icontains": word})
        condition &= anywhere
    return condition
