"""What a row must be to be taken, whatever its adapter let through: legible ids, lines that fit their columns."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from pricing.claims import Claim, Conditions, ModelFacts, ParsedOffering
from pricing.models import PriceLine
from tracker.amounts import fits

LONGEST_PROVIDER = 200
LONGEST_ID = 500
LARGEST_COUNT = 2**63 - 1
_LINE_TEXTS = ("meter", "service_tier", "region", "variant", "commitment", "slot", "layer")
_LONGEST = {field.name: field.max_length for field in PriceLine._meta.concrete_fields if field.name in _LINE_TEXTS}
_LONGEST_CURRENCY = 10


def refusal(parsed: ParsedOffering) -> str | None:
    """Why a row cannot be taken, or None."""
    reason = _refused_id("provider id", parsed.provider, LONGEST_PROVIDER)
    reason = reason or _refused_id("model id", parsed.model, LONGEST_ID)
    if reason:
        return reason
    ids = [target for route in parsed.routes if (target := route.target or route.model)]
    reasons = [_refused_claim(claim) for claim in parsed.claims]
    reasons += [_refused_id("id that it leads to", target, LONGEST_ID) for target in ids]
    return next((reason for reason in reasons if reason), None)


def legible(text: str) -> str:
    """Text as a report can show and every database can store it: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def cleaned(parsed: ParsedOffering) -> ParsedOffering:
    """The row with facts that can be stored: unprintable characters are left out, impossible counts too."""
    if _is_clean(parsed):
        return parsed
    facts = parsed.facts
    texts = {name: _printable(getattr(facts, name)) for name in ("name", "family", "developer", "base_model", "mode")}
    counts = {name: _count(getattr(facts, name)) for name in ("context_tokens", "max_output_tokens")}
    modalities = {
        name: tuple(map(_printable, getattr(facts, name))) for name in ("input_modalities", "output_modalities")
    }
    known: ModelFacts = replace(facts, **texts, **counts, **modalities)  # type: ignore[arg-type]
    slots = tuple(
        rule for rule in parsed.slots if rule.slot.isprintable() and len(rule.slot) <= (_LONGEST["slot"] or 0)
    )
    return replace(parsed, facts=known, slots=slots, provider_name=_printable(parsed.provider_name))


def _is_clean(parsed: ParsedOffering) -> bool:
    """Whether nothing needs to be left out, as in nearly every row; one without calendar, to be looked at quickly."""
    facts = parsed.facts
    texts = (facts.name, facts.family, facts.developer, facts.base_model, facts.mode, parsed.provider_name)
    if parsed.slots or not "".join((*texts, *facts.input_modalities, *facts.output_modalities)).isprintable():
        return False
    return all(_count(count) == count for count in (facts.context_tokens, facts.max_output_tokens))


def _refused_id(label: str, text: str, longest: int) -> str | None:
    if not text.strip():
        return f"the {label} is empty"
    if len(text) > longest:
        return f"the {label} has {len(text)} characters; at most {longest} can be an id"
    return None if text.isprintable() else f"the {label} holds control characters"


def _refused_claim(claim: Claim) -> str | None:
    reason = _refused_line(claim.line)
    if reason is not None:
        return reason
    if not claim.currency.isprintable() or not 0 < len(claim.currency) <= _LONGEST_CURRENCY:
        return "the currency of a price is no currency code"
    amounts = (claim.amount, claim.factor) if claim.factor is not None else (claim.amount,)
    return None if all(map(fits, amounts)) else "a price has more digits than the ledger keeps"


@lru_cache(maxsize=8192)
def _refused_line(line: Conditions) -> str | None:
    for name in _LINE_TEXTS:
        text, longest = getattr(line, name), _LONGEST[name]
        if longest is not None and len(text) > longest:
            return f"the {name.replace('_', ' ')} of a price has {len(text)} characters; at most {longest} are kept"
        if not text.isprintable():
            return f"the {name.replace('_', ' ')} of a price holds control characters"
    if not 0 <= line.above_input_tokens <= LARGEST_COUNT:
        return f"a price applies above {line.above_input_tokens} input tokens, which no request can have"
    return None


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def _count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= LARGEST_COUNT else None
