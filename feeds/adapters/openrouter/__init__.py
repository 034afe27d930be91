"""OpenRouter's own listings, ``GET /api/v1/models``: what it sells, priced by strings in USD for one unit.

The shape is that of the service's reference (openrouter.ai/docs, components Model, Pricing and
PricingOverride) and of the bodies it has answered since 2025: every price key was filled with "0"
then, and stands only where it has a price today.
"""

from __future__ import annotations

from feeds.adapters.openrouter.parsing import parse
from feeds.adapters.openrouter.rows import offering_id

__all__ = ["offering_id", "parse"]
