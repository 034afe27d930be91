"""Whole stories, as feeds and people tell them over months."""

from __future__ import annotations

from pricing import ledger
from pricing.claims import Conditions
from pricing.models import PricingChange, PricingChangeLine
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, assert_clean, believed, claim, kinds, last_change
from tests.pricing.worlds import PROMO
from tracker.amounts import plain

OUTPUT = Conditions("output_tokens")
CACHED = Conditions("cache_read_tokens")


def sheet(entry: str, cached: str, answer: str) -> list:  # type: ignore[type-arg]
    return [price(entry), price(cached, CACHED), price(answer, OUTPUT)]


def test_a_price_list_read_weekly_in_which_prices_move_twice(stage: Stage) -> None:
    chat, other = stage.offering("deepseek-chat"), stage.offering("deepseek-reasoner")
    weeks = {
        0: {chat: sheet("0.27", "0.07", "1.1"), other: sheet("0.55", "0.14", "2.19")},
        7: {chat: sheet("0.27", "0.07", "1.1"), other: sheet("0.55", "0.14", "2.19")},
        14: {chat: sheet("0.56", "0.07", "1.68"), other: sheet("0.56", "0.07", "1.68")},
        21: {chat: sheet("0.56", "0.07", "1.68"), other: sheet("0.56", "0.07", "1.68")},
        28: {chat: sheet("0.28", "0.028", "0.42"), other: sheet("0.28", "0.028", "0.42")},
    }
    for at, said in weeks.items():
        stage.read("models-dev", at, said)
    assert kinds(chat) == ["listed", "increase", "decrease"]
    assert kinds(other) == ["listed", "mixed", "decrease"]
    assert believed(chat) == [
        (0, 14, "0.27", "observed", None),
        (14, 28, "0.56", "observed", 7),
        (28, None, "0.28", "observed", 21),
    ]
    moved = PricingChangeLine.objects.filter(change=last_change(chat)).order_by("percent")
    assert [plain(row.percent) for row in moved if row.percent is not None] == ["-75", "-60", "-50"]
    assert believed(chat, known_at=day(20))[-1] == (14, None, "0.56", "observed", 7)


def test_a_second_source_that_comes_later_and_speaks_first(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("openrouter", 10)
    stage.source("litellm", 30)
    stage.read("litellm", 0, {offering: sheet("1", "0.1", "2")})
    stage.read("litellm", 30, {offering: sheet("1", "0.1", "2")})
    stage.read("openrouter", 40, {offering: [price("3"), price("0.1", CACHED), price("2", OUTPUT)]})
    assert believed(offering) == [(0, 40, "1", "observed", None), (40, None, "3", "observed", None)]
    assert kinds(offering) == ["listed", "corrected"]
    assert PricingChangeLine.objects.filter(change=last_change(offering)).count() == 1
    stage.read("litellm", 50, {offering: sheet("9", "0.1", "2")})
    assert kinds(offering) == ["listed", "corrected"]
    for at in (60, 70, 80):
        stage.read("openrouter", at, {})
    assert believed(offering)[-1] == (60, None, "9", "observed", None)
    assert (last_change(offering).kind, last_change(offering).nature) == ("corrected", "correction")


def test_older_documents_loaded_after_the_newest_tell_the_same_history(stage: Stage) -> None:
    late, early = stage.offering("late"), stage.offering("early")
    amounts = {0: "1", 7: "1", 14: "2", 21: "2", 28: "3"}
    for at in (28, 0, 14, 21, 7):
        stage.read("backfilled", at, {late: [price(amounts[at])]}, backfilled=True)
    for at in sorted(amounts):
        stage.read("in order", at, {early: [price(amounts[at])]})
    assert believed(late) == believed(early)
    moves = [change for change in kinds(late) if change != "corrected"]
    assert moves[0] == "listed" and set(moves[1:]) == {"increase"}
    assert PricingChange.objects.filter(offering=late, backfilled=False).count() == 0


def test_an_older_document_moves_a_beginning_back_without_news(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 28, {offering: [price("1")]})
    stage.read("models-dev", 0, {}, backfilled=True)
    assert believed(offering) == [(28, None, "1", "observed", 0)]
    stage.read("models-dev", 14, {offering: [price("1")]}, backfilled=True)
    assert believed(offering) == [(14, None, "1", "observed", 0)]
    assert kinds(offering) == ["listed"]


def test_a_price_that_is_gone_for_two_readings_and_comes_back_never_moved(stage: Stage) -> None:
    offering = stage.offering()
    for at, said in ((0, [price("1")]), (7, []), (14, []), (21, [price("1")])):
        stage.read("models-dev", at, {offering: said})
        assert believed(offering) == [(0, None, "1", "observed", None)]
    assert kinds(offering) == ["listed"]


def test_an_increase_is_announced_postponed_and_taken_back(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("genai-prices", 0, {offering: [price("1", since=-100)]})
    for at, since in ((7, 40), (14, 60)):
        stage.read("genai-prices", at, {offering: [price("1", since=-100, until=since), price("2", since=since)]})
    stage.read("genai-prices", 21, {offering: [price("1", since=-100)]})
    assert kinds(offering) == ["listed", "announced", "rescheduled", "retracted"]
    assert believed(offering, known_at=day(10))[-1] == (40, None, "2", "exact", None)
    assert believed(offering) == [(-100, None, "1", "exact", None)]


def test_a_promotion_is_extended_and_then_made_permanent(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("genai-prices", 0, {offering: [price("2")]})
    stage.read("genai-prices", 7, {offering: [price("2"), price("0.5", PROMO, until=30)]})
    stage.read("genai-prices", 25, {offering: [price("2"), price("0.5", PROMO, until=60)]})
    stage.read("genai-prices", 40, {offering: [price("0.5")]})
    assert kinds(offering)[:3] == ["listed", "promo_started", "promo_extended"]
    assert believed(offering)[-1] == (40, None, "0.5", "observed", 25)


def test_an_editors_price_is_confirmed_by_a_feed_that_comes_to_say_the_same(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    offering = stage.offering()
    clock(10)
    stage.read("models-dev", 0, {offering: [price("1")]})
    ledger.state(offering, claim("2", since=20), person)
    changes = kinds(offering)
    clock(30)
    stage.read("models-dev", 14, {offering: [price("1")]})
    stage.read("models-dev", 21, {offering: [price("2")]})
    assert changes == ["listed", "announced"]
    assert kinds(offering) == [*changes, "increase"]
    assert believed(offering) == [(0, 20, "1", "observed", None), (20, None, "2", "exact", None)]


def test_two_ids_of_one_source_make_one_offering(stage: Stage) -> None:
    offering = stage.offering()
    both = [price("1", external_id="deepseek-chat"), price("2", external_id="deepseek/deepseek-chat")]
    stage.read("litellm", 0, {offering: both})
    assert believed(offering) == [(0, None, "2", "observed", None)]
    for at in (7, 14, 21):
        stage.read("litellm", at, {offering: both[:1]})
    assert believed(offering) == [(0, 7, "2", "observed", None), (7, None, "1", "observed", None)]
    assert kinds(offering) == ["listed", "corrected"]
    assert_clean()
