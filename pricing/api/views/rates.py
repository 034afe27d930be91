"""``rates/``: the exchange rates that apply on a day, as they were published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils import timezone
from rest_framework.request import Request

from pricing.api.filters import RateFilters
from pricing.api.rate_serializers import DaysQuoteSerializer
from pricing.currencies.carried import carried_by
from pricing.currencies.conversion import BASE, NoRate
from pricing.currencies.recorded import current_rates
from pricing.currencies.shapes import quote_shape
from pricing.models import ExchangeRate, Source
from tracker.api import record
from tracker.api.problems import InvalidParameters, parameter_fault
from tracker.api.views import ListView


def today() -> datetime:
    """The beginning of this day in UTC."""
    return datetime.combine(timezone.now().astimezone(UTC), time(), UTC)


def version_with_rates(version: str) -> str:
    """A record's version that also ends with the day, and with the rates that the project carries."""
    return f"{version} {today()} {carried_by()}"


class RateListView(ListView):
    """The rate of each currency on a ``date``, today if left out, as known at ``known_at``.

    A day without a rate has the last one before it: ``date`` says of which day it is. A currency whose first rate is
    later is left out.
    """

    queryset = ExchangeRate.objects.none()
    serializer_class = DaysQuoteSerializer
    filterset_class = RateFilters

    def version(self, request: Request) -> str:
        return version_with_rates(super().version(request))

    def read(self, request: Request) -> Any:
        self.filter_queryset(self.get_queryset())
        quotes = list(self._quotes())
        if not quotes:
            self._refuse_unquoted()
        page = self.paginate_queryset(quotes)
        return self.paginator.page_of([self.narrowed(row) for row in page or ()], self.record_as_of())  # type: ignore[union-attr]

    def record_as_of(self) -> datetime | None:
        """The newest successful reading among the sources of rates."""
        return record.record_as_of(list(Source.objects.filter(kind=Source.Kind.RATES).values_list("pk", flat=True)))

    def _refuse_unquoted(self) -> None:
        """Raise InvalidParameters where a currency that is named had no rate by the day, or none was known then."""
        rates, known_at = current_rates(), self.asked.get("known_at")
        for currency in self.asked.get("currency", ()):
            if currency != BASE:
                try:
                    rates.quote(currency, self._day(), known_at)
                except NoRate as error:
                    name = "known_at" if known_at is not None and "date" not in self.asked else "date"
                    raise InvalidParameters([parameter_fault(name, str(error))]) from None

    def _day(self) -> date:
        day: date = self.asked.get("date") or today().date()
        return day

    def _quotes(self) -> Iterator[dict[str, Any]]:
        rates = current_rates()
        day = self._day()
        for currency in sorted(set(self.asked.get("currency") or rates.currencies) - {BASE}):
            with suppress(NoRate):
                quote = rates.quote(currency, day, self.asked.get("known_at"))
                yield {**quote_shape(quote), "for_date": day.isoformat(), "stands_in": quote.day < day}
