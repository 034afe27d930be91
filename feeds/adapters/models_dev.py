"""models.dev's ``api.json``: an object of providers, each with the models it sells, priced in USD per 1M tokens.

The shapes understood here are those of the site's own schema and its forerunners, from the first
documents of 2025 on: see packages/core/src/schema.ts and generate.ts in github.com/anomalyco/models.dev.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from feeds.adapters.amounts import BadRow, check_fields, price_amount, shape_name, shown
from feeds.adapters.document import load_noting_repeats
from feeds.adapters.models_dev_tree import assemble
from pricing.claims import (
    STANDARD_TIER,
    Claim,
    Conditions,
    ModelFacts,
    ParsedDocument,
    ParsedOffering,
    Rejection,
    UnreadableDocument,
)

__all__ = ["assemble", "model_facts", "parse", "row_reader", "rows_of"]

_METERS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
    "input_audio": "input_audio_tokens",
    "output_audio": "output_audio_tokens",
}
# What a field was called before June 2025; it counts where the present name is missing.
_FORMER_NAMES = {"inputCached": "cache_read", "outputCached": "cache_write"}
_LONG_CONTEXT = "context_over_200k"
_LONG_CONTEXT_TOKENS = 200_000
_STRUCTURED = frozenset({"tiers", _LONG_CONTEXT})

# Of one row: the provider's id and the model's.
RowKey = tuple[str, str | None]

# Fields that say nothing of prices and need no second look; the rest are looked at by name.
# fmt: off
_PLAIN_FIELDS = frozenset(
    {
        "id", "name", "description", "family", "status", "attachment", "reasoning", "reasoning_options",
        "temperature", "tool_call", "cost", "structured_output", "interleaved", "knowledge", "release_date",
        "last_updated", "modalities", "open_weights", "limit", "provider",
    }
)
# fmt: on
_STRINGS: frozenset[type] = frozenset({str})
_NOTHING: Mapping[str, Any] = {}
_PRICE_WORDS = ("cost", "price", "pricing")
_EXPECTED = "models.dev's api.json, an object of providers that each hold an object 'models', was expected"


def parse(body: bytes) -> ParsedDocument:
    """All that one ``api.json`` says.

    Raises UnreadableDocument for what is no such document. A model that cannot be taken is
    rejected and the rest goes on.
    """
    document = ParsedDocument()
    read_row = row_reader(document)
    for key, row in rows_of(load_noting_repeats(body, document)).items():
        read_row(key, row)
    return document


def row_reader(document: ParsedDocument) -> Callable[[RowKey, object], None]:
    """What adds all that one row says to a document; a row says the same whatever stands beside it."""
    return _Reading(document).read_row


def rows_of(content: object) -> dict[RowKey, object]:
    """The models by provider and id, each with its provider's name; a provider without models is a row without an id.

    Raises UnreadableDocument for what is no such document.
    """
    rows: dict[RowKey, object] = {}
    for provider_id, provider in _catalogue(content).items():
        models = _models(provider)
        if models is None:
            rows[provider_id, None] = provider
            continue
        name = _text(provider.get("name"))
        rows.update({(provider_id, model_id): (name, model) for model_id, model in models.items()})
    return rows


def _catalogue(content: object) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise UnreadableDocument(f"the document is {shape_name(content)}; {_EXPECTED}")
    if not content:
        raise UnreadableDocument(f"the document holds no providers; {_EXPECTED}")
    if not any(_models(provider) is not None for provider in content.values()):
        first = ", ".join(map(repr, list(content)[:3]))
        raise UnreadableDocument(f"no entry (the first are {first}) has an object 'models'; {_EXPECTED}")
    return content


def _models(provider: object) -> Mapping[str, Any] | None:
    models = provider.get("models") if isinstance(provider, dict) else None
    return models if isinstance(models, dict) else None


class _Reading:
    """One pass over a document; equal claims are made once and shared, to save time."""

    def __init__(self, document: ParsedDocument) -> None:
        self.document = document
        self._claims: defaultdict[tuple[str, int], dict[tuple[str, Any], Claim]] = defaultdict(dict)

    def read_row(self, key: RowKey, row: object) -> None:
        provider_id, model_id = key
        if model_id is None or not isinstance(row, tuple):
            self._reject(provider_id, "", "the provider has no object 'models'")
            return
        name, model = row
        try:
            offering = self._offering(provider_id, name, model_id, model)
        except BadRow as error:
            self._reject(provider_id, model_id, str(error))
        else:
            self.document.offerings.append(offering)

    def _reject(self, provider_id: str, model_id: str, reason: str) -> None:
        self.document.rejected.append(Rejection(provider_id, model_id, reason))

    def _offering(self, provider_id: str, provider_name: str, model_id: str, model: object) -> ParsedOffering:
        if not isinstance(model, dict):
            raise BadRow(f"the model is {shape_name(model)}; an object was expected")
        check_fields(model, "the model")
        claims = self._sheet("cost", model.get("cost"), STANDARD_TIER)
        facts = model_facts(model)
        if not _PLAIN_FIELDS.issuperset(model):
            facts = _with_rarer_facts(facts, model)
            claims += self._modes(model.get("experimental"))
            self._count_strange_prices(model.keys() - _PLAIN_FIELDS)
        return ParsedOffering(provider_id, model_id, tuple(claims), facts, (), provider_name)

    def _modes(self, experimental: object) -> list[Claim]:
        claims = []
        for tier, cost in _priced_modes(experimental):
            if tier:
                claims += self._sheet("experimental.modes.cost", cost, tier)
            else:
                self.document.unrecognised["experimental.modes.cost"] += 1
        return claims

    def _count_strange_prices(self, fields: Set[str]) -> None:
        for field in fields:
            if any(word in field.lower() for word in _PRICE_WORDS):
                self.document.unrecognised[field] += 1

    def _sheet(self, path: str, cost: object, tier: str) -> list[Claim]:
        """The claims of a whole cost object, its thresholds included."""
        if cost is None:
            return []
        if not isinstance(cost, dict):
            raise BadRow(f"{path} is {shape_name(cost)}; an object was expected")
        check_fields(cost, path)
        claims = self._lines(path, cost, tier, 0)
        if not _STRUCTURED.isdisjoint(cost):
            claims += self._thresholds(path, cost, tier)
        return claims

    def _lines(self, path: str, cost: Mapping[str, Any], tier: str, above: int) -> list[Claim]:
        """The claims of one cost object's own price fields."""
        claims = []
        made = self._claims[tier, above]
        for field, value in cost.items():
            if value is None:
                continue
            meter = _METERS.get(field) or self._rarer_meter(path, field, cost, above)
            if meter is None:
                continue
            # A boolean is equal to a number, so it must not reach the claims made before.
            if type(value) is not Decimal and type(value) is not int:
                raise BadRow(f"{path}.{field} is {shown(value)}, but a price is a JSON number")
            claim = made.get((meter, value))
            if claim is None:
                claim = Claim(_line(meter, tier, above), price_amount(value, f"{path}.{field}"))
                made[meter, value] = claim
            claims.append(claim)
        return claims

    def _rarer_meter(self, path: str, field: str, cost: Mapping[str, Any], above: int) -> str | None:
        """The meter of a field's former name; what is neither that nor a threshold is counted."""
        present_name = _FORMER_NAMES.get(field)
        if present_name and cost.get(present_name) is None:
            return _METERS[present_name]
        if above or field not in _STRUCTURED:
            self.document.unrecognised[f"{path}.{field}"] += 1
        return None

    def _thresholds(self, path: str, cost: Mapping[str, Any], tier: str) -> list[Claim]:
        tiers = _context_tiers(f"{path}.tiers", cost.get("tiers"))
        claims = []
        for size, prices in tiers.items():
            claims += self._lines(f"{path}.tiers", prices, tier, size)
        self._count_other_tiers(f"{path}.tiers", cost.get("tiers"))
        return claims + self._long_context(f"{path}.{_LONG_CONTEXT}", cost.get(_LONG_CONTEXT), tiers, tier)

    def _count_other_tiers(self, path: str, tiers: object) -> None:
        for entry in tiers if isinstance(tiers, list) else ():
            kind = _tier_type(entry)
            if kind != "context":
                fields = entry.keys() - {"tier"}
                self.document.unrecognised.update(f"{path}[{kind}].{field}" for field in fields)

    def _long_context(
        self, path: str, prices: object, tiers: Mapping[int, Mapping[str, Any]], tier: str
    ) -> list[Claim]:
        """The claims of ``context_over_200k``, unless a tier says the same with its exact threshold.

        The site writes this field for old clients from the lowest tier at or above 200,000, whatever
        its size (generate.ts: "It intentionally includes higher thresholds").
        """
        if prices is None:
            return []
        if not isinstance(prices, dict):
            raise BadRow(f"{path} is {shape_name(prices)}; an object was expected")
        exact = [stated for size, stated in tiers.items() if size >= _LONG_CONTEXT_TOKENS]
        if not exact:
            return self._lines(path, prices, tier, _LONG_CONTEXT_TOKENS)
        if not any(_same_prices(prices, stated) for stated in exact):
            self.document.unrecognised.update(f"{path}.{field}" for field in prices)
        return []


@lru_cache(maxsize=1024)
def _line(meter: str, tier: str, above: int) -> Conditions:
    return Conditions(meter, service_tier=tier, above_input_tokens=above)


def _same_prices(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return _stated(left) == _stated(right)


def _stated(prices: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in prices.items() if value is not None and field != "tier"}


def _context_tiers(path: str, tiers: object) -> dict[int, dict[str, Any]]:
    """Prices by the input size above which they hold."""
    if tiers is None:
        return {}
    if not isinstance(tiers, list):
        raise BadRow(f"{path} is {shape_name(tiers)}; a list was expected")
    by_size: dict[int, dict[str, Any]] = {}
    for entry in tiers:
        if not isinstance(entry, dict):
            raise BadRow(f"{path} holds {shape_name(entry)}; objects were expected")
        if _tier_type(entry) == "context":
            size = _tier_size(path, entry)
            if size in by_size:
                raise BadRow(f"{path} states the size {size} twice")
            by_size[size] = {field: value for field, value in entry.items() if field != "tier"}
    return by_size


def _tier_type(entry: Mapping[str, Any]) -> str:
    tier = entry.get("tier")
    return str(tier.get("type", "context")) if isinstance(tier, dict) else "context"


def _tier_size(path: str, entry: Mapping[str, Any]) -> int:
    tier = entry.get("tier")
    size = tier.get("size") if isinstance(tier, dict) else None
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise BadRow(f"{path}.tier.size is {shown(size)}, but a threshold is a whole number of tokens above 0")
    return size


def _priced_modes(experimental: object) -> Iterator[tuple[str, object]]:
    """The service tier and cost object of each mode; ``experimental`` was a bare boolean once.

    A mode that no tier is free for (a mode named ``standard``) comes with an empty tier.
    """
    modes = experimental.get("modes") if isinstance(experimental, dict) else None
    if not isinstance(modes, dict):
        return
    taken = {STANDARD_TIER}
    for name, mode in sorted(modes.items(), key=lambda item: _wire_tier(item[1]) not in (None, item[0])):
        if isinstance(mode, dict) and mode.get("cost") is not None:
            tier = next((tier for tier in (_wire_tier(mode), name) if tier and tier not in taken), "")
            taken.add(tier)
            yield tier, mode["cost"]


def _wire_tier(mode: object) -> str | None:
    """The service tier that a mode puts into the request: OpenAI's mode ``fast`` asks for ``priority``."""
    if not isinstance(mode, dict):
        return None
    provider = mode.get("provider")
    for holder in (provider, mode):
        request = holder.get("body") if isinstance(holder, dict) else None
        tier = request.get("service_tier") if isinstance(request, dict) else None
        if isinstance(tier, str) and tier:
            return tier
    return None


def model_facts(model: Mapping[str, Any]) -> ModelFacts:
    """What a model entry says besides prices; a value of the wrong kind counts as not said."""
    limit = _object(model.get("limit"))
    modalities = _object(model.get("modalities"))
    name, family = model.get("name"), model.get("family")
    open_weights = model.get("open_weights")
    released_on, precision = _calendar_date(_text(model.get("release_date")))
    return ModelFacts(
        name=name if isinstance(name, str) else "",
        family=family if isinstance(family, str) else "",
        input_modalities=_words(modalities.get("input")),
        output_modalities=_words(modalities.get("output")),
        context_tokens=_count(limit.get("context")),
        max_output_tokens=_count(limit.get("output")),
        open_weights=open_weights if isinstance(open_weights, bool) else None,
        released_on=released_on,
        release_precision=precision,
    )


def _with_rarer_facts(facts: ModelFacts, model: Mapping[str, Any]) -> ModelFacts:
    """The facts of fields that only the oldest or newest documents have."""
    deprecated_on, _ = _calendar_date(_text(model.get("deprecation_date")))
    return replace(
        facts,
        base_model=_text(model.get("canonical") or model.get("canonical_id") or model.get("base_model")),
        mode=_text(model.get("type")),
        input_modalities=facts.input_modalities or _words(model.get("input_modalities")),
        output_modalities=facts.output_modalities or _words(model.get("output_modalities")),
        deprecated_on=deprecated_on,
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) and _STRINGS.issuperset(map(type, value)) else ()


def _count(value: object) -> int | None:
    """A token limit; models that have none carry 0."""
    return value if type(value) is int and value > 0 else None


@lru_cache(maxsize=4096)
def _calendar_date(text: str) -> tuple[date | None, str]:
    """A date and how exact it is: the catalogue writes YYYY-MM-DD, YYYY-MM and YYYY."""
    completed = {10: (text, "day"), 7: (f"{text}-01", "month"), 4: (f"{text}-01-01", "year")}
    full, precision = completed.get(len(text), ("", "unknown"))
    try:
        return date.fromisoformat(full), precision
    except ValueError:
        return None, "unknown"
