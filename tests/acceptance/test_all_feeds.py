"""The counts over all feeds: who bears out whom, what is linked and who disagrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.all_feeds import doubts, newest_document, tables
from benchmarks.truth import BadCall
from tests.feeds.small_feeds import catalogue, day, price_map, read


@pytest.mark.django_db
def test_offerings_are_counted_by_how_many_sources_price_them() -> None:
    read(catalogue(deepseek_chat={"input": 1, "output": 2}, deepseek_coder={"input": 3}), day(1))
    costs = {"input_cost_per_token": 4e-06, "output_cost_per_token": 2e-06}
    read(price_map(deepseek_chat={"litellm_provider": "deepseek", "mode": "chat"} | costs), day(2), "litellm")
    counted = {line[:42].strip(): line[42:].split() for line in tables() if line[42:].strip()}
    assert counted["offerings of APIs that a source prices"] == ["2", "1"]
    assert counted["priced by 1 of the sources"] == ["1", "0"]
    assert counted["priced by 2 of the sources"] == ["1", "1"]
    assert counted["linked, in percent"] == ["100.0", "100.0"]
    assert list(doubts()) == ["amount: deepseek-chat at DeepSeek: input_tokens: litellm 4, models.dev 1"]


def test_the_newest_document_of_a_folder_is_taken(tmp_path: Path) -> None:
    for name in ("2026-01-04.json", "2026-02-01.json.gz", "2026-03-notes.txt"):
        (tmp_path / name).touch()
    assert newest_document(tmp_path).name == "2026-02-01.json.gz"
    with pytest.raises(BadCall, match=r"holds no file named like 2026-02-17\.json"):
        newest_document(tmp_path / "nowhere")
