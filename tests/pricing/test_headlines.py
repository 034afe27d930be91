"""The one line of a change that may be the subject of an alert."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pricing.claims import Conditions
from pricing.headlines import LONGEST, headline
from pricing.moves import ChangedLine, Happening
from pricing.timeline import Value
from tests.pricing.believing import day
from tests.pricing.worlds import LONG, PLAIN, PROMO

OUTPUT = Conditions("output_tokens")


def value(amount: str | None, currency: str = "USD") -> Value | None:
    return None if amount is None else (Decimal(amount), currency, "")


def line(old: str | None, new: str | None, conditions: Conditions = PLAIN) -> ChangedLine:
    return ChangedLine(conditions, value(old), value(new))


def told(kind: str, *lines: ChangedLine, announced_for: datetime | None = None) -> str:
    nature = "correction" if kind == "corrected" else "market"
    return headline("DeepSeek V4 Pro", Happening(kind, nature, day(7), "observed", day(0), announced_for, lines))


def test_a_move_is_told_with_unit_and_percent() -> None:
    assert told("increase", line("0.435", "0.66")) == (
        "DeepSeek V4 Pro: input 0.435 -> 0.66 USD per 1M tokens, +51.72%"
    )


def test_amounts_are_told_without_exponent_or_trailing_zeros() -> None:
    assert "0.000001 -> 100 USD" in told("increase", line("1E-6", "1.00E+2"))


def test_the_best_known_meter_stands_for_the_rest_and_the_rest_is_counted() -> None:
    found = told("decrease", line("4", "2", OUTPUT), line("2", "1"), line("3", "2", LONG))
    assert found.startswith("DeepSeek V4 Pro: input 2 -> 1 USD")
    assert found.endswith("-50.00% (and 2 more)")


def test_a_first_price_has_no_arrow_and_no_percent() -> None:
    found = told("listed", line(None, "3"))
    assert "listed" in found and "3 USD per 1M tokens" in found
    assert "->" not in found and "%" not in found


def test_an_announcement_names_its_day() -> None:
    assert "announced for 2026-01-31" in told("announced", line("1", "2"), announced_for=day(30))


def test_an_extended_promotion_names_its_new_end() -> None:
    happening = Happening("promo_extended", "market", day(150.5), "observed", None, None, (line("0.5", None, PROMO),))
    assert headline("DeepSeek V4 Pro", happening) == (
        "DeepSeek V4 Pro: promotion extended to 2026-05-31 12:00 UTC, input (promo) 0.5 USD per 1M tokens"
    )


def test_an_announced_withdrawal_is_told_as_an_end() -> None:
    assert "end announced for 2026-01-31, input was 1 USD" in told("announced", line("1", None), announced_for=day(30))


def test_an_announcement_at_an_hour_names_the_hour_in_utc() -> None:
    assert "announced for 2026-01-31 12:00 UTC" in told("announced", line("1", "2"), announced_for=day(30.5))


def test_a_new_currency_is_told_on_both_sides() -> None:
    changed = ChangedLine(PLAIN, value("1"), value("7", "CNY"))
    assert "1 USD -> 7 CNY per 1M tokens" in told("currency_changed", changed)


def test_conditions_that_set_a_line_apart_are_told() -> None:
    assert "input (above 200,000 tokens)" in told("price_added", line(None, "3", LONG))
    assert "input (promo)" in told("promo_started", line(None, "1", PROMO))
    batch = Conditions("cache_read_tokens", service_tier="batch", region="eu")
    assert "cache read (batch, eu)" in told("price_added", line(None, "1", batch))


def test_a_headline_is_cut_where_it_would_be_too_long() -> None:
    long = Conditions("input_tokens", variant="x" * 400)
    found = told("price_added", line(None, "1", long))
    assert len(found) == LONGEST and found.endswith("…")


def test_a_flat_price_that_became_peak_and_off_peak_says_from_what_to_what() -> None:
    lines = (
        line("0.435", None),
        line(None, "0.66", Conditions("input_tokens", slot="off-peak")),
        line(None, "1.32", Conditions("input_tokens", slot="peak")),
    )
    happening = Happening("restructured", "market", day(1), "exact", None, None, lines)
    said = "restructured, input 0.435 -> 0.66 (off-peak), 1.32 (peak) USD per 1M tokens, +51.72% (and 2 more)"
    assert headline("DeepSeek V4 Pro", happening) == f"DeepSeek V4 Pro: {said}"
