"""genai-prices: the data inside the installed package, and the JSON documents of its repository."""

from __future__ import annotations

from feeds.adapters.genai_prices.parse import parse

__all__ = ["parse"]
