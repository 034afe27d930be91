"""What time alone changes is followed by the tick."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from pricing.clock import follow_the_clock
from pricing.models import Offering, Price
from tests.feeds.small_feeds import catalogue, day, read

pytestmark = pytest.mark.django_db


def test_an_offering_whose_last_price_reached_its_end_is_withdrawn() -> None:
    read(catalogue(deepseek_chat={"input": 1}), day(1))
    Price.objects.update(effective_until=timezone.now() - timedelta(hours=1))
    assert follow_the_clock() == 1
    assert Offering.objects.get().status == "withdrawn"


def test_an_offering_whose_prices_go_on_is_not_looked_at() -> None:
    read(catalogue(deepseek_chat={"input": 1}), day(1))
    assert follow_the_clock() == 0
    assert Offering.objects.get().status == "listed"
