"""The comparison with an independent truth finds every move, accounts for the rest by proof, and is not fooled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.against_truth import accounts, reverse
from benchmarks.against_truth.accounts import NOT_FOUND
from benchmarks.against_truth.fields import Documents
from benchmarks.against_truth.report import findings, tables
from benchmarks.against_truth.rows import TruthRow
from tests.acceptance.small_truth import DAYS, labels, loaded, ours, truth

PROJECT = Path(__file__).resolve().parents[2]
OTHER_ROW = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 3e-06}

# One week a column; None where the document lacks the model. DeepSeek is a lab, whose zeros are free; nobody knows
# the reseller Acme, so its zeros say nothing.
WEEKS: dict[tuple[str, str], list[dict[str, float] | None]] = {
    ("deepseek", "raised"): [
        {"input": 1, "output": 2},
        {"input": 1.5, "output": 2},
        *[{"input": 1.5, "output": 2}] * 2,
    ],
    ("deepseek", "gift"): [{"input": 0}, {"input": 0.5}, {"input": 0.5}, {"input": 0.5}],
    ("deepseek", "noisy"): [{"input": 0.39999999999999997}, {"input": 0.4}, {"input": 0.4}, {"input": 0.4}],
    ("deepseek", "shy"): [{"input": 3}, None, {"input": 4}, {"input": 4}],
    ("deepseek", "gone"): [{"input": 5}, None, None, None],
    ("deepseek", "late"): [{"input": 6}, {"input": 6}, {"input": 6}, None],
    ("acme", "filler"): [{"input": 0}, {"input": 7}, {"input": 7}, {"input": 7}],
    ("acme", "Big.Model"): [{"input": 8}, {"input": 8}, {"input": 8}, {"input": 8}],
    ("acme", "big-model"): [None, {"input": 9}, {"input": 9}, {"input": 9}],
}
WEEKLY_TRUTH = [
    ("2026-01-11", "deepseek", "raised", "input", 1, 1.5, "increase"),
    ("2026-01-11", "deepseek", "gift", "input", 0, 0.5, "became_paid"),
    ("2026-01-11", "deepseek", "noisy", "input", 0.39999999999999997, 0.4, "increase"),
    ("2026-01-11", "deepseek", "shy", "input", 3, None, "removed"),
    ("2026-01-11", "deepseek", "gone", "input", 5, None, "removed"),
    ("2026-01-11", "acme", "filler", "input", 0, 7, "became_paid"),
    ("2026-01-11", "acme", "big-model", "input", None, 9, "introduced"),
    ("2026-01-18", "deepseek", "shy", "input", None, 4, "introduced"),
    ("2026-01-25", "deepseek", "late", "input", 6, None, "removed"),
]


def catalogue(week: int) -> bytes:
    providers: dict[str, Any] = {}
    for (provider, model), weeks in WEEKS.items():
        models = providers.setdefault(provider, {"id": provider, "models": {}})["models"]
        if weeks[week] is not None:
            models[model] = {"id": model, "cost": weeks[week]}
    return json.dumps(providers).encode()


@pytest.fixture
def weekly(db: None, tmp_path: Path) -> Documents:
    return loaded("models-dev", map(catalogue, range(4)), tmp_path)


def test_every_weekly_row_is_found_or_accounted_for(weekly: Documents) -> None:
    assert labels(weekly, truth(*WEEKLY_TRUTH)) == {
        ("raised", "2026-01-11"): accounts.FOUND,
        ("gift", "2026-01-11"): accounts.FOUND,
        ("noisy", "2026-01-11"): accounts.NOISE_ACCOUNT,
        ("shy", "2026-01-11"): accounts.BRIDGED,
        ("gone", "2026-01-11"): f"{accounts.TOLD_LATE}: vanished, released by persistence",
        ("filler", "2026-01-11"): f"{accounts.ZERO_UNKNOWN}: the change starts or ends at no price",
        ("big-model", "2026-01-11"): accounts.OTHER_ID,
        ("shy", "2026-01-18"): accounts.BRIDGED,
        ("late", "2026-01-25"): accounts.STILL_MISSING,
    }


def test_every_line_of_ours_has_its_row_or_a_reason(weekly: Documents) -> None:
    assert ours(weekly, truth(*WEEKLY_TRUTH)) == {
        reverse.TOLD: 2,
        f"{reverse.TOLD}, told when the hold on it was released: vanished, released by persistence": 1,
        f"{reverse.TOLD_OTHERWISE}: {accounts.BRIDGED}": 1,
        f"{reverse.TOLD_OTHERWISE}: {accounts.ZERO_UNKNOWN}: the change starts or ends at no price": 1,
    }


def test_a_line_without_a_row_is_listed(weekly: Documents) -> None:
    found = findings(weekly, truth(*WEEKLY_TRUTH[1:]))
    assert found.missing == []
    assert len(found.unexplained) == 1
    assert "input_tokens: 1 -> 1.5" in found.unexplained[0]


@pytest.mark.parametrize(
    "row",
    [
        ("2026-01-11", "deepseek", "raised", "input", 1, 1.6, "increase"),
        ("2026-01-18", "deepseek", "raised", "input", 1, 1.5, "increase"),
        ("2026-01-11", "deepseek", "raised", "output", 2, 3, "increase"),
        ("2026-01-11", "deepseek", "nowhere", "input", None, 1, "introduced"),
        ("2026-01-18", "acme", "filler", "input", 0, 7, "became_paid"),
    ],
)
def test_a_row_that_the_documents_do_not_bear_out_is_not_found(weekly: Documents, row: tuple[Any, ...]) -> None:
    found = findings(weekly, truth(row))
    assert len(found.missing) == 1
    assert "NOT FOUND: 1" in list(tables(found))


def test_a_move_that_no_change_tells_is_not_found(weekly: Documents) -> None:
    from pricing.models import PricingChangeLine

    PricingChangeLine.objects.filter(change__offering__external_id="raised").delete()
    assert labels(weekly, truth(WEEKLY_TRUTH[0])) == {("raised", "2026-01-11"): NOT_FOUND}


def test_a_statement_that_was_lost_is_no_account(weekly: Documents) -> None:
    """The believed price went on as if the model were missing, but the document has it."""
    from pricing.models import Price, PricingChangeLine, Statement

    theirs = {"line__offering__external_id": "raised", "line__meter": "input_tokens"}
    PricingChangeLine.objects.filter(**theirs).delete()
    Price.objects.filter(**theirs).exclude(amount=1, known_until__isnull=True).delete()
    Price.objects.filter(**theirs).update(effective_until=None)
    Statement.objects.filter(**theirs, amount=1.5).delete()
    assert labels(weekly, truth(WEEKLY_TRUTH[0])) == {("raised", "2026-01-11"): NOT_FOUND}


def price_map(tmp_path: Path, *maps: dict[str, Any]) -> Documents:
    return loaded("litellm", (json.dumps(rows | {"other": OTHER_ROW}).encode() for rows in maps), tmp_path)


def priced(provider: str, mode: str = "chat", **fields: Any) -> dict[str, Any]:
    return {"litellm_provider": provider, "mode": mode, **fields}


@pytest.mark.django_db
def test_amounts_are_compared_in_the_unit_of_the_line(tmp_path: Path) -> None:
    def row(tokens: float, search: float, tier: float) -> dict[str, Any]:
        return priced(
            "openai",
            input_cost_per_token=tokens,
            search_context_cost_per_query={"search_context_size_low": search},
            tiered_pricing=[{"range": [32000, 64000], "output_cost_per_token": tier}],
        )

    documents = price_map(tmp_path, {"a": row(1e-06, 0.03, 1e-06)}, {"a": row(2e-06, 0.025, 4e-06)})
    rows = truth(
        ("2026-01-11", "openai", "a", "input_cost_per_token", 1e-06, 2e-06, "increase"),
        ("2026-01-11", "openai", "a", "search_context_cost_per_query.search_context_size_low", 0.03, 0.025, "decrease"),
        ("2026-01-11", "openai", "a", "tiered_pricing[0].output_cost_per_token", 1e-06, 4e-06, "increase"),
    )
    found = findings(documents, rows)
    assert found.truth == {"increase": {accounts.FOUND: 2}, "decrease": {accounts.FOUND: 1}}
    assert found.ours["market"] == {reverse.TOLD: 3}


@pytest.mark.django_db
def test_the_more_specific_id_speaks_and_the_other_is_accounted_for(tmp_path: Path) -> None:
    twin = {"deepseek/deepseek-chat": priced("deepseek", input_cost_per_token=2.7e-07)}
    documents = price_map(
        tmp_path,
        {"deepseek-chat": priced("deepseek", input_cost_per_token=6e-07), **twin},
        {"deepseek-chat": priced("deepseek", input_cost_per_token=2.8e-07), **twin},
    )
    rows = truth(("2026-01-11", "deepseek", "deepseek-chat", "input_cost_per_token", 6e-07, 2.8e-07, "decrease"))
    assert labels(documents, rows) == {("deepseek-chat", "2026-01-11"): accounts.OTHER_ID}


@pytest.mark.django_db
def test_a_rejected_row_is_accounted_for_with_its_reason(tmp_path: Path) -> None:
    unsold = {"mode": "chat", "input_cost_per_token": 3e-06}
    documents = price_map(tmp_path, {"orphan": unsold}, {"orphan": priced("together_ai", input_cost_per_token=1e-06)})
    rows = truth(("2026-01-11", "together_ai", "orphan", "input_cost_per_token", 3e-06, 1e-06, "decrease"))
    assert labels(documents, rows)["orphan", "2026-01-11"].startswith("rejected: the row has no litellm_provider")
    (label,) = ours(documents, rows)
    assert "the row has no litellm_provider" in label


@pytest.mark.django_db
def test_fields_that_are_no_price_or_yield_to_another_are_accounted_for(tmp_path: Path) -> None:
    def heard(seconds: float) -> dict[str, Any]:
        return priced("openai", "audio_transcription", input_cost_per_second=seconds, output_cost_per_second=0.0001)

    def units(dbu: float) -> dict[str, Any]:
        return priced("databricks", input_cost_per_token=1e-06, input_dbu_cost_per_token=dbu, cost_per_wish=dbu)

    documents = price_map(
        tmp_path,
        {"whisper": heard(0), "dbrx": units(1e-05)},
        {"whisper": heard(0.0001), "dbrx": units(2e-05)},
    )
    rows = truth(
        ("2026-01-11", "openai", "whisper", "input_cost_per_second", 0, 0.0001, "became_paid"),
        ("2026-01-11", "databricks", "dbrx", "input_dbu_cost_per_token", 1e-05, 2e-05, "increase"),
        ("2026-01-11", "databricks", "dbrx", "cost_per_wish", 1e-05, 2e-05, "decrease"),
    )
    found = findings(documents, rows)
    assert found.truth == {
        "became_paid": {accounts.OTHER_FIELD: 1},
        "increase": {f"{accounts.NO_PRICE}: input_dbu_cost_per_token": 1},
        "decrease": {f"{accounts.NOT_UNDERSTOOD}: cost_per_wish": 1},
    }
    assert found.ours == {}


@pytest.mark.django_db
def test_a_field_that_comes_to_mean_another_line_is_found_on_both(tmp_path: Path) -> None:
    documents = price_map(
        tmp_path,
        {"voice": priced("openai", "chat", output_cost_per_second=0.01)},
        {"voice": priced("openai", "audio_transcription", output_cost_per_second=0.02)},
        {"voice": priced("openai", "audio_transcription", output_cost_per_second=0.02)},
        {"voice": priced("openai", "audio_transcription", output_cost_per_second=0.02)},
    )
    rows = truth(("2026-01-11", "openai", "voice", "output_cost_per_second", 0.01, 0.02, "increase"))
    assert labels(documents, rows) == {("voice", "2026-01-11"): f"{accounts.TWO_LINES}: {accounts.FOUND}"}


@pytest.mark.django_db
def test_derived_lines_and_ids_that_go_elsewhere_have_their_reasons(tmp_path: Path) -> None:
    def uplifted(price: float) -> dict[str, Any]:
        return priced("openai", input_cost_per_token=price, regional_processing_uplift_multiplier_eu=1.1)

    def sold_by(provider: str) -> dict[str, Any]:
        return priced(provider, input_cost_per_token=4e-06)

    first = {"a": uplifted(1e-06), "azure/b": sold_by("text-completion-openai")}
    then = {"a": uplifted(2e-06), "azure/b": sold_by("azure_text")}
    documents = price_map(tmp_path, first, then, then | {"c": OTHER_ROW}, then)
    rows = truth(
        ("2026-01-11", "openai", "a", "input_cost_per_token", 1e-06, 2e-06, "increase"),
        ("2026-01-18", "openai", "c", "input_cost_per_token", None, 3e-06, "introduced"),
    )
    assert ours(documents, rows) == {reverse.TOLD: 2, reverse.DERIVED: 1, reverse.MOVED_ELSEWHERE: 2}


@pytest.mark.django_db
def test_a_price_field_that_the_truth_never_looks_at_is_named(tmp_path: Path) -> None:
    documents = price_map(
        tmp_path,
        {"a": priced("openai", input_cost_per_token=1e-06, ocr_cost_per_page=0.001)},
        {"a": priced("openai", input_cost_per_token=2e-06, ocr_cost_per_page=0.002)},
    )
    rows = truth(("2026-01-11", "openai", "a", "input_cost_per_token", 1e-06, 2e-06, "increase"))
    assert ours(documents, rows) == {reverse.TOLD: 1, f"{reverse.NOT_CARRIED} ocr_cost_per_page": 1}


def run(*arguments: object, data_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, PROJECT / "benchmarks" / "truth.py", *map(str, arguments), "--data-dir", data_dir]
    environment = os.environ | {"DATABASE_URL": "", "REDIS_URL": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # type: ignore[call-overload,no-any-return]


def test_the_command_loads_compares_and_prints_one_json_object(tmp_path: Path) -> None:
    documents, rows = tmp_path / "documents", tmp_path / "truth.jsonl"
    documents.mkdir()
    for week, day in enumerate(DAYS):
        (documents / f"{day}.json").write_bytes(catalogue(week))
    lines = [row for row in truth(*WEEKLY_TRUTH) if row.date_to <= "2026-01-11"]
    stated = [{name: getattr(row, name) for name in TruthRow.__dataclass_fields__} for row in lines]
    rows.write_text("\n".join(json.dumps(row, default=float) for row in stated))
    done = run(
        "models-dev",
        "--documents",
        documents,
        "--truth",
        rows,
        "--until",
        "2026-01-11",
        "--json",
        data_dir=tmp_path / "record",
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert [load["date"] for load in printed["documents"]] == ["2026-01-04", "2026-01-11"]
    assert all(0 < load["peak_mib"] < 300 for load in printed["documents"])
    assert printed["verify_ledger"] == "The ledger is clean."
    assert (printed["not_found"], printed["ours_not_found"]) == ([], [])


def test_a_call_that_cannot_be_taken_says_what_is_right(tmp_path: Path) -> None:
    done = run("models-dev", "--documents", tmp_path, "--truth", __file__, data_dir=tmp_path / "record")
    assert done.returncode == 2
    assert "holds no file named like 2026-02-17.json" in done.stderr
