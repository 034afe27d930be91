"""What of the record the start page tells."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.ledger import Ruling, pin
from tests.api import factories as make
from tests.web.small_market import START, WEEK, SmallMarket, costs, promotion
from web.front_page import (
    MOVES_SHOWN,
    announced_events,
    counts,
    front_page,
    known_moves,
    latest_changes,
    latest_events,
    upcoming,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MOVES = ("increase", "decrease", "corrected")


def test_a_first_load_is_not_news() -> None:
    SmallMarket().read(START, {"one": [costs("3")], "two": [costs("4")]})

    page = front_page(NOW)

    assert page.moves == []
    assert page.listings == []


def test_a_price_that_moved_between_two_readings_shows_the_window() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("6")]})

    [move] = latest_changes(MOVES, 10)

    assert move.headline == "one at Acme AI: input 3 -> 6 USD per 1M tokens, +100.00%"
    assert move.when == "between 2026-03-01 00:00 UTC and 2026-03-08 00:00 UTC"
    assert (move.company, move.kind_words, move.is_correction) == ("Acme AI", "increase", False)


def test_a_day_shows_no_time() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3", effective_from=START - WEEK)]})
    moved = datetime(2026, 3, 5, tzinfo=UTC)
    market.read(
        START + WEEK,
        {"one": [costs("3", effective_from=START - WEEK, effective_until=moved), costs("2", effective_from=moved)]},
    )

    [move] = latest_changes(("decrease",), 10)

    assert move.when == "2026-03-05"


def test_the_newest_change_comes_first_and_the_list_is_short() -> None:
    market = SmallMarket()
    for week in range(MOVES_SHOWN + 3):
        market.read(START + week * WEEK, {"one": [costs(str(week + 1))]})

    moves = front_page(NOW).moves

    assert len(moves) == MOVES_SHOWN
    assert moves[0].headline.startswith(f"one at Acme AI: input {MOVES_SHOWN + 2} -> {MOVES_SHOWN + 3} USD")


def test_of_one_reading_the_move_that_took_effect_last_comes_first() -> None:
    market = SmallMarket()
    early, late = datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 6, tzinfo=UTC)
    market.read(START, {"late": [costs("3", effective_from=START)], "early": [costs("3", effective_from=START)]})
    market.read(
        START + WEEK,
        {
            "late": [costs("3", effective_from=START, effective_until=late), costs("4", effective_from=late)],
            "early": [costs("3", effective_from=START, effective_until=early), costs("4", effective_from=early)],
        },
    )

    assert [move.when for move in latest_changes(MOVES, 10)] == ["2026-03-06", "2026-03-03"]


def test_a_flood_of_new_offerings_leaves_room_for_the_moves() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("6")]})
    market.read(START + 2 * WEEK, {"one": [costs("6")]} | {f"new {n}": [costs("1")] for n in range(40)})

    page = front_page(NOW)

    assert [move.kind for move in page.moves] == ["increase"]
    assert {change.kind for change in page.listings} == {"listed"}


def test_a_correction_is_marked() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    offering = market.reference("one").offering
    pin(offering, costs("5", effective_from=START), Ruling(by=None))

    [change] = latest_changes(MOVES, 10)

    assert change.is_correction
    assert change.kind_words == "correction"


def test_old_documents_are_history_and_not_news() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]}, backfilled=True)
    market.read(START + WEEK, {"one": [costs("6")]}, backfilled=True)

    page = front_page(NOW)

    assert page.moves == []
    assert [move.kind for move in page.history] == ["increase"]


def test_history_tells_the_dated_moves_of_a_first_load_and_not_its_listings() -> None:
    moved = datetime(2026, 1, 20, tzinfo=UTC)
    dated = [costs("4", effective_from=START - 20 * WEEK, effective_until=moved), costs("3", effective_from=moved)]
    SmallMarket().read(START, {"one": dated, "two": [costs("9")]})

    history = known_moves(NOW)

    assert [(move.kind, move.when) for move in history] == [("decrease", "2026-01-20")]


def test_history_gives_way_once_there_is_news_enough() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("1")]}, backfilled=True)
    market.read(START + WEEK, {"one": [costs("2")]}, backfilled=True)
    for week in range(2, 8):
        market.read(START + week * WEEK, {"one": [costs(str(week + 1))]})

    assert front_page(NOW).history == []


def test_a_price_for_a_later_date_is_upcoming_beside_the_one_in_force() -> None:
    market = SmallMarket()
    rises = datetime(2026, 9, 1, tzinfo=UTC)
    market.read(
        START,
        {"one": [costs("3", effective_from=START, effective_until=rises), costs("5", effective_from=rises)]},
    )

    [row] = upcoming(NOW)

    assert (row.when, row.offering, row.ends) == ("2026-09-01", "one", False)
    assert row.lines == ("input: 5 USD per 1M tokens, now 3 USD",)


def test_the_upcoming_lines_of_one_offering_are_one_row_with_the_plainest_first() -> None:
    rises = datetime(2026, 9, 1, tzinfo=UTC)
    meters = ["cache_read_tokens", "output_tokens", "web_searches", "input_tokens"]
    SmallMarket().read(START, {"one": [costs("5", meter, effective_from=rises) for meter in meters]})

    [row] = upcoming(NOW)

    assert [line.partition(":")[0] for line in row.lines] == ["input", "output", "cache read"]
    assert row.more == 1


def test_a_promotion_that_ends_is_upcoming() -> None:
    until = datetime(2026, 7, 1, tzinfo=UTC)
    SmallMarket().read(START, {"one": [costs("3"), promotion("1", until)]})

    [row] = upcoming(NOW)

    assert row.ends
    assert (row.when, row.lines) == ("2026-07-01", ("input (promo): 1 USD per 1M tokens",))


def test_what_has_begun_is_no_longer_upcoming() -> None:
    rises = datetime(2026, 9, 1, tzinfo=UTC)
    SmallMarket().read(START, {"one": [costs("5", effective_from=rises)]})

    assert upcoming(rises) == []


def test_the_counts_leave_out_prices_that_ended_or_are_to_come() -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3"), costs("4", "output_tokens")], "two": [costs("1")]})
    market.read(START + WEEK, {"one": [costs("5"), costs("4", "output_tokens")], "two": [costs("1")]})
    market.read(
        START + 2 * WEEK,
        {
            "one": [costs("5"), costs("4", "output_tokens")],
            "two": [costs("1")],
            "three": [costs("9", effective_from=NOW + WEEK)],
        },
    )

    found = counts(NOW)

    assert found.prices_in_force == 3
    assert (found.companies, found.offerings, found.on_sale) == (1, 3, 3)


def test_events_of_the_past_and_of_the_future_are_told_apart() -> None:
    market = SmallMarket()
    market.event("Cuts prices", announced_on=date(2026, 4, 1), effective_on=date(2026, 5, 1))
    market.event("Begins to charge", announced_on=date(2026, 5, 20))
    market.event("Will double", announced_on=date(2026, 5, 25), effective_on=date(2027, 1, 1))
    market.event("Has no date")

    assert [event.title for event in latest_events(NOW.date())] == ["Begins to charge", "Cuts prices"]
    assert [event.title for event in announced_events(NOW.date())] == ["Will double"]


def test_an_event_is_dated_no_better_than_it_is_known() -> None:
    market = SmallMarket()
    day, moment = date(2026, 5, 10), datetime(2026, 5, 10, 16, tzinfo=UTC)
    market.event("In a month", effective_on=day, precision="month")
    market.event("On a day", effective_on=day, precision="day")
    market.event("At a moment", effective_on=day, effective_at=moment, precision="exact")

    told = {event.title: event.when for event in latest_events(NOW.date())}

    assert told == {"In a month": "May 2026", "On a day": "2026-05-10", "At a moment": "2026-05-10 16:00 UTC"}


def test_only_addresses_that_a_browser_may_follow_are_links() -> None:
    market = SmallMarket()
    market.event("Good", announced_on=date(2026, 5, 2), source_url="https://example.org/a", source_title="A page")
    market.event("Bad", announced_on=date(2026, 5, 1), source_url="javascript:alert(1)", source_title="A trap")

    good, bad = latest_events(NOW.date())

    assert (good.source_url, good.source_title) == ("https://example.org/a", "A page")
    assert (bad.source_url, bad.source_title) == ("", "A trap")


def test_the_page_costs_the_same_few_queries_however_large_the_record() -> None:
    market = SmallMarket()
    later = [costs("3"), costs("5", effective_from=NOW + timedelta(days=9))]
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("4")], "two": later})
    with CaptureQueriesContext(connection) as few:
        front_page(NOW)
    many = {f"model {n}": later for n in range(60)}
    market.read(START + 2 * WEEK, {"one": [costs("5")], "two": later} | many)
    with CaptureQueriesContext(connection) as still_few:
        front_page(NOW)

    assert len(still_few) <= len(few) <= 17


def test_the_page_counts_what_is_in_doubt() -> None:
    line = make.line(make.offering())
    make.hold(line)
    make.hold(line, "6", closed_at=NOW, outcome="lapsed")
    make.disagreement(line)
    counted = front_page(NOW).counts
    assert (counted.holds, counted.disagreements) == (1, 1)
