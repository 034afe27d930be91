"""``refresh`` and ``backfill`` from the command line: exit status, one line of error, nothing half-written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feeds.models import Refresh
from pricing.models import Observation, Price, PricingChange, Statement
from tests.feeds.small_feeds import catalogue

pytestmark = pytest.mark.django_db

FIRST = catalogue(deepseek_chat={"input": 0.27, "output": 1.1})
SECOND = catalogue(deepseek_chat={"input": 0.56, "output": 1.68})


def _file(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


def _refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        call_command(*arguments)
    assert error.value.returncode == 2
    assert not Statement.objects.exists()
    assert not Refresh.objects.exists()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_is_read_as_observed_at_its_moment(tmp_path: Path, capsys) -> None:
    path = _file(tmp_path, "api.json.gz", FIRST)
    call_command("refresh", "models-dev", "--file", str(path), "--observed-at", "2026-01-01T00:00:00Z", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["feed"], report["status"], report["seen"], report["observed_at"]) == (
        "models-dev",
        "done",
        1,
        "2026-01-01T00:00:00Z",
    )


def test_an_unknown_feed_is_refused_with_the_choices() -> None:
    assert "genai-prices" in _refused("refresh", "nonsense")


def test_a_file_needs_one_feed(tmp_path: Path) -> None:
    path = str(_file(tmp_path, "api.json", FIRST))
    assert "one FEED" in _refused("refresh", "--file", path)
    assert "one FEED" in _refused("refresh", "models-dev", "litellm", "--file", path)


def test_a_missing_or_truncated_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in _refused("refresh", "models-dev", "--file", str(tmp_path / "nothing.json"))
    whole = _file(tmp_path, "api.json.gz", FIRST)
    whole.write_bytes(whole.read_bytes()[:-10])
    assert "cut short" in _refused("refresh", "models-dev", "--file", str(whole))
    assert "complete JSON" in _refused("refresh", "models-dev", "--file", str(_file(tmp_path, "a.json", FIRST[:-9])))


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-01-01T00:00:00", "no time zone"),
        ("2026-01-01", "T00:00:00Z"),
        ("2126-01-01T00:00:00Z", "lies ahead"),
        ("yesterday", "is not a moment"),
        ("2026-13-01T00:00:00Z", "is not a moment"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(tmp_path: Path, moment: str, said: str) -> None:
    path = str(_file(tmp_path, "api.json", FIRST))
    assert said in _refused("refresh", "models-dev", "--file", path, "--observed-at", moment)


def test_a_moment_without_a_file_is_refused() -> None:
    assert "--file" in _refused("refresh", "models-dev", "--observed-at", "2026-01-01T00:00:00Z")


def test_a_backfill_takes_dated_files_in_order_and_again_changes_nothing(tmp_path: Path, capsys) -> None:
    _file(tmp_path, "2026-01-11.json", SECOND)
    _file(tmp_path, "2026-01-04-morning.json.gz", FIRST)
    _file(tmp_path, "notes.txt", b"not a document")
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    change = PricingChange.objects.get(kind="increase")
    assert change.backfilled
    rows = Price.objects.count(), PricingChange.objects.count(), Observation.objects.count()
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    assert rows == (Price.objects.count(), PricingChange.objects.count(), Observation.objects.count())
    assert "2 documents" in capsys.readouterr().out


def test_a_backfill_of_a_document_between_two_others_splits_what_was_said(tmp_path: Path) -> None:
    for name, body in (("2026-01-01.json", FIRST), ("2026-01-21.json", FIRST)):
        _file(tmp_path, name, body)
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    _file(tmp_path, "2026-01-08.json", SECOND)
    _file(tmp_path, "2026-01-15.json", SECOND)  # one document alone would be the source's slip
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    believed = Price.objects.filter(known_until__isnull=True, line__meter="input_tokens").order_by("effective_from")
    assert [str(price.amount.normalize()) for price in believed] == ["0.27", "0.56", "0.27"]


def test_two_documents_of_one_day_are_taken_in_the_order_of_their_names(tmp_path: Path) -> None:
    _file(tmp_path, "2026-01-04.json", FIRST)
    _file(tmp_path, "2026-01-04-later.json", SECOND)
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    assert Observation.objects.filter(source__slug="models-dev").count() == 2


def test_a_folder_without_dated_documents_is_refused(tmp_path: Path) -> None:
    assert "begins with a date" in _refused("backfill", "models-dev", "--dir", str(tmp_path))
    assert "is not a folder" in _refused("backfill", "models-dev", "--dir", str(tmp_path / "nowhere"))
    _file(tmp_path, "2026-02-30.json", FIRST)
    assert "calendar" in _refused("backfill", "models-dev", "--dir", str(tmp_path))


def test_the_curated_record_is_loaded_once(capsys) -> None:
    call_command("load_curated")
    rows = Price.objects.count(), PricingChange.objects.count(), Statement.objects.count()
    call_command("load_curated")
    assert rows == (Price.objects.count(), PricingChange.objects.count(), Statement.objects.count())
    assert Statement.objects.exclude(citation_url="").count() == Statement.objects.count()
    assert "57 unchanged" in capsys.readouterr().out


def test_the_embedded_feed_is_loaded_once() -> None:
    call_command("refresh", "genai-prices")
    rows = Price.objects.count(), Observation.objects.count()
    call_command("refresh", "genai-prices")
    assert rows == (Price.objects.count(), Observation.objects.count())
    assert rows[0] > 5000
