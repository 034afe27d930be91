"""Several writers at once: one at a time writes the ledger, so sequences follow commits and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from companies.models import Company
from pricing import ledger
from pricing.models import Offering, Price, PricingChange, Reference, Source
from tests.pricing.believing import day, price
from tests.pricing.stages import assert_clean
from tests.pricing.worlds import ORIGIN

WRITERS = 4
READINGS = 6


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_a_clean_ledger_with_a_gapless_sequence() -> None:
    offering = _offering()
    sources = [_source(number) for number in range(WRITERS)]
    references = [_reference(source, offering) for source in sources]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda n: _read_all(sources[n], references[n], offering), range(WRITERS)))
    assert_clean()
    sequences = list(PricingChange.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    last = Price.objects.get(known_until=None, effective_until=None)
    assert last.amount == Decimal(READINGS)


def _offering() -> Offering:
    seller = Company.objects.create(slug="seller", name="Seller")
    return Offering.objects.create(seller=seller, external_id="m", identity_key="m", name="M")


def _source(number: int) -> Source:
    return Source.objects.create(slug=f"source-{number}", name=f"Source {number}", precedence=10 + number)


def _reference(source: Source, offering: Offering) -> int:
    row = Reference.objects.create(
        source=source, provider="p", external_id="m", offering=offering, first_seen_at=ORIGIN
    )
    return row.pk


def _read_all(source: Source, reference: int, offering: Offering) -> None:
    try:
        for number in range(1, READINGS + 1):
            told = [ledger.Told(reference, offering.pk, [price(str(number)).claim])]
            ledger.observe(ledger.Reading(source, day(number), f"{number}"), told)
    finally:
        connection.close()
