"""What the database itself refuses, whoever writes: rows that run backwards, and on PostgreSQL rows that overlap."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from pricing.models import Price
from tests.pricing.believing import day, price
from tests.pricing.stages import Stage, believed

Write = Callable[..., Price]


@pytest.fixture
def write(stage: Stage) -> Write:
    """Write a row beside the one that a reading made: in force from day 0, known from day 0, both open."""
    stage.read("models-dev", 0, {stage.offering(): [price("1")]})
    template = Price.objects.get()

    def write_row(**changes: object) -> Price:
        values = {field.attname: getattr(template, field.attname) for field in Price._meta.concrete_fields}
        values.pop("id")
        return Price.objects.create(**{**values, **changes})

    return write_row


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_from": day(9), "effective_until": day(9), "known_until": day(-1), "known_from": day(-2)},
        {"known_from": day(-1), "known_until": day(-1)},
    ],
)
def test_a_row_that_does_not_run_forward_is_refused(write: Write, changes: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write(**changes)


def test_a_second_row_for_one_moment_as_known_at_one_moment_is_refused_on_postgresql(write: Write) -> None:
    if connection.vendor == "postgresql":
        with pytest.raises(IntegrityError, match="price_no_overlap"), transaction.atomic():
            write(effective_from=day(7))
    assert Price.objects.count() == 1


def test_closing_a_row_and_writing_two_at_the_same_moment_is_accepted(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("models-dev", 7, {offering: [price("2")]})
    assert [row[:3] for row in believed(offering)] == [(0, 7, "1"), (7, None, "2")]
    assert Price.objects.count() == 3
