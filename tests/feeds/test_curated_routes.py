"""The record's routes of ids, read as claims and taken by the ledger, or refused whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from companies.models import AIModel
from feeds.adapters.curated import bundle, parse
from feeds.curation import load_curated
from pricing.claims import RouteClaim, UnreadableDocument
from pricing.models import Alias, Offering, PricingChange
from pricing.verification import findings
from tests.companies.small_record import ROUTES, write_record

DATA = Path(__file__).resolve().parents[2] / "data"


def routes(body: bytes, model: str) -> tuple[RouteClaim, ...]:
    (found,) = [offering for offering in parse(body).offerings if offering.model == model]
    return found.routes


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_record_says_where_ids_led_with_a_citation_each() -> None:
    body = bundle(DATA)
    chat = routes(body, "deepseek-chat")
    assert [route.model or route.target for route in chat] == [
        "deepseek-v3",
        "deepseek-v3-1",
        "deepseek-v3-2",
        "deepseek-v4-flash",
    ]
    (latest,) = routes(body, "mistral-medium-latest")
    assert (latest.target, latest.effective_from, latest.precision) == (
        "mistral-medium-3-5",
        moment("2026-06-16"),
        "day",
    )
    (flash,) = routes(body, "deepseek-v4-flash")
    assert flash.effective_from == moment("2026-09-10 04:00")
    assert all(route.citation_url and route.citation_title for route in (*chat, latest, flash))


def test_a_bundle_may_tell_of_no_routes(tmp_path: Path) -> None:
    body = bundle(write_record(tmp_path))
    assert b"routes" not in body
    assert routes(body, "acme-1") == ()


def test_an_id_with_prices_keeps_them_beside_its_routes(tmp_path: Path) -> None:
    (priced,) = [o for o in parse(bundle(write_record(tmp_path, routes=ROUTES))).offerings if o.model == "acme-1"]
    assert (len(priced.claims), len(priced.routes)) == (2, 1)


@pytest.mark.parametrize(
    ("given", "instead", "says"),
    [
        ("        target: acme-1\n", "", "target or target_model"),
        ("        target: acme-2\n", "        target: acme-2\n        target_model: acme-zero\n", "target or target"),
        ('effective_until: "2025-06-01"', 'effective_until: "2025-02-01"', "not after it begins"),
        ('effective_until: "2025-01-02"', 'effective_until: "2025-01-03"', "overlap on 2025-01-02"),
        ("model: acme-1\n", "model: acme-latest\n", "stands twice"),
        ("seller: acme\n", "seller: other\n", "acme.yaml"),
        ("precision: exact", "precision: week", "precision"),
        ("https://acme.example/news", "somewhere", "source_url"),
    ],
)
def test_a_mistake_refuses_the_record_and_says_where(tmp_path: Path, given: str, instead: str, says: str) -> None:
    assert given in ROUTES
    with pytest.raises(UnreadableDocument, match=says):
        bundle(write_record(tmp_path, routes=ROUTES.replace(given, instead)))


@pytest.fixture
def loaded(db: None, tmp_path: Path, settings: object) -> None:
    settings.RECORD_DIR = write_record(tmp_path, routes=ROUTES)  # type: ignore[attr-defined]
    load_curated()


@pytest.mark.usefixtures("loaded")
class TestLoading:
    def test_ids_and_targets_that_nobody_sells_yet_are_offerings_without_prices(self) -> None:
        unpriced = Offering.objects.filter(status="unpriced").order_by("external_id")
        assert [(row.external_id, row.name) for row in unpriced] == [
            ("acme-2", "acme-2"),
            ("acme-latest", "Acme Latest"),
        ]

    def test_each_route_is_believed_with_its_citation(self) -> None:
        rows = Alias.objects.filter(offering__external_id="acme-latest", known_until=None).order_by("effective_from")
        assert [row.target_offering and row.target_offering.external_id for row in rows] == [None, "acme-1"]
        assert rows[0].effective_until == rows[1].effective_from == moment("2025-01-02")
        assert {row.citation_url for row in rows} == {"https://acme.example/news"}
        assert {row.source.slug for row in rows} == {"curated"}

    def test_a_model_that_nobody_knew_is_made(self) -> None:
        model = AIModel.objects.get(slug="acme-zero")
        assert model.name == "Acme Zero"
        assert model.developer is not None and model.developer.slug == "acme"

    def test_a_second_load_changes_nothing_and_the_ledger_is_clean(self) -> None:
        before = list(Alias.objects.values()), PricingChange.objects.count()
        load_curated()
        assert (list(Alias.objects.values()), PricingChange.objects.count()) == before
        assert not list(findings())

    def test_what_the_first_load_tells_is_no_news(self) -> None:
        told = [change for change in PricingChange.objects.all() if change.is_route]
        assert told
        assert all(change.initial for change in told)
