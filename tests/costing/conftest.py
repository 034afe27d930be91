"""What tests of costs share: DeepSeek's chat model with a price for each kind of token."""

from __future__ import annotations

import pytest

from pricing.models import Offering
from tests.api import factories as make


@pytest.fixture
def chat(db: None) -> Offering:
    """``deepseek-chat``: 0.435 in, 0.0435 cached, 0.87 out, and half of it in batches, per 1M tokens, since 2026."""
    offering = make.offering("deepseek-chat", model=make.ai_model("deepseek-v4"))
    source = make.source("models-dev")
    make.reference(offering, source=source, external_id="deepseek/deepseek-chat")
    for meter, amount in (("input_tokens", "0.435"), ("cache_read_tokens", "0.0435"), ("output_tokens", "0.87")):
        make.price(make.line(offering, meter), amount, source=source)
    make.price(make.line(offering, "input_tokens", service_tier="batch"), "0.2175", source=source)
    return offering
