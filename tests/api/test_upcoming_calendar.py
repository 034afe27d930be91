"""upcoming.ics: what is coming, as calendars subscribe to it, and what of it was taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from companies.models import AIModel, Company
from pricing import ledger
from pricing.calendar_text import read_calendar
from pricing.claims import Conditions
from pricing.models import CalendarStatement, Offering, RouteStatement, Source
from tests.api import factories as make
from tests.api.contract import fault_of
from tests.api.subscriptions import SubscriptionContract
from tests.pricing.believing import day, price
from tests.pricing.stages import Stage, claim
from tests.pricing.worlds import PROMO

PATH = "/api/v1/upcoming.ics"
OUTPUT = Conditions("output_tokens")
SetClock = Callable[[float], None]
BY = ledger.Ruling(by=None, note="as announced", citation_url="https://example.com/pricing")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Set what the wall clock shows, in days."""

    def set_clock(number: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: day(number))

    set_clock(100)
    return set_clock


@pytest.fixture
def stage(db: None) -> Stage:
    return Stage()


@pytest.fixture
def offering(stage: Stage, clock: SetClock) -> Offering:
    """DeepSeek V4, whose input costs 1 and output 4; it is day 100."""
    found = stage.offering()
    stage.read("models-dev", 0, {found: [price("1"), price("4", OUTPUT)]})
    return found


@pytest.fixture
def record(offering: Offering) -> None:
    """Two prices announced for day 120."""
    ledger.announce(offering, [claim("2", since=120), claim("8", OUTPUT, since=120)], BY)


def events(client: Client, **query: Any) -> list[Any]:
    """The events of the calendar, each checked for what RFC 5545 asks of it."""
    response = client.get(PATH, query)
    assert response.status_code == 200, response.content
    assert all(len(line) <= 75 for line in response.content.split(b"\r\n"))
    calendar = icalendar.Calendar.from_ical(response.content)
    found = calendar.walk("VEVENT")
    assert len({event["UID"] for event in found}) == len(found)
    for event in found:
        assert not event.errors
        assert event["DTSTAMP"].dt <= timezone.now()
        assert event["SEQUENCE"] >= 0
    return list(found)


def told(client: Client, **query: Any) -> list[tuple[str, Any, str]]:
    """Of each event its kind, when it begins, and its status."""
    return [(event.categories[0], event.start, event["STATUS"]) for event in events(client, **query)]


class TestUpcoming(SubscriptionContract):
    path = PATH
    template = PATH
    media_type = "text/calendar; charset=utf-8"

    @pytest.fixture(autouse=True)
    def rows(self, record: None) -> None:
        """Make the rows before each test."""


class TestPrices:
    def test_prices_announced_together_are_one_event(self, client: Client, record: None, offering: Offering) -> None:
        (event,) = events(client)
        assert event["SUMMARY"] == ("DeepSeek V4 at DeepSeek: input 1 -> 2 USD per 1M tokens, +100.00% (and 1 more)")
        assert event.start == day(120)
        assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 0)
        assert "output 4 -> 8 USD per 1M tokens, +100.00%" in event["DESCRIPTION"]
        assert "Evidence: https://example.com/pricing" in event["DESCRIPTION"]
        assert client.get(event["URL"]).json()["id"] == offering.pk

    def test_day_month_and_year_are_whole_days(self, client: Client, offering: Offering) -> None:
        for number, (precision, since, _) in enumerate(
            [
                ("day", datetime(2027, 3, 5, tzinfo=UTC), date(2027, 3, 6)),
                ("month", datetime(2027, 4, 1, tzinfo=UTC), date(2027, 5, 1)),
                ("year", datetime(2028, 1, 1, tzinfo=UTC), date(2029, 1, 1)),
            ]
        ):
            line = make.line(offering, "web_searches", region=f"r{number}")
            make.price(line, "1", since, precision=precision, known_from=day(90))
        spans = [(event.start, event.end) for event in events(client)]
        assert spans == [
            (date(2027, 3, 5), date(2027, 3, 6)),
            (date(2027, 4, 1), date(2027, 5, 1)),
            (date(2028, 1, 1), date(2029, 1, 1)),
        ]

    def test_a_price_announced_again_is_the_same_event_with_a_higher_sequence(
        self, client: Client, record: None, offering: Offering, clock: SetClock
    ) -> None:
        (first,) = events(client)
        clock(101)
        ledger.announce(offering, [claim("3", since=120)], BY)
        (second,) = events(client)
        assert second["UID"] == first["UID"]
        assert second["SEQUENCE"] > first["SEQUENCE"]
        assert "input 1 -> 3 USD" in second["SUMMARY"]

    def test_what_was_taken_back_is_cancelled_for_90_days(
        self, client: Client, record: None, offering: Offering, clock: SetClock
    ) -> None:
        (first,) = events(client)
        clock(101)
        ledger.retract(offering, day(120), BY)
        (second,) = events(client)
        assert (second["UID"], second["STATUS"]) == (first["UID"], "CANCELLED")
        assert second["SEQUENCE"] > first["SEQUENCE"]
        assert second["SUMMARY"].startswith("Not to come: DeepSeek V4")
        assert "input 1 -> 2 USD" in second["SUMMARY"]
        clock(190)
        assert len(events(client)) == 1
        clock(193)
        assert events(client) == []

    def test_what_was_put_off_is_cancelled_then_and_told_anew(
        self, client: Client, record: None, offering: Offering, clock: SetClock
    ) -> None:
        (first,) = events(client)
        clock(101)
        ledger.reschedule(offering, day(120), day(140), BY)
        assert told(client) == [("price", day(120), "CANCELLED"), ("price", day(140), "CONFIRMED")]
        assert events(client)[0]["UID"] == first["UID"]

    def test_what_was_taken_back_and_announced_again_is_to_come(
        self, client: Client, record: None, offering: Offering, clock: SetClock
    ) -> None:
        sequences = [events(client)[0]["SEQUENCE"]]
        clock(101)
        ledger.retract(offering, day(120), BY)
        sequences.append(events(client)[0]["SEQUENCE"])
        clock(102)
        ledger.announce(offering, [claim("2", since=120)], BY)
        (event,) = events(client)
        assert event["STATUS"] == "CONFIRMED"
        assert sequences[0] < sequences[1] < event["SEQUENCE"]

    def test_what_has_begun_is_no_longer_to_come(self, client: Client, record: None, clock: SetClock) -> None:
        tag = client.get(PATH).headers["ETag"]
        assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 304
        clock(120)
        assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 200
        assert events(client) == []

    def test_a_price_that_ends_without_another_is_said_to(self, client: Client, stage: Stage, clock: SetClock) -> None:
        found = stage.offering()
        ledger.state(found, claim("3", since=50, until=130), BY)
        (event,) = events(client)
        assert (event.start, event.categories[0]) == (date.fromisoformat(f"{day(130):%Y-%m-%d}"), "price")
        assert "no price is known from then on" in event["DESCRIPTION"]

    def test_a_source_that_does_not_allow_republishing_is_said_to(self, client: Client, record: None) -> None:
        Source.objects.update(may_republish=False, name="OpenRouter")
        assert "OpenRouter does not allow its data to be republished." in events(client)[0]["DESCRIPTION"]


class TestPromotions:
    @pytest.fixture
    def promoted(self, stage: Stage, clock: SetClock) -> Offering:
        """Input is 2, and 0.5 by a promotion until day 130."""
        found = stage.offering()
        ledger.state(found, claim("2", since=0), BY)
        ledger.state(found, claim("0.5", PROMO, since=50, until=130), BY)
        return found

    def test_the_end_of_a_promotion_says_the_price_that_then_holds(self, client: Client, promoted: Offering) -> None:
        (event,) = events(client)
        assert event["SUMMARY"] == (
            "DeepSeek V4 at DeepSeek: promotion ends, input 0.5 -> 2 USD per 1M tokens, +300.00%"
        )
        assert (event.categories[0], event.start) == ("promotion end", day(130).date())

    def test_a_promotion_that_is_extended_ends_later(self, client: Client, promoted: Offering, clock: SetClock) -> None:
        clock(101)
        ledger.extend_promotion(promoted, day(160), BY)
        assert told(client) == [
            ("promotion end", day(130).date(), "CANCELLED"),
            ("promotion end", day(160).date(), "CONFIRMED"),
        ]

    def test_a_promotion_that_ended_early_is_cancelled(
        self, client: Client, promoted: Offering, clock: SetClock
    ) -> None:
        clock(101)
        ledger.end_promotion(promoted, BY)
        assert told(client) == [("promotion end", day(130).date(), "CANCELLED")]


class TestRoutesAndHours:
    def test_a_reroute_is_told_put_off_and_cancelled(
        self, client: Client, stage: Stage, offering: Offering, clock: SetClock
    ) -> None:
        Company.objects.filter(pk=stage.seller.pk).update(kind="lab")
        flash = stage.offering("DeepSeek V4 Flash")
        ledger.state(flash, claim("0.2", since=0), BY)
        ledger.reroute(offering, flash, BY, at=day(120))
        (event,) = events(client)
        assert event["SUMMARY"] == "DeepSeek V4 at DeepSeek: rerouted to DeepSeek V4 Flash"
        clock(101)
        ledger.reschedule_route(RouteStatement.objects.get(), BY, at=day(130))
        assert told(client) == [("route", day(120), "CANCELLED"), ("route", day(130), "CONFIRMED")]
        clock(102)
        ledger.retire_route(RouteStatement.objects.latest("pk"), BY)
        assert told(client) == [("route", day(120), "CANCELLED"), ("route", day(130), "CANCELLED")]

    def test_new_hours_are_told_and_taken_back(self, client: Client, stage: Stage, clock: SetClock) -> None:
        found = stage.offering()
        peak, rest = Conditions("input_tokens", slot="peak"), Conditions("input_tokens", slot="off-peak")
        ledger.state_together(found, [claim("2", peak, since=0), claim("1", rest, since=0)], BY)
        ledger.state_calendar(found, read_calendar("peak: 01:00-04:00 UTC\noff-peak: rest"), BY, effective_from=day(0))
        later = read_calendar("peak: Mon-Fri 01:00-04:00 UTC\noff-peak: rest")
        ledger.state_calendar(found, later, BY, effective_from=day(120.5))
        (event,) = events(client)
        assert (event.categories[0], event.start) == ("calendar", day(120.5))
        assert "peak: Mon–Fri 01:00–04:00 UTC" in event["DESCRIPTION"]
        clock(101)
        ledger.retire_calendar(CalendarStatement.objects.latest("pk"), BY)
        assert told(client) == [("calendar", day(120.5), "CANCELLED")]


class TestDates:
    @pytest.fixture
    def dated(self, offering: Offering) -> AIModel:
        """A model that is deprecated and retires, and an offering of it that retires."""
        model = make.ai_model(
            "deepseek-v4",
            name="DeepSeek-V4",
            developer=offering.seller,
            deprecated_on=date(2027, 1, 15),
            retired_on=date(2027, 6, 30),
        )
        offering.model, offering.retired_on = model, date(2027, 5, 1)
        offering.save()
        make.ai_model("gone", retired_on=day(50).date())
        return model

    def test_retirements_and_deprecations_are_whole_days(self, client: Client, dated: AIModel, clock: SetClock) -> None:
        assert told(client) == [
            ("deprecation", date(2027, 1, 15), "CONFIRMED"),
            ("retirement", date(2027, 5, 1), "CONFIRMED"),
            ("retirement", date(2027, 6, 30), "CONFIRMED"),
        ]
        summaries = [event["SUMMARY"] for event in events(client)]
        assert summaries[1:] == ["DeepSeek V4 at DeepSeek: retires", "DeepSeek-V4 of DeepSeek: retires"]
        assert all(client.get(event["URL"]).status_code == 200 for event in events(client))

    def test_a_day_that_a_person_moved_is_cancelled(self, client: Client, dated: AIModel) -> None:
        before = {event["UID"]: event for event in events(client, kind="retirement", model="deepseek-v4")}
        dated.retired_on = date(2027, 9, 30)
        dated.save()
        found = {event.start: event for event in events(client, kind="retirement")}
        assert found[date(2027, 6, 30)]["STATUS"] == "CANCELLED"
        assert found[date(2027, 6, 30)]["UID"] in before
        assert found[date(2027, 6, 30)]["SEQUENCE"] == 1
        assert found[date(2027, 9, 30)]["STATUS"] == "CONFIRMED"
        dated.retired_on = date(2027, 6, 30)
        dated.save()
        back = {event.start: event for event in events(client, kind="retirement")}
        assert (back[date(2027, 6, 30)]["STATUS"], back[date(2027, 6, 30)]["SEQUENCE"]) == ("CONFIRMED", 2)


class TestFilters:
    @pytest.fixture
    def everything(self, record: None, offering: Offering, stage: Stage) -> Offering:
        """Announced prices and a retirement at DeepSeek, a promotion of its model that ends at Azure."""
        model = make.ai_model("deepseek-v4", developer=offering.seller)
        Offering.objects.filter(pk=offering.pk).update(model=model, retired_on=date(2027, 5, 1))
        resold = stage.offering("DS V4", make.company("azure"))
        Offering.objects.filter(pk=resold.pk).update(model=model)
        ledger.state(resold, claim("2", since=0), BY)
        ledger.state(resold, claim("0.5", PROMO, since=50, until=130), BY)
        return resold

    @pytest.mark.parametrize(
        ("asked", "kinds"),
        [
            ({}, ["price", "promotion end", "retirement"]),
            ({"seller": "azure"}, ["promotion end"]),
            ({"seller": ["azure", "deepseek"]}, ["price", "promotion end", "retirement"]),
            ({"company": "deepseek"}, ["price", "promotion end", "retirement"]),
            ({"company": "deepseek", "seller": "deepseek"}, ["price", "retirement"]),
            ({"model": "deepseek-v4", "kind": "promotion_end"}, ["promotion end"]),
            ({"kind": ["price", "retirement"]}, ["price", "retirement"]),
            ({"kind": ["route", "calendar", "deprecation"]}, []),
            ({"meter": "output_tokens"}, ["price"]),
            ({"meter": "web_searches"}, []),
        ],
    )
    def test_each_selects(self, client: Client, everything: Offering, asked: Any, kinds: list[str]) -> None:
        assert [kind for kind, _, _ in told(client, **asked)] == kinds

    def test_offering(self, client: Client, everything: Offering) -> None:
        assert [kind for kind, _, _ in told(client, offering=everything.pk)] == ["promotion end"]
        assert "no offering 999999" in fault_of(client.get(PATH, {"offering": 999999}), "offering")["detail"]

    @pytest.mark.parametrize("name", ["seller", "model", "company", "offering", "meter", "kind"])
    def test_an_unknown_value_is_named(self, client: Client, db: None, name: str) -> None:
        fault_of(client.get(PATH, {name: "no such value"}), name)

    def test_the_calendar_is_called_by_its_filters(self, client: Client, everything: Offering) -> None:
        written = client.get(PATH, {"seller": "deepseek", "kind": "price"}).content
        name = icalendar.Calendar.from_ical(written)["NAME"]
        assert name == "What AI will cost of DeepSeek: scheduled prices"

    def test_number_of_queries_does_not_grow(
        self, client: Client, everything: Offering, stage: Stage, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            found = stage.offering(f"model {number}")
            ledger.announce(found, [claim("2", since=110 + number)], BY)
        with django_assert_max_num_queries(14):
            assert len(events(client)) == 33


def test_names_with_line_breaks_make_no_property(client: Client, record: None, offering: Offering) -> None:
    hostile = "Evil\r\nEND:VEVENT\r\nBEGIN:VALARM\u2028ATTACH:http://evil.example"
    Offering.objects.filter(pk=offering.pk).update(name=hostile)
    Company.objects.update(name=hostile)
    calendar = icalendar.Calendar.from_ical(client.get(PATH, {"seller": "deepseek"}).content)
    (event,) = calendar.walk("VEVENT")
    assert [part.name for part in calendar.walk()] == ["VCALENDAR", "VEVENT"]
    assert "ATTACH" not in event and "\n" not in event["SUMMARY"]


def test_the_past_is_not_to_come(client: Client, offering: Offering) -> None:
    make.price(make.line(offering, "web_searches"), "1", day(99), effective_until=day(99) + timedelta(hours=1))
    assert events(client) == []
