"""Every model of the installed genai-prices data on a grid of usages and moments: one total, or a known reason."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.cost_peers import genai_peer
from benchmarks.cost_peers.genai_peer import EMPTY, HOURLY, MINIMUM, UNDATED
from benchmarks.cost_peers.sheets import genai_prices_sheets


@pytest.mark.slow
def test_totals_are_those_of_calc_price_but_for_known_reasons() -> None:
    sheets = genai_prices_sheets()
    comparison = genai_peer.compare(sheets)
    assert len(sheets) > 2_000
    assert comparison.equal > 50_000
    reasons = Counter(difference.reason for difference in comparison.differences)
    assert reasons.keys() <= {EMPTY, HOURLY, MINIMUM, UNDATED}
    # Apart from names of what is standard, fewer than one line in a hundred differs.
    assert reasons.total() - reasons[EMPTY] < comparison.equal / 100
