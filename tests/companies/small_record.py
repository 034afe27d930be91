"""A record of one company, small enough to break in one place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

COMPANY = """\
slug: acme
name: Acme
kind: lab
country: "NO"
aliases: [Acme Labs]
feed_ids:
  models-dev: [acme, {id: acme-cn, listing: cn, zeros: included}]
"""

EVENTS = """\
company: acme
events:
  - key: first-price
    kind: api_launched
    title: Acme opens its API
    summary: A million tokens cost 2 USD.
    announced_on: "2025-01-02"
    effective_on: "2025-01-02"
    precision: day
    source_url: https://acme.example/news
    source_title: Acme news
    source_class: official
    confidence: high
"""

METRICS = """\
company: acme
metrics:
  - key: annual-revenue-2024
    metric: annual_revenue
    value: "1234567890.10"
    currency: USD
    as_of: "2024-12-31"
    precision: year
    kind: reported
    source_url: https://acme.example/report
    source_title: Acme report
    source_class: press
    confidence: medium
"""

PLANS = """\
company: acme
plans:
  - slug: acme-plus
    name: Acme Plus
    audience: consumer
    prices:
      - amount: "10"
        currency: USD
        billing_period: month
        effective_from: "2025-01-02"
        precision: day
        effective_until: "2025-06-01"
        allowances: Fifty questions.
        source_url: https://acme.example/plus
        source_title: Acme Plus
        source_class: official
        confidence: high
      - amount: "12.50"
        currency: USD
        billing_period: month
        effective_from: "2025-06-01"
        precision: day
        allowances: A hundred questions.
        source_url: https://acme.example/plus
        source_title: Acme Plus
        source_class: official
        confidence: high
"""

PRICES = """\
seller: acme
currency: USD
offerings:
  - model: acme-1
    name: Acme 1
    slots:
      - slot: night
        time_zone: Asia/Shanghai
        windows: ["00:30-08:30"]
        weekdays: ["1", "2"]
      - slot: rest
        rest: "true"
    sheets:
      - effective_from: "2025-01-02"
        precision: day
        effective_until: "2025-03-01T16:00:00Z"
        slot: night
        amounts: {input_tokens: "0.10", output_tokens: "0.4"}
        source_url: https://acme.example/prices
        source_title: Acme prices
        source_class: official
        confidence: high
"""

ROUTES = """\
seller: acme
ids:
  - model: acme-latest
    name: Acme Latest
    routes:
      - effective_until: "2025-01-02"
        target_model: acme-zero
        target_name: Acme Zero
        source_url: https://acme.example/news
        source_title: Acme news
        source_class: official
        confidence: high
      - effective_from: "2025-01-02"
        precision: day
        target: acme-1
        note: The id moved with the release.
        source_url: https://acme.example/news
        source_title: Acme news
        source_class: official
        confidence: high
  - model: acme-1
    routes:
      - effective_from: "2025-03-01T16:00:00Z"
        precision: exact
        effective_until: "2025-06-01"
        target: acme-2
        source_url: https://acme.example/news
        source_title: Acme news
        source_class: official
        confidence: high
"""

RECORD = """\
schema: "1"
compiled_on: "2025-07-01"
licence: MIT
notes:
  - about: [acme]
    text: Two papers differ on the revenue.
"""


def write_record(folder: Path, **changed: str) -> Path:
    """Write the small record, with other texts in place of ``company``, ``events``, ``metrics`` …

    It tells of routes only where they are given.
    """
    texts = {
        "company": ("companies/acme.yaml", COMPANY),
        "events": ("events/acme.yaml", EVENTS),
        "metrics": ("metrics/acme.yaml", METRICS),
        "plans": ("plans/acme.yaml", PLANS),
        "prices": ("prices/acme.yaml", PRICES),
        "record": ("record.yaml", RECORD),
    }
    if "routes" in changed:
        texts["routes"] = ("routes/acme.yaml", ROUTES)
    for name, (path, text) in texts.items():
        target = folder / "data" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(changed.get(name, text)), encoding="utf-8")
    return folder / "data"
