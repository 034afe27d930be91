"""What a process remembers of the record: never more than its bound, and nothing that has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.costing import memory
from pricing.costing.kept import Kept
from pricing.costing.memory import Memory, current_memory
from pricing.models import Offering, Price
from tests.api import factories as make
from tests.costing.asking import call, results

INPUT = Conditions("input_tokens")
PERSON = ledger.Ruling(by=None, note="as announced")


def now_call() -> dict[str, Any]:
    return call(at=(timezone.now() + timedelta(seconds=1)).isoformat())


def elsewhere(work: Callable[[], Any]) -> None:
    """Do something over another connection, as another process would."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.django_db
def test_price_that_is_stated_is_used_by_the_next_request(client: Client, chat: Offering) -> None:
    assert results(client, now_call())[0]["total"] == "0.435"
    stated = ledger.state(chat, Claim(INPUT, Decimal("0.66"), "USD"), PERSON)
    assert stated
    (result,) = results(client, now_call())
    assert result["total"] == "0.66"
    assert result["items"][0]["price"]["source"] == "editors"


@pytest.mark.django_db(transaction=True)
def test_price_that_another_process_states_is_used_by_the_next_request(client: Client, chat: Offering) -> None:
    assert results(client, now_call())[0]["total"] == "0.435"
    elsewhere(lambda: ledger.state(chat, Claim(INPUT, Decimal("0.66"), "USD"), PERSON))
    assert results(client, now_call())[0]["total"] == "0.66"


@pytest.mark.django_db(transaction=True)
def test_price_that_is_taken_back_elsewhere_is_used_no_longer(client: Client, chat: Offering) -> None:
    outcome_before = results(client, now_call())[0]["total"]
    ledger.pin(chat, Claim(INPUT, Decimal("7"), "USD"), PERSON)
    assert results(client, now_call())[0]["total"] == "7"
    decision = chat.decisions.get()
    elsewhere(lambda: ledger.undo(decision, PERSON))
    assert outcome_before == "0.435"
    assert results(client, now_call())[0]["total"] != "7"


@pytest.mark.django_db
def test_id_that_a_source_adds_is_known_to_the_next_request(client: Client, chat: Offering) -> None:
    assert results(client, call("ds-chat"))[0]["error"]["status"] == 404
    make.reference(chat, external_id="ds-chat")
    assert results(client, call("ds-chat"))[0]["total"] == "0.435"


@pytest.mark.django_db
def test_merge_is_known_to_the_next_request(client: Client, chat: Offering) -> None:
    other = make.offering("ds-chat")
    make.price(make.line(other), "9")
    assert results(client, call("ds-chat"))[0]["total"] == "9"
    other.merged_into, other.status = chat, "merged"
    other.save()
    assert results(client, call("ds-chat"))[0]["total"] == "0.435"


@pytest.mark.django_db
def test_unchanged_record_is_not_read_again(
    client: Client, chat: Offering, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = results(client, call())
    with django_assert_num_queries(1):  # the version of the record
        assert results(client, call()) == first


@pytest.mark.django_db
def test_request_under_way_puts_nothing_old_into_a_newer_memory(chat: Offering) -> None:
    begun = current_memory()
    make.price(make.line(chat, "web_searches"), "5")
    newer = current_memory()
    begun.sheets([chat.pk])
    assert newer is not begun
    assert current_memory() is newer
    assert newer.price_rows == 0


@pytest.mark.django_db
def test_sheets_in_memory_stay_within_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PRICE_ROWS_KEPT", 50)
    offerings = [make.offering(f"model-{number}") for number in range(40)]
    for offering in offerings:
        for meter in ("input_tokens", "output_tokens"):
            make.price(make.line(offering, meter), "1")
    kept = Memory()
    for offering in offerings:
        assert len(list(kept.sheets([offering.pk])[offering.pk].tariffs)) == 2  # type: ignore[union-attr]
        kept.histories([offering.pk])
        assert kept.price_rows <= 50
    assert kept.price_rows > 40
    assert Price.objects.count() == 80


def test_least_recently_used_goes_first() -> None:
    kept: Kept[str, int] = Kept(3)
    for name in "abc":
        kept.put(name, 1)
    kept.get("a")
    kept.put("d", 1)
    assert [name for name in "abcd" if kept.get(name)] == ["a", "c", "d"]
    kept.put("d", 2, weight=2)
    assert (kept.weight, len(kept)) == (3, 2)


def test_what_is_heavier_than_the_bound_is_not_kept_and_drives_nothing_out() -> None:
    kept: Kept[str, int] = Kept(3)
    kept.put("a", 1)
    kept.put("b", 1, weight=4)
    assert (kept.get("a"), kept.get("b")) == (1, None)
