"""The exchange rates of this installation: what feeds have read, and below it the history that the project carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from threading import Lock

from pricing.currencies.carried import carried_book
from pricing.currencies.conversion import BASE, Quote, Rates, Series
from pricing.models import ExchangeRate, Price


class _Latest:
    rates: Rates | None = None
    newest: tuple[int, datetime] | None = None
    lock = Lock()


def current_rates() -> Rates:
    """All rates, by one query; what was read of them stays in memory until a rate is written by anybody."""
    newest = ExchangeRate.objects.order_by("-pk").values_list("pk", "recorded_at").first()
    with _Latest.lock:
        if _Latest.rates is None or _Latest.newest != newest:
            _Latest.rates, _Latest.newest = Rates(RecordedBook(), carried_book()), newest
        return _Latest.rates


def is_currency(code: str) -> bool:
    """Whether a currency has rates, or anything was ever sold in it."""
    # Most are among those that the project carries, which takes no query.
    if code in carried_book().currencies():
        return True
    return code in current_rates().currencies or Price.objects.filter(currency=code).exists()


class RecordedBook:
    """The rates that feeds have read; those of a currency are read when it is first asked for."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}

    def currencies(self) -> Iterable[str]:
        """The currencies that any row is of."""
        return ExchangeRate.objects.filter(base=BASE).order_by().values_list("currency", flat=True).distinct()

    def on(self, currency: str, day: date, known_at: datetime | None = None) -> Quote | None:
        """The quote of a day, or of the last before it, as known at a moment; None is now."""
        return self._of(currency).on(day, known_at)

    def first(self, currency: str, known_at: datetime | None = None) -> Quote | None:
        """The earliest day's quote, as known at a moment."""
        return self._of(currency).first(known_at)

    def _of(self, currency: str) -> Series:
        found = self._series.get(currency)
        if found is None:
            found = self._series[currency] = Series(currency, _quotes(currency))
        return found


def _quotes(currency: str) -> Iterator[Quote]:
    rows = ExchangeRate.objects.filter(base=BASE, currency=currency).order_by("pk")
    for day, rate, source, known_from in rows.values_list("day", "rate", "source__slug", "known_from").iterator():
        yield Quote(currency, day, rate, source, known_from)
