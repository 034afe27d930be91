"""After an adapter was mended, archived documents are parsed again, and the record is corrected."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from feeds.adapters import models_dev
from feeds.archive import BodyNotKept
from feeds.enrolment import feed_named
from feeds.models import Payload, Refresh
from feeds.replaying import readings_since, replay, stretch_at
from feeds.reports import Report
from pricing.claims import ParsedDocument
from pricing.models import Observation, Offering, Price, PricingChange, Reference, Statement
from pricing.verification import findings
from tests.feeds.small_feeds import catalogue, day, read

pytestmark = pytest.mark.django_db

FIRST = catalogue(deepseek_chat={"input": 0.27, "output": 1.1})
SECOND = catalogue(deepseek_chat={"input": 0.56, "output": 1.68})


@pytest.fixture
def mistaken_adapter(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An adapter that loses every output price, until ``undo`` mends it."""
    right = models_dev.row_reader

    def row_reader(document: ParsedDocument) -> Callable[[models_dev.RowKey, object], None]:
        read_rightly = right(document)

        def read_row(key: models_dev.RowKey, content: object) -> None:
            read_rightly(key, content)
            for place, row in enumerate(document.offerings):
                claims = tuple(claim for claim in row.claims if claim.line.meter != "output_tokens")
                document.offerings[place] = type(row)(row.provider, row.model, claims, row.facts)

        return read_row

    monkeypatch.setattr(models_dev, "row_reader", row_reader)
    return monkeypatch


def believed(meter: str) -> list[tuple[object, Decimal]]:
    rows = Price.objects.filter(known_until__isnull=True, line__meter=meter).order_by("effective_from")
    return list(rows.values_list("effective_from", "amount"))


def replay_all() -> list[Report]:
    feed = feed_named("models-dev")
    return replay(feed, readings_since(feed))


def test_what_a_mended_adapter_finds_is_believed_from_the_first_document_on(
    mistaken_adapter: pytest.MonkeyPatch,
) -> None:
    for number, body in ((1, FIRST), (2, FIRST), (3, SECOND)):
        read(body, day(number))
    assert believed("output_tokens") == []
    mistaken_adapter.undo()
    reports = replay_all()
    assert [report.counts["statements_new"] for report in reports] == [1, 1, 1]
    assert believed("output_tokens") == [(day(1), Decimal("1.1")), (day(3), Decimal("1.68"))]
    change = PricingChange.objects.order_by("sequence").last()
    assert change is not None and (change.kind, change.nature, change.initial) == ("corrected", "correction", False)
    runs = Refresh.objects.filter(trigger="replay")
    assert runs.count() == 3
    assert set(runs.values_list("payload__digest", flat=True)) == set(Payload.objects.values_list("digest", flat=True))
    assert not list(findings())


def test_a_second_replay_changes_nothing_and_says_so(mistaken_adapter: pytest.MonkeyPatch) -> None:
    for number, body in ((1, FIRST), (2, SECOND)):
        read(body, day(number))
    mistaken_adapter.undo()
    replay_all()
    before = everything()
    reports = replay_all()
    assert everything() == before
    assert {(report.status, report.note) for report in reports} == {("unchanged", "it says what it was taken to say")}


def test_a_document_is_replayed_with_the_readings_that_found_it_unchanged(
    mistaken_adapter: pytest.MonkeyPatch,
) -> None:
    for number, body in ((1, FIRST), (2, SECOND), (3, SECOND), (4, FIRST)):
        read(body, day(number))
    mistaken_adapter.undo()
    feed = feed_named("models-dev")
    assert [reading.observed_at for reading in stretch_at(feed, day(3))] == [day(2), day(3)]
    replay(feed, stretch_at(feed, day(3)))
    assert [row[:1] for row in Statement.objects.filter(line__meter="output_tokens").values_list("ended_at")] == [
        (day(4),)
    ]
    assert [at for at, _ in believed("output_tokens")] == [day(2)]


def test_a_dry_run_says_what_a_replay_would_do_and_writes_nothing(mistaken_adapter: pytest.MonkeyPatch) -> None:
    read(FIRST, day(1))
    mistaken_adapter.undo()
    before = everything()
    feed = feed_named("models-dev")
    (report,) = replay(feed, stretch_at(feed), dry_run=True)
    assert (report.counts["statements_new"], report.refresh_id) == (1, None)
    assert everything() == before


def test_a_document_whose_body_was_dropped_stays_as_it_was_taken(mistaken_adapter: pytest.MonkeyPatch) -> None:
    read(FIRST, day(1))
    read(SECOND, day(2))
    first = Payload.objects.order_by("pk").first()
    assert first is not None
    Payload.objects.filter(pk=first.pk).update(compressed=b"", dropped_at=day(9))
    mistaken_adapter.undo()
    skipped, done = replay_all()
    assert (skipped.status, done.status) == ("skipped", "done")
    assert "dropped on 2026-01-09" in skipped.note
    assert [at for at, _ in believed("output_tokens")] == [day(2)]


def test_an_id_that_the_mended_adapter_finds_in_the_newest_document_is_present(
    mistaken_adapter: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistaken_adapter.undo()
    whole = catalogue(kept={"input": 1}, missed={"input": 2})
    right = models_dev.parse

    def parse(body: bytes) -> ParsedDocument:
        parsed = right(body)
        parsed.offerings = [row for row in parsed.offerings if row.model != "missed"]
        return parsed

    monkeypatch.setattr(models_dev, "parse", parse)
    read(whole, day(1))
    monkeypatch.setattr(models_dev, "parse", right)
    replay_all()
    assert Reference.objects.get(external_id="missed").absent_since is None
    assert Offering.objects.get(external_id="missed").status == "listed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["models-dev", "--since", "2026-01-01T00:00:00Z"], "belong to --replay"),
        (["--replay"], "one FEED"),
        (["models-dev", "--replay", "--file", "x.json"], "one FEED"),
        (["models-dev", "--replay", "--all", "--since", "2026-01-01T00:00:00Z"], "give one of them"),
        (["models-dev", "--replay"], "was not read yet"),
        (["models-dev", "--replay", "--observed-at", "2025-01-01T00:00:00Z"], "was not read by 2025"),
        (["models-dev", "--replay", "--since", "2026-01-01T00:00:00Z"], "was not read since 2026"),
    ],
)
def test_a_replay_of_nothing_is_refused_with_what_is_right(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        call_command("refresh", *arguments)
    assert refused.value.returncode == 2


def test_the_command_replays_the_newest_document(mistaken_adapter: pytest.MonkeyPatch, capsys) -> None:
    read(FIRST, day(1))
    read(SECOND, day(2))
    mistaken_adapter.undo()
    call_command("refresh", "models-dev", "--replay")
    assert [at for at, _ in believed("output_tokens")] == [day(2)]
    assert "1 statements new" in capsys.readouterr().out


def test_the_document_of_a_day_is_printed_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    read(FIRST, day(1))
    read(SECOND, day(3))
    for moment, body in (("2026-01-02T12:00:00Z", FIRST), ("2026-01-03T00:00:00Z", SECOND)):
        out = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdout", out)
        call_command("payload", "models-dev", "--at", moment)
        assert out.buffer.getvalue() == body  # type: ignore[attr-defined]


def test_a_document_that_is_not_there_is_refused_with_the_reason() -> None:
    with pytest.raises(CommandError, match="was not read by 2026-01-02"):
        call_command("payload", "models-dev", "--at", "2026-01-02T00:00:00Z")
    read(FIRST, day(1))
    Payload.objects.update(compressed=b"", dropped_at=day(9))
    with pytest.raises(CommandError, match="dropped on 2026-01-09") as refused:
        call_command("payload", "models-dev")
    assert isinstance(refused.value.__cause__, BodyNotKept)


def everything() -> dict[str, list[dict[str, object]]]:
    """All rows that a replay may write."""
    models = (Observation, Statement, Price, PricingChange, Offering, Reference, Refresh, Payload)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
