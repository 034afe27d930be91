"""The record that ``as_of.py`` asks: made in bulk, past the ledger, and then read through the whole API."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice, product
from typing import Any

LINES_PER_OFFERING = 8
OFFERINGS_PER_SELLER = 31
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH = 20_000


def serve(options: argparse.Namespace) -> None:
    """Make the record, then answer each line on stdin (a number of requests) with latencies as JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    made = make(options.lines, options.versions)
    print(json.dumps({**made, "plan": plan() if options.plans else []}), flush=True)
    for turn, line in enumerate(sys.stdin):
        print(json.dumps(ask(int(line), options.lines, turn)), flush=True)


def make(lines: int, versions: int) -> dict[str, int]:
    """Fill an empty database with ``lines`` price lines of ``versions`` versions each."""
    from django.core.management import call_command
    from django.db import connection

    from pricing.models import Offering, Price, PriceLine, Statement

    call_command("migrate", verbosity=0)
    offerings = -(-lines // LINES_PER_OFFERING)
    sellers = -(-offerings // OFFERINGS_PER_SELLER)
    _make_sellers_and_sources(sellers)
    fill(Offering, _offerings(offerings, sellers))
    fill(PriceLine, _lines(lines))
    prices = fill(Price, _prices(lines, versions))
    statements = fill(Statement, _statements(lines, versions))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
    return {"prices": prices, "statements": statements}


def ask(requests: int, lines: int, turn: int) -> dict[str, list[float]]:
    """Milliseconds of each request, by question. Every request names another moment, so no answer is kept."""
    latencies: dict[str, list[float]] = {}
    for number in range(requests):
        for question, parameters in _questions(lines, timedelta(microseconds=turn * 1_000_000 + number)).items():
            latencies.setdefault(question, []).append(_request(parameters))
    return latencies


def plan() -> list[str]:
    """How the database finds the lines of a page, and the statements behind it."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        _client().get("/api/v1/prices/", {"as_of": "2025-01-01T00:00:00Z"})
    told = []
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if "pricing_priceline" in query["sql"]:
                cursor.execute(explain + query["sql"].replace("%", "%%"))
                told += [str(row[-1])[:200] for row in cursor.fetchall()] + [f"({query['time']} s)"]
    return told


def _questions(lines: int, shift: timedelta) -> dict[str, dict[str, str]]:
    from tracker.api.moments import moment_text

    middle = BEGINNING + (END - BEGINNING) / 2
    as_of = str(moment_text(middle + shift))
    known_at = str(moment_text(middle + timedelta(days=1)))
    return {
        "prices/?as_of=": {"as_of": as_of},
        "prices/?as_of= in the midst": {"as_of": as_of, "cursor": _cursor(lines // 2)},
        "prices/?as_of=&known_at=": {"as_of": as_of, "known_at": known_at},
        "prices/?as_of=&seller=": {"as_of": as_of, "seller": "seller-1"},
        "prices/?as_of= before the first": {"as_of": str(moment_text(BEGINNING - timedelta(days=1) + shift))},
        "prices/?as_of= after the last move": {"as_of": str(moment_text(END + shift))},
    }


@lru_cache(maxsize=1)
def _client() -> Any:
    """One client for all requests: each makes the middleware afresh."""
    from django.test import Client

    return Client()


def _request(parameters: dict[str, str]) -> float:
    client = _client()
    started = time.perf_counter()
    response = client.get("/api/v1/prices/", parameters)
    elapsed = (time.perf_counter() - started) * 1000
    assert response.status_code == 200, response.content
    assert response.json()["results"] or parameters["as_of"] < str(BEGINNING), parameters
    return elapsed


def _cursor(line: int) -> str:
    import base64

    return base64.urlsafe_b64encode(f"f{line}".encode()).decode().rstrip("=")


def _make_sellers_and_sources(sellers: int) -> None:
    from companies.models import Company
    from pricing.models import Observation, Source

    Company.objects.bulk_create([Company(pk=n, slug=f"seller-{n}", name=f"Seller {n}") for n in range(1, sellers + 1)])
    for slug, precedence in (("first", 1), ("second", 2)):
        source = Source.objects.create(slug=slug, name=slug, precedence=precedence)
        weeks = (END - BEGINNING).days // 7
        Observation.objects.bulk_create(
            [Observation(source=source, observed_at=BEGINNING + timedelta(weeks=n), digest="d") for n in range(weeks)]
        )


def _offerings(count: int, sellers: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        yield {
            "kind": "api",
            "seller_id": number % sellers + 1,
            "listing": "",
            "external_id": f"model-{number}",
            "identity_key": f"model-{number}",
            "name": f"Model {number}",
            "model_linked_by": "",
            "status": "listed",
            "mode": "chat",
            "audience": "",
            "allowances": "",
            "created_at": BEGINNING,
            "updated_at": BEGINNING,
        }


def _lines(count: int) -> Iterator[dict[str, Any]]:
    meters = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    cells = list(product(meters, ("standard", "batch")))
    for number in range(1, count + 1):
        meter, tier = cells[(number - 1) % LINES_PER_OFFERING]
        yield {
            "offering_id": (number - 1) // LINES_PER_OFFERING + 1,
            "meter": meter,
            "service_tier": tier,
            "region": "",
            "variant": "",
            "commitment": "",
            "above_input_tokens": 0,
            "slot": "",
            "layer": "list",
        }


def _moments(versions: int) -> list[datetime]:
    return [BEGINNING + (END - BEGINNING) / versions * number for number in range(versions)]


def _amount(line: int, version: int) -> Decimal:
    return Decimal(line % 97 + 1) / 100 + Decimal(version) / 1000


def _prices(lines: int, versions: int) -> Iterator[dict[str, Any]]:
    """Each move closes what was believed to go on, and writes it again with its end."""
    moments = _moments(versions)
    for line in range(1, lines + 1):
        for version, begins in enumerate(moments):
            ends = moments[version + 1] if version + 1 < versions else None
            row = {
                "line_id": line,
                "amount": _amount(line, version),
                "currency": "USD",
                "zero_means": "",
                "effective_from": begins,
                "effective_until": None,
                "precision": "observed",
                "known_from": begins,
                "known_until": ends,
                "recorded_at": begins,
            }
            yield row
            if ends is not None:
                yield {**row, "effective_until": ends, "known_from": ends, "known_until": None, "recorded_at": ends}


def _statements(lines: int, versions: int) -> Iterator[dict[str, Any]]:
    """One source states every version, a second one the last."""
    moments = _moments(versions)
    for line in range(1, lines + 1):
        for version, begins in enumerate(moments):
            ends = moments[version + 1] if version + 1 < versions else None
            for source in (1, 2) if ends is None else (1,):
                yield {
                    "source_id": source,
                    "line_id": line,
                    "amount": _amount(line, version),
                    "currency": "USD",
                    "zero_means": "",
                    "precision": "observed",
                    "first_observed_at": begins,
                    "ended_at": ends,
                    "citation_url": "",
                    "citation_title": "",
                    "note": "",
                    "recorded_at": begins,
                }


def fill(model: type[Any], rows: Iterable[dict[str, Any]]) -> int:
    """Write rows of one table as fast as the database takes them; returns how many."""
    from django.db import transaction

    from pricing.bulk import insert

    count = 0
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        with transaction.atomic():
            insert(model, list(batch[0]), [tuple(row.values()) for row in batch])
        count += len(batch)
    return count
