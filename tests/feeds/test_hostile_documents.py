"""What no feed should ever send, sent to every adapter: refused whole or by row, in time, and never by halves."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from feeds.adapters.curated import parse as parse_curated
from feeds.adapters.document import LARGEST_JSON, MOST_ROWS
from feeds.reading import LARGEST_DOCUMENT, from_file
from feeds.refreshing import RefreshRefused
from feeds.registry import FEEDS, known_feed
from pricing.claims import UnreadableDocument
from pricing.models import Observation, Offering, Price, Statement
from tests.feeds.hostile_documents import SHAPES, body, text
from tests.feeds.small_feeds import day, read
from tracker.environment import PROJECT_ROOT

FEED_SLUGS = list(SHAPES)
# Only what reads documents is loaded, so that the peak is that of a document, and of a program besides.
MILLION_ROWS = """
import sys, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from pathlib import Path
from feeds.registry import known_feed
from pricing.claims import UnreadableDocument
from feeds.reading import from_file
try:
    known_feed("litellm").split(from_file(Path(sys.argv[1])).body)
except UnreadableDocument as error:
    print(error)
status = Path("/proc/self/status").read_text().splitlines()
print(1024 * int(next(line for line in status if line.startswith("VmHWM:")).split()[1]))
"""
HTML = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
NO_PRICES = ["-5", "-0.001", "true", "false", '"many"', '"NaN"', '"Infinity"', '""', "[1]", "1e400"]
NO_PRICES += ["9" * 400, f"0.{'1' * 400}"]
every_feed = pytest.mark.parametrize("slug", FEED_SLUGS)


def test_every_feed_with_an_adapter_is_put_to_the_test() -> None:
    assert {slug for slug, known in FEEDS.items() if known.kind == "feed"} == set(FEED_SLUGS)


def _no_documents() -> dict[str, bytes]:
    return {
        "empty": b"",
        "blank": b" \n\t ",
        "an HTML error page": HTML,
        "UTF-16": "{}".encode("utf-16"),
        "NUL bytes": b"\x00" * 1000,
        "lists ten thousand deep": b"[" * 10_000 + b"]" * 10_000,
        "objects ten thousand deep": b'{"a": ' * 10_000 + b"1" + b"}" * 10_000,
        "a bare number": b"1" * 5_000,
        "null": b"null",
        "a string": b'"prices"',
    }


@pytest.mark.parametrize("content", _no_documents().values(), ids=_no_documents().keys())
@pytest.mark.parametrize("slug", [*FEED_SLUGS, "curated"])
def test_what_is_no_document_is_refused_whole(slug: str, content: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        known_feed(slug).parse(content)


@every_feed
def test_a_document_cut_short_anywhere_is_refused_whole(slug: str) -> None:
    whole = text(slug, one="1", two="2", three="3").encode()
    known_feed(slug).parse(whole)
    for length in range(0, len(whole), 10):
        with pytest.raises(UnreadableDocument):
            known_feed(slug).parse(whole[:length])


@every_feed
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_another_encoding_is_refused_whole(slug: str, encoding: str) -> None:
    with pytest.raises(UnreadableDocument):
        known_feed(slug).parse(text(slug).replace("good", "göod").encode(encoding))


@every_feed
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "9" * 5_000, "1e99999999999999999999"])
def test_a_number_that_json_does_not_have_refuses_the_document(slug: str, number: str) -> None:
    with pytest.raises(UnreadableDocument):
        known_feed(slug).parse(body(slug, {"bad": number}))


@every_feed
@pytest.mark.parametrize("price", NO_PRICES)
def test_a_value_that_is_no_price_costs_its_row_and_names_the_reason(slug: str, price: str) -> None:
    parsed = known_feed(slug).parse(body(slug, {"bad": price}))
    assert [found.model for found in parsed.offerings] == ["good"]
    (rejected,) = parsed.rejected
    assert rejected.model == "bad"
    assert 10 < len(rejected.reason) < 300


@every_feed
@pytest.mark.parametrize("depth", [100, 500, 800, 900, 950, 980])
def test_nesting_short_of_the_limit_costs_its_row_or_the_document(slug: str, depth: int) -> None:
    nested = body(slug, {"bad": "[" * depth + "]" * depth})
    try:
        parsed = known_feed(slug).parse(nested)
    except UnreadableDocument:
        return
    assert [found.model for found in parsed.offerings] == ["good"]


@every_feed
def test_a_key_that_a_row_repeats_counts_as_its_last_and_is_told_of(slug: str) -> None:
    twice = body(slug, {"twin": "5"}).replace(b": 5", b": 4", 1)
    field = twice[: twice.index(b": 4")].rsplit(b'"', 2)[1]
    parsed = known_feed(slug).parse(twice.replace(b": 4", b': 4, "' + field + b'": 0.000005', 1))
    assert [told.model for told in parsed.set_aside] == [field.decode()]
    assert {found.model for found in parsed.offerings} == {"twin", "good"}


def _crowded(slug: str, count: int) -> bytes:
    """A row with so many fields beside its price, and a good row."""
    keys = ", ".join(f'"k{number}": 0' for number in range(count))
    return text(slug, crowded="0.000003", good="0.000002").replace("0.000003", f"0.000003, {keys}").encode()


@every_feed
def test_a_million_keys_are_refused_before_they_are_unpacked(slug: str) -> None:
    crowded = _crowded(slug, 1_000_000)
    began = time.process_time()
    with pytest.raises(UnreadableDocument, match="members of objects; a price list has 600,000 at most"):
        known_feed(slug).parse(crowded)
    assert time.process_time() - began < 1


@every_feed
def test_thousands_of_fields_cost_their_row(slug: str) -> None:
    parsed: Any = known_feed(slug).parse(_crowded(slug, 5_000))
    assert [found.model for found in parsed.offerings] == ["good"]
    (rejected,) = parsed.rejected
    assert rejected.model == "crowded"
    assert "fields; a row of prices has 2,000 at most" in rejected.reason


@every_feed
def test_more_rows_than_a_price_list_has_are_refused_whole(slug: str) -> None:
    rows = {f"m{number}": "0.000002" for number in range(MOST_ROWS + 1)}
    with pytest.raises(UnreadableDocument, match="15,001 rows; a price list has 15,000 at most"):
        known_feed(slug).parse(SHAPES[slug](rows).encode())


@pytest.mark.parametrize("count", [30_000, 1_000_000])
def test_a_document_of_a_million_rows_takes_no_more_memory_than_a_worker_has(count: int, tmp_path: Path) -> None:
    document = tmp_path / "document.json"
    row = ', "model-%d": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1e-06}'
    with document.open("w") as file:
        file.write('{"first": {}')
        file.writelines(row % number for number in range(count))
        file.write("}")
    command = [sys.executable, "-c", MILLION_ROWS, str(document)]
    took = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    reason, peak = took.stdout.splitlines()
    assert "a price list has" in reason
    assert int(peak) < 300 * 2**20


def test_larger_texts_than_a_price_list_has_are_refused_whole() -> None:
    with pytest.raises(UnreadableDocument, match="32 MiB at most"):
        known_feed("litellm").parse(text("litellm").replace("Séek", "x" * LARGEST_JSON).encode())


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.json.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as file:
        for _ in range(LARGEST_DOCUMENT // 2**20 + 1):
            file.write(b" " * 2**20)
    assert bomb.stat().st_size < 2**20
    with pytest.raises(UnreadableDocument, match="unpacks to more than 128 MiB"):
        from_file(bomb)


@pytest.mark.django_db
@every_feed
@pytest.mark.parametrize("content", [b"", HTML, b'{"prices": [', b"[" * 10_000], ids=["empty", "HTML", "cut", "deep"])
def test_a_refused_document_writes_nothing(slug: str, content: bytes) -> None:
    read(text(slug).encode(), day(1), slug)
    before = _rows()
    with pytest.raises(RefreshRefused):
        read(content, day(2), slug)
    assert _rows() == before


@pytest.mark.django_db
@every_feed
@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("x" * 10_000, "the model id has 10000 characters"),
        ("nul\x00byte", "control characters"),
        ("bell\x07", "control characters"),
        ("right\u202eto left", "control characters"),
        ("lone \ud800 surrogate", "control characters"),
    ],
    ids=["long", "NUL", "bell", "direction", "surrogate"],
)
def test_an_id_that_cannot_be_one_costs_its_row(slug: str, model: str, said: str) -> None:
    report = read(body(slug, {model: "0.000001"}), day(1), slug)
    assert [said in rejection["reason"] for rejection in report.rejections] == [True]
    assert all(text.isprintable() and len(text) <= 200 for text in report.rejections[0].values())
    assert list(Offering.objects.values_list("external_id", flat=True)) == ["good"]


def _rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Observation, Offering, Statement, Price))


def test_the_curated_record_is_refused_whole_when_it_is_cut_short() -> None:
    with pytest.raises(UnreadableDocument):
        parse_curated(b'{"companies": [')
