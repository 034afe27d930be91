"""What the operator's page shows a program to do is done as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from companies.models import Company
from pricing.models import Offering, PricingChange

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operating.md"


def test_the_program_of_the_operators_page_announces_a_price(db: None) -> None:
    seller = Company.objects.create(slug="deepseek", name="DeepSeek")
    Offering.objects.create(
        seller=seller, kind="api", external_id="deepseek-v4-pro", identity_key="deepseek-v4-pro", name="DeepSeek V4 Pro"
    )
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    exec(compile(found[1], str(PAGE), "exec"), {})
    assert [change.kind for change in PricingChange.objects.all()] == ["announced"]
