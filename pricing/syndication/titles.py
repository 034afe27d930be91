"""What a feed is called, in plain words from its filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from companies.models import AIModel, Company
from pricing.models import Offering

_KINDS = {
    "retracted": "announcements taken back",
    "rescheduled": "announcements put off",
    "announced": "announcements",
    "rerouted": "reroutes",
    "withdrawn": "withdrawals",
    "relisted": "new listings of what was withdrawn",
    "listed": "new listings",
    "became_paid": "no longer free",
    "became_free": "now free",
    "currency_changed": "new currencies",
    "promo_started": "promotions that begin",
    "promo_extended": "promotions that are extended",
    "promo_ended": "promotions that end",
    "restructured": "new structures",
    "increase": "increases",
    "decrease": "decreases",
    "mixed": "moves both ways",
    "price_added": "new prices",
    "price_removed": "dropped prices",
    "corrected": "corrections",
    "price": "scheduled prices",
    "promotion_end": "promotions that end",
    "route": "reroutes",
    "calendar": "new hours",
    "retirement": "retirements",
    "deprecation": "deprecations",
}
_WORDS = {"up": "upwards", "down": "downwards", "market": "of the market", "correction": "corrections of the record"}
_NAMED = ("seller", "model", "company", "offering")
_PAGING = frozenset({"limit", "cursor"})
Asked = Mapping[str, Sequence[str]]


def titled(what: str, asked: Asked) -> str:
    """Such as ``Pricing changes of DeepSeek: increases``; ``asked`` are the parameters, which were read already."""
    subjects = [*_models(asked), *_offerings(asked), *_companies(asked.get("company", ()))]
    sellers = _companies(asked.get("seller", ()))
    title = what + (f" of {_either(subjects)}" if subjects else "")
    title += f" {'at' if subjects else 'of'} {_either(sellers)}" if sellers else ""
    conditions = [_condition(name, asked[name]) for name in asked if name not in _NAMED and name not in _PAGING]
    return f"{title}: {', '.join(conditions)}" if conditions else title


def _models(asked: Asked) -> list[str]:
    slugs = asked.get("model", ())
    return list(AIModel.objects.filter(slug__in=slugs).values_list("name", flat=True)) if slugs else []


def _offerings(asked: Asked) -> list[str]:
    ids = asked.get("offering", ())
    return list(Offering.objects.filter(pk__in=ids).values_list("name", flat=True)) if ids else []


def _companies(slugs: Sequence[str]) -> list[str]:
    return list(Company.objects.filter(slug__in=slugs).values_list("name", flat=True)) if slugs else []


def _condition(name: str, values: Sequence[str]) -> str:
    if name == "kind":
        return _either(_KINDS.get(value, value) for value in values)
    if name in ("direction", "nature"):
        return _either(_WORDS.get(value, value) for value in values)
    if name == "min_percent":
        return f"by {values[0]}% or more"
    if name == "initial":
        return {"only": "only history", "false": "without history"}.get(values[0], "with history")
    if name == "meter":
        values = [value.removesuffix("_tokens").replace("_", " ") for value in values]
    return f"{name.replace('_', ' ')} {_either(values)}"


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)
