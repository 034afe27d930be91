"""The price keys of genai-prices, and the meter and quantity that each stands for.

One row per unit of the package's own table (``genai_prices/data_units.py`` of 0.2.3, 59 units). A key
ends in its quantity: ``_mtok`` a million tokens, ``_kcount`` a thousand, ``_hours`` an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal

from pricing.meters import MILLION, MODALITIES, THOUSAND, meter

_SECONDS_PER_HOUR = 3_600
_BILLION = 1_000_000_000
# Wide enough that only the quotient by 3,600 is ever rounded.
_EXACT = Context(prec=60)
_LEDGER_STEP = Decimal("1e-18")


@dataclass(frozen=True, slots=True)
class Unit:
    """A price key's meter, and how many of what that meter counts the key's price buys."""

    meter: str
    quantity: int

    def canonical(self, price: Decimal) -> Decimal:
        """The price of the meter's canonical quantity.

        Exact but for a price per hour, which has no finite decimal per second and is rounded to
        the ledger's 18 places.
        """
        per = meter(self.meter).per
        if per == self.quantity:
            return price
        amount = _EXACT.divide(_EXACT.multiply(price, Decimal(per)), Decimal(self.quantity))
        if self.quantity == _SECONDS_PER_HOUR:
            return amount.quantize(_LEDGER_STEP, context=_EXACT)
        return amount


_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "input_tool": "input_tool_tokens",
    "output_reasoning": "reasoning_tokens",
    "output_citation": "citation_tokens",
}
_TOKENS_BY_MODALITY = {
    "input_{}": "input_{}_tokens",
    "output_{}": "output_{}_tokens",
    "cache_{}_read": "cache_read_{}_tokens",
    "cache_{}_write": "cache_write_{}_tokens",
    "cache_{}_write_5m": "cache_write_{}_5m_tokens",
    "cache_{}_write_1h": "cache_write_{}_1h_tokens",
    "input_{}_tool": "input_{}_tool_tokens",
    "output_{}_reasoning": "reasoning_{}_tokens",
    "output_{}_citation": "citation_{}_tokens",
}


def _token_units() -> Iterator[tuple[str, Unit]]:
    for key, slug in _TOKENS.items():
        yield f"{key}_mtok", Unit(slug, MILLION)
    for key, slug in _TOKENS_BY_MODALITY.items():
        for modality in MODALITIES:
            yield f"{key.format(modality)}_mtok", Unit(slug.format(modality), MILLION)


UNITS: dict[str, Unit] = {
    **dict(_token_units()),
    "input_mchars": Unit("input_characters", MILLION),
    "input_text_messages_kcount": Unit("messages", THOUSAND),
    "audio_hours": Unit("audio_seconds", _SECONDS_PER_HOUR),
    "input_audio_hours": Unit("input_audio_seconds", _SECONDS_PER_HOUR),
    "output_audio_hours": Unit("output_audio_seconds", _SECONDS_PER_HOUR),
    "input_gpixels": Unit("input_pixels", _BILLION),
    "input_document_kpages": Unit("pages", THOUSAND),
    "input_annotated_document_kpages": Unit("annotated_pages", THOUSAND),
    "rerank_searches_kcount": Unit("queries", THOUSAND),
    "web_searches_kcount": Unit("web_searches", THOUSAND),
    "social_searches_kcount": Unit("social_searches", THOUSAND),
    "storage_searches_kcount": Unit("storage_searches", THOUSAND),
    "code_executions_kcount": Unit("code_executions", THOUSAND),
    "requests_kcount": Unit("requests", THOUSAND),
}
