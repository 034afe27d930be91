"""LiteLLM's ``model_prices_and_context_window.json``: one object of model rows, priced in USD per single unit.

The prices are some 160 flat fields that follow a grammar (meter, threshold, size, service tier)
and five structures; see ``fields``, ``structures``, ``off_peak`` and ``uplifts``. The ids carry
conditions of their own; see ``ids``.
"""

from __future__ import annotations

from feeds.adapters.litellm.ids import SplitId, offering_id, split_id
from feeds.adapters.litellm.parsing import parse, row_reader, rows_of

__all__ = ["SplitId", "offering_id", "parse", "row_reader", "rows_of", "split_id"]
