"""Where in our price sheet the request contexts of genai-prices stand.

A variant's ``when`` names what a request must carry for its prices to hold. This is the one table:

=============== ======================================= =====================================
key             becomes                                 example
=============== ======================================= =====================================
``processing``  the service tier                        ``batch``
``service_tier``the service tier (``default``: standard) ``priority``, ``flex``, ``fast``
``speed``       the service tier                        ``fast``
``route``       the region when it ends in a place,     ``mistral/eu`` is region ``eu``
                else the variant
``search_type`` the variant                             ``fast``
any other       the variant, with its key               ``quality=high``
=============== ======================================= =====================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pricing.claims import STANDARD_TIER, Conditions

Context = frozenset[tuple[str, str]]

_TIER_KEYS = frozenset({"processing", "service_tier", "speed"})
_STANDARD_NAMES = frozenset({"default", "standard"})
_PLACE = re.compile(
    r"(?:af|ap|apac|asia|au|ca|cn|emea|eu|europe|global|in|jp|kr|latam|me|sa|sg|uk|us|[a-z]{2,}(?:-[a-z]+)+-?\d+)"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The conditions that a request context fixes; the empty context has the standard ones."""

    service_tier: str = STANDARD_TIER
    region: str = ""
    variant: str = ""

    def line(self, meter: str, above_input_tokens: int) -> Conditions:
        return Conditions(
            meter,
            service_tier=self.service_tier,
            region=self.region,
            variant=self.variant,
            above_input_tokens=above_input_tokens,
        )


def scopes(contexts: Iterable[Context]) -> dict[Context, Scope]:
    """One scope for each context of a model, no two alike.

    A context whose scope is taken (an explicit ``default`` tier, two routes into one region) keeps
    its tier and region and tells itself apart by its own text as the variant.
    """
    by_context: dict[Context, Scope] = {frozenset(): Scope()}
    for context in contexts:
        if context not in by_context:
            scope = scope_of(dict(context))
            if scope in by_context.values():
                scope = Scope(scope.service_tier, scope.region, _literal(context))
            by_context[context] = scope
    return by_context


def scope_of(when: Mapping[str, str]) -> Scope:
    """The scope of one ``when`` object, by the table above."""
    tiers: list[str] = []
    regions: list[str] = []
    variants: list[str] = []
    for key, value in sorted(when.items()):
        if key in _TIER_KEYS:
            tiers += [] if value in _STANDARD_NAMES else [value]
        elif key == "route" and (place := _place(value)):
            regions.append(place)
        elif key in ("route", "search_type"):
            variants.append(value)
        else:
            variants.append(f"{key}={value}")
    return Scope("+".join(tiers) or STANDARD_TIER, "+".join(regions), "+".join(variants))


def _place(route: str) -> str:
    """The region that a route's last part names, or nothing."""
    last = route.rpartition("/")[2]
    return last if _PLACE.fullmatch(last) else ""


def _literal(context: Context) -> str:
    return "+".join(f"{key}={value}" for key, value in sorted(context))
