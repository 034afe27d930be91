"""What happened to real prices, told to the ledger as it became known, and asked of the API as a reader would ask.

The samples are small and written by hand; amounts are USD per 1M tokens (input/output) unless a story says more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from companies.models import Company
from pricing import ledger
from pricing.calendar_text import read_calendar
from pricing.claims import Claim, Conditions, SlotRule
from pricing.clock import follow_the_clock
from pricing.models import Offering
from tests.costing.asking import results
from tests.pricing.believing import price
from tests.pricing.stages import Stage, assert_clean, kinds, last_change
from tests.pricing.worlds import ORIGIN, Quote
from web.front_page import upcoming

TODAY = "2026-11-23"
INPUT, OUTPUT = Conditions("input_tokens"), Conditions("output_tokens")
SetDate = Callable[[str], None]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(text: str) -> float:
    return (at(text) - ORIGIN) / timedelta(days=1)


@pytest.fixture
def it_is(monkeypatch: pytest.MonkeyPatch) -> SetDate:
    """Let it be another day; time passes with a tick, as it does."""

    def set_date(text: str) -> None:
        monkeypatch.setattr(timezone, "now", lambda: at(text))
        follow_the_clock()

    return set_date


@pytest.fixture
def stage(db: None) -> Any:
    yield Stage()
    assert_clean()


def announced_at(url: str) -> ledger.Ruling:
    """Somebody who cites where it was read."""
    return ledger.Ruling(by=None, note="as announced", citation_url=url)


def claims(prices: str, since: str | None = None, until: str | None = None, **conditions: str) -> list[Claim]:
    """The input and the output price, such as ``2/10``, over an interval."""
    dates = (None if since is None else at(since), None if until is None else at(until))
    amounts = zip(("input_tokens", "output_tokens"), prices.split("/"), strict=True)
    return [
        Claim(Conditions(meter, **conditions), Decimal(amount), "USD", *dates, "exact")  # type: ignore[arg-type]
        for meter, amount in amounts
    ]


def quotes(stated: Sequence[Claim]) -> list[Quote]:
    """The claims as a feed gives them."""
    return [Quote("model", claim) for claim in stated]


def seller(slug: str, name: str) -> Company:
    return Company.objects.create(slug=slug, name=name)


def ask(client: Client, path: str, **query: str) -> list[dict[str, Any]]:
    """The rows that the API answers."""
    moments = {key: f"{value}Z" if "T" in value else f"{value}T00:00:00Z" for key, value in query.items()}
    moments |= {key: query[key] for key in query.keys() - {"as_of", "known_at"}}
    response = client.get(f"/api/v1/{path}/", moments)
    assert response.status_code == 200, response.content
    rows: list[dict[str, Any]] = response.json()["results"]
    return rows


def prices(client: Client, **query: str) -> str:
    """Input and output, such as ``2/10``."""
    rows = {row["meter"]: row["amount"] for row in ask(client, "prices", **query)}
    return f"{rows.get('input_tokens')}/{rows.get('output_tokens')}"


def million_in(client: Client, model: str, moment: str, **line: str) -> str | None:
    """What a million tokens in cost at a moment."""
    call = {"seller": "deepseek", "model": model, "at": f"{moment}Z", "usage": {"input_tokens": 1_000_000}, **line}
    (result,) = results(client, call)
    assert result["error"] is None, result
    total: str | None = result["total"]
    return total


class TestSonnet5sIncreaseThatNeverCame:
    """2/10 as an introduction from 2026-06-30, 3/15 announced for 2026-09-01, and cancelled on 2026-08-10.

    Read in the price histories of simonw/llm-prices, which still shows 3/15, and pydantic/genai-prices.
    """

    URL = "https://github.com/simonw/llm-prices"

    @pytest.fixture(autouse=True)
    def history(self, stage: Stage, it_is: SetDate) -> Offering:
        sonnet = stage.offering("claude-sonnet-5", seller("anthropic", "Anthropic"))
        it_is("2026-06-30")
        ledger.state_together(sonnet, claims("2/10"), announced_at(self.URL))
        it_is("2026-06-30T12:00")
        ledger.announce(sonnet, claims("3/15", "2026-09-01"), announced_at(self.URL))
        it_is("2026-08-10")
        ledger.retract(sonnet, at("2026-09-01"), announced_at("https://github.com/pydantic/genai-prices"))
        it_is("2026-09-02")
        it_is(TODAY)
        return sonnet

    @pytest.mark.parametrize(("said_on", "believed"), [("2026-07-01", "3/15"), ("2026-08-15", "2/10"), (TODAY, "2/10")])
    def test_what_was_said_of_the_first_of_september(self, client: Client, said_on: str, believed: str) -> None:
        assert prices(client, as_of="2026-09-01", known_at=said_on) == believed

    def test_a_reader_of_the_first_of_july_pays_what_was_introduced(self, client: Client) -> None:
        assert prices(client, as_of="2026-07-01", known_at="2026-07-01") == "2/10"

    def test_announced_increases_that_never_came_can_be_listed(self, client: Client, history: Offering) -> None:
        (change,) = ask(client, "changes", kind="retracted")
        assert change["announced_for"] == "2026-09-01T00:00:00Z"
        assert [(line["old"], line["new"]) for line in change["lines"]] == [("2", "3"), ("10", "15")]
        assert kinds(history) == ["listed", "announced", "retracted"]

    def test_a_call_of_october_is_billed_at_what_it_cost(self, client: Client) -> None:
        assert million_in(client, "claude-sonnet-5", "2026-10-01T00:00:00", seller="anthropic") == "2"


class TestDeepSeeksNightsOf2025:
    """Off-peak from 16:30 to 00:30 UTC at half the price of V3, until 2025-09-05 16:00, when V3.1 came at 0.56/1.68.

    Read in DeepSeek's own pricing page, api-docs.deepseek.com/quick_start/pricing.
    """

    ENDED = "2025-09-05T16:00"

    @pytest.fixture(autouse=True)
    def history(self, stage: Stage, it_is: SetDate) -> None:
        chat = stage.offering("deepseek-chat")
        ends = at(self.ENDED)
        nights = (
            SlotRule("off-peak", ((990, 30),), effective_until=ends),
            SlotRule("peak", is_rest=True, effective_until=ends),
        )
        sheet = claims("0.27/1.1", "2025-02-26", self.ENDED, slot="peak")
        sheet += claims("0.135/0.55", "2025-02-26", self.ENDED, slot="off-peak")
        sheet += claims("0.56/1.68", self.ENDED)
        it_is("2025-09-06")
        stage.read("models-dev", days("2025-09-06"), {chat: quotes(sheet)}, hours={chat.pk: nights})
        it_is(TODAY)

    @pytest.mark.parametrize(
        ("moment", "total"),
        [
            ("2025-06-03T16:29:59", "0.27"),
            ("2025-06-03T16:30:00", "0.135"),
            ("2025-06-03T23:59:59", "0.135"),
            ("2025-06-04T00:29:59", "0.135"),
            ("2025-06-04T00:30:00", "0.27"),
            ("2025-09-05T15:59:59", "0.27"),
            ("2025-09-05T16:00:00", "0.56"),
            ("2025-09-05T17:00:00", "0.56"),
        ],
    )
    def test_a_call_costs_what_the_hour_says(self, client: Client, moment: str, total: str) -> None:
        assert million_in(client, "deepseek-chat", moment) == total


class TestDeepSeekV4ByTheHour:
    """Announced on 2026-06-29: double at peak from mid-July. What came, on 2026-08-16 16:00, was another price.

    Pro 0.66/1.98 off-peak and 1.32/3.96 from 01:00 to 04:00 and from 06:00 to 10:00 UTC; from 2026-08-22 16:00 on the
    whole weekend is off-peak. Read in the discussion sst/models.dev#4891 and in pydantic/genai-prices.
    """

    URL = "https://github.com/sst/models.dev/pull/4891"
    CAME = "2026-08-16T16:00"
    DAILY = "peak: 01:00-04:00, 06:00-10:00 UTC\noff-peak: rest"
    WORKING_DAYS = "peak: Mon-Fri 09:00-12:00, 14:00-18:00 Asia/Shanghai\noff-peak: rest"

    @pytest.fixture(autouse=True)
    def history(self, stage: Stage, it_is: SetDate) -> Offering:
        pro = stage.offering("deepseek-v4-pro")
        said = announced_at(self.URL)
        it_is("2026-06-20")
        ledger.state_together(pro, claims("0.435/0.87", "2026-06-01", "2026-07-15"), said)
        it_is("2026-06-29")
        ledger.announce(pro, self._by_the_hour("0.87/1.74", "0.435/0.87", "2026-07-15"), said, keeps_rest=False)
        ledger.state_calendar(pro, read_calendar(self.DAILY), said, effective_from=at("2026-07-15"))
        it_is("2026-07-14")
        ledger.reschedule(pro, at("2026-07-15"), at(self.CAME), said)
        it_is("2026-08-15")
        ledger.announce(pro, self._by_the_hour("1.32/3.96", "0.66/1.98", self.CAME), said)
        it_is("2026-08-20")
        ledger.state_calendar(pro, read_calendar(self.WORKING_DAYS), said, effective_from=at("2026-08-22T16:00"))
        it_is("2026-08-23")
        it_is(TODAY)
        return pro

    @staticmethod
    def _by_the_hour(peak: str, rest: str, since: str) -> list[Claim]:
        return [*claims(peak, since, slot="peak"), *claims(rest, since, slot="off-peak")]

    @pytest.mark.parametrize(
        ("moment", "total"),
        [
            ("2026-08-16T15:59:59", "0.435"),
            ("2026-08-16T16:00:00", "0.66"),
            ("2026-08-16T23:59:59", "0.66"),
            ("2026-08-17T00:59:59", "0.66"),
            ("2026-08-17T01:00:00", "1.32"),
            ("2026-08-17T04:00:00", "0.66"),
            ("2026-08-17T09:59:59", "1.32"),
            ("2026-08-22T02:00:00", "1.32"),
            ("2026-08-23T02:00:00", "0.66"),
            ("2026-08-24T00:30:00", "0.66"),
            ("2026-08-24T02:00:00", "1.32"),
            ("2026-08-29T02:00:00", "0.66"),
        ],
    )
    def test_a_call_costs_what_weekday_and_hour_say(self, client: Client, moment: str, total: str) -> None:
        assert million_in(client, "deepseek-v4-pro", moment) == total

    def test_in_july_one_expected_double_at_peak(self, client: Client) -> None:
        july = {"known_at": "2026-07-01T00:00:00Z"}
        assert million_in(client, "deepseek-v4-pro", "2026-07-20T02:00:00", **july) == "0.87"
        assert million_in(client, "deepseek-v4-pro", "2026-07-20T05:00:00", **july) == "0.435"
        assert million_in(client, "deepseek-v4-pro", "2026-07-20T02:00:00") == "0.435"

    def test_the_stream_tells_what_was_said_and_what_came(self, history: Offering) -> None:
        told = kinds(history)
        assert told[:2] == ["listed", "announced"]
        assert told.count("rescheduled") == 1
        came = history.changes.get(effective_at=at(self.CAME), kind="restructured")
        assert came.nature == "market"


class TestV4ProsPromotionWithAMovingEnd:
    """1.74/3.48 with a promotion at 0.435/0.87 until 2026-05-05, then until 05-31 15:59; made permanent on 05-22.

    Read in Portkey-AI/models#744 and the histories of models.dev and genai-prices.
    """

    URL = "https://github.com/Portkey-AI/models/pull/744"

    @pytest.fixture(autouse=True)
    def history(self, stage: Stage, it_is: SetDate) -> Offering:
        pro = stage.offering("deepseek-v4-pro")
        said = announced_at(self.URL)
        it_is("2026-04-24")
        ledger.state_together(pro, claims("1.74/3.48"), said)
        it_is("2026-04-26")
        ledger.state_together(pro, claims("0.435/0.87", None, "2026-05-05T15:59", layer="promo"), said)
        it_is("2026-05-01")
        ledger.extend_promotion(pro, at("2026-05-31T15:59"), said)
        it_is("2026-05-22")
        ledger.make_permanent(pro, said, at=at("2026-05-31T15:59"))
        it_is("2026-06-01")
        it_is(TODAY)
        return pro

    @pytest.mark.parametrize(
        ("known_at", "total"),
        [("2026-04-27", "1.74"), ("2026-05-02", "0.435"), ("2026-05-20", "0.435"), (TODAY, "0.435")],
    )
    def test_what_the_tenth_of_may_was_thought_to_cost(self, client: Client, known_at: str, total: str) -> None:
        known = {"known_at": f"{known_at}T00:00:00Z"}
        assert million_in(client, "deepseek-v4-pro", "2026-05-10T00:00:00", **known) == total

    @pytest.mark.parametrize(("known_at", "total"), [("2026-05-20", "1.74"), ("2026-05-23", "0.435")])
    def test_what_june_was_thought_to_cost(self, client: Client, known_at: str, total: str) -> None:
        known = {"known_at": f"{known_at}T00:00:00Z"}
        assert million_in(client, "deepseek-v4-pro", "2026-06-10T00:00:00", **known) == total

    def test_the_promotion_ended_without_a_price_moving(self, history: Offering) -> None:
        assert kinds(history) == ["listed", "promo_started", "promo_extended", "announced", "promo_ended"]
        assert "promotion made permanent" in last_change(history).headline


class TestO3BeforeAndAfterItsCut:
    """10/40 until 2025-06-10, 2/8 since. Read in simonw/llm-prices and pydantic/genai-prices."""

    def test_the_price_is_that_of_the_day(self, stage: Stage, it_is: SetDate, client: Client) -> None:
        o3 = stage.offering("o3", seller("openai", "OpenAI"))
        it_is("2025-10-11")
        history = [*claims("10/40", "2025-04-16", "2025-06-10"), *claims("2/8", "2025-06-10")]
        stage.read("llm-prices", days("2025-10-11"), {o3: quotes(history)})
        assert prices(client, as_of="2025-06-09T23:59:59") == "10/40"
        assert prices(client, as_of="2025-06-10") == "2/8"
        (moved,) = ask(client, "changes", kind="decrease", initial="true")
        assert [line["percent"] for line in moved["lines"]] == ["-80.00", "-80.00"]


class TestGeminisScheduledIncrease:
    """Flash goes from 0.75/3.75 to 1.5/7.5 on 2027-01-01, as pydantic/genai-prices schedules it."""

    @pytest.fixture(autouse=True)
    def history(self, stage: Stage, it_is: SetDate) -> Offering:
        flash = stage.offering("gemini-3.8-flash", seller("google", "Google"))
        it_is("2026-10-01")
        stage.read("genai-prices", days("2026-10-01"), {flash: quotes(claims("0.75/3.75"))})
        it_is("2026-11-01")
        scheduled = [*claims("0.75/3.75", until="2027-01-01"), *claims("1.5/7.5", "2027-01-01")]
        stage.read("genai-prices", days("2026-11-01"), {flash: quotes(scheduled)})
        it_is(TODAY)
        return flash

    def test_it_is_announced_and_upcoming(self, client: Client) -> None:
        (change,) = ask(client, "changes", kind="announced")
        assert change["announced_for"] == "2027-01-01T00:00:00Z"
        assert [(line["old"], line["new"], line["percent"]) for line in change["lines"]] == [
            ("0.75", "1.5", "+100.00"),
            ("3.75", "7.5", "+100.00"),
        ]
        assert [row.at for row in upcoming(timezone.now())] == [at("2027-01-01")]

    def test_a_call_of_january_is_priced_ahead(self, client: Client) -> None:
        assert prices(client, as_of=TODAY) == "0.75/3.75"
        assert prices(client, as_of="2027-01-01") == "1.5/7.5"

    def test_it_is_told_once_more_when_it_comes(self, history: Offering, it_is: SetDate) -> None:
        it_is("2027-01-01")
        it_is("2027-01-02")
        assert kinds(history) == ["listed", "announced", "increase"]


def test_a_price_in_yuan_is_read_in_dollars_at_the_rate_of_its_day(
    stage: Stage, it_is: SetDate, client: Client
) -> None:
    """Doubao Pro at CNY 0.0008 per 1k tokens in, in May 2024, as the press of 2024-05-23 has it; rates by the ECB."""
    doubao = stage.offering("doubao-pro-32k", seller("bytedance", "ByteDance"))
    it_is("2024-05-23T18:00")
    yuan = price("0.8", currency="CNY")
    stage.read("models-dev", days("2024-05-23T17:00"), {doubao: [yuan]})
    (row,) = ask(client, "prices", as_of="2024-05-23T18:00", currency="USD")
    assert row["sold"] == {"amount": "0.8", "currency": "CNY"}
    assert (row["currency"], row["rate"]["date"], row["rate"]["source"]) == ("USD", "2024-05-23", "ecb")
    assert Decimal("0.109") < Decimal(row["amount"]) < Decimal("0.112")


class TestDeepSeeksSearchesThatBeginToCost:
    """Search and fetch calls were free and cost CNY 5 per 1,000 from 2026-11-01 in Beijing on.

    Read in October in DeepSeek's own pricing page, api-docs.deepseek.com/zh-cn/quick_start/pricing.
    """

    BEGINS = "2026-10-31T16:00"

    SEARCHES = Conditions("web_searches")

    @pytest.fixture(autouse=True)
    def history(self, stage: Stage, it_is: SetDate) -> Offering:
        pro = stage.offering("deepseek-v4-pro")
        said = announced_at("https://api-docs.deepseek.com/zh-cn/quick_start/pricing")
        it_is("2026-10-01")
        ledger.state_together(pro, [Claim(self.SEARCHES, Decimal(0), "CNY"), *claims("0.66/1.98")], said)
        it_is("2026-10-15")
        ledger.announce(pro, [Claim(self.SEARCHES, Decimal(5), "CNY", at(self.BEGINS), None, "day")], said)
        it_is("2026-11-01")
        it_is(TODAY)
        return pro

    def test_free_is_a_price_and_then_they_cost(self, client: Client) -> None:
        def searches(**query: str) -> str:
            (row,) = ask(client, "prices", meter="web_searches", **query)
            return str(row["amount"])

        assert searches(as_of="2026-10-31T15:59:59") == "0"
        assert searches(as_of=self.BEGINS) == "5"
        assert searches(as_of="2026-11-02", known_at="2026-10-10") == "0"

    def test_they_became_paid(self, client: Client, history: Offering) -> None:
        assert kinds(history) == ["listed", "announced", "became_paid"]
        (change,) = ask(client, "changes", kind="became_paid")
        assert (change["effective_at"], change["lines"][0]["percent"]) == (f"{self.BEGINS}:00Z", None)
