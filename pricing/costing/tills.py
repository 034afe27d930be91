"""Where plain lines are priced without ado: for each name a till, and at it what is known of the usages seen before.

A line is plain that says no more than which model, when, on which terms and what it used, in whole numbers. A name has
a till once a line of it was priced the general way, and if it always means one offering. Tills are part of a memory of
the record (``pricing.costing.memory``), and go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from sys import intern
from typing import Any

from msgspec import UNSET

from pricing.claims import STANDARD_TIER
from pricing.cost import PlanKey, PriceSheet, plan_key, plan_of
from pricing.cost_plans import Plan, shared
from pricing.costing.asked import LineFault, read_moment, read_terms
from pricing.costing.received import ReceivedLine
from pricing.tariffs import CostError
from pricing.usage import UsageError

FourTerms = tuple[str, str, str, str]
# What a writer of results needs to know of one plan.
Parts = tuple[Any, ...]
# From the text of a line's id, its usage and the parts of a plan to the text of its result, with a comma at the end.
# None where the usage is impossible, or not all whole numbers.
Result = Callable[[str, Mapping[str, Any], Parts], str | None]
# A seller's slug, a model's id, and the keys of a usage.
UsualKey = tuple[str, str, tuple[str, ...]]

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Charge:
    """How usages with the same keys are charged by one plan; ``result`` writes it from its ``parts``, None not yet.

    A usual one is so for calls at or after ``settled_since`` with no more input tokens than ``limit`` (None: any), on
    the terms that the name itself fixes. Other moments, inputs and terms may have other charges.
    """

    __slots__ = ("keys", "limit", "parts", "plan", "result", "settled_since")

    def __init__(self, keys: tuple[str, ...], plan: Plan, till: Till) -> None:
        self.keys, self.plan = keys, plan
        self.settled_since, self.limit = till.settled_since, till.lowest_threshold
        self.result: Result | None = None
        self.parts: Parts = ()


class Till:
    """The sheet of one name, the terms that its id fixes, and the charges so far; None for what is not plain."""

    __slots__ = ("charges", "fixed", "lowest_threshold", "settled_since", "sheet", "terms")

    def __init__(self, sheet: PriceSheet, fixed: Mapping[str, str]) -> None:
        self.sheet, self.fixed = sheet, fixed
        self.terms = _all_terms(fixed)
        self.charges: dict[PlanKey, Charge | None] = {}
        self.lowest_threshold = sheet.thresholds[0] if sheet.thresholds else None
        # Where the time of day counts, nothing is ever settled.
        self.settled_since = _NEVER if sheet.has_slots else _shared(sheet.edges[-1]) if sheet.edges else _ALWAYS

    def is_usual(self, key: PlanKey) -> bool:
        """Whether a key is of settled times, small inputs and no further terms."""
        _, reached_edges, reached_thresholds, slots, terms = key
        return reached_edges == len(self.sheet.edges) and not (reached_thresholds or slots) and terms == self.terms


class Tills:
    """The tills of a memory. When they hold more price rows or charges than they may, all are let go."""

    def __init__(self, most_rows: int, most_charges: int) -> None:
        self._most_rows, self._most_charges = most_rows, most_charges
        self._by_name: dict[tuple[str, str], Till] = {}
        self._rows = self._charges = 0
        # What most lines are: found by one look, since with thousands of models the time goes into fetching memory.
        self.usual: dict[UsualKey, Charge] = {}

    def open(self, name: tuple[str, str], sheet: PriceSheet, fixed: Mapping[str, str]) -> None:
        """Let the plain lines of a name be priced at a till from now on."""
        weight = sheet.rows + 1
        if name in self._by_name or weight > self._most_rows:
            return
        self._rows += weight
        if self._rows > self._most_rows:
            self._close_all()
            self._rows = weight
        self._by_name[name] = Till(sheet, fixed)

    def charge(self, line: ReceivedLine, now: datetime) -> Charge | None:
        """How a line is charged, None where it is not plain. ``now`` is the moment of a line without one, in UTC."""
        try:
            return self._charge(line, now)
        except (LineFault, CostError, UsageError):
            return None

    def _charge(self, line: ReceivedLine, now: datetime) -> Charge | None:
        seller, model, usage, at = line.seller, line.model, line.usage, line.at
        till = self._by_name.get((seller, model)) if type(seller) is type(model) is str else None
        if till is None or type(usage) is not dict:
            return None
        if not (line.known_at is line.assume_earliest is line.provider_usage is UNSET):
            return None
        moment = now if at is None or at is UNSET else read_moment("at", at)
        key = plan_key(till.sheet, usage, moment, _terms(line, till))
        if key not in till.charges:
            self._keep(till, (seller, model, key[0]), key, moment)
        return till.charges[key]

    def _keep(self, till: Till, usual_key: UsualKey, key: PlanKey, moment: datetime) -> None:
        if self._charges >= self._most_charges:
            self._close_all()
        self._charges += 1
        plan = plan_of(till.sheet, key, moment)
        if not (key[0] and plan.prices and plan.currency):
            till.charges[key] = None
            return
        till.charges[key] = charge = Charge(key[0], plan, till)
        if till.is_usual(key):
            seller, model, keys = usual_key
            self.usual[intern(seller), model, shared(keys)] = charge

    def _close_all(self) -> None:
        self._by_name.clear()
        self.usual.clear()
        self._rows = self._charges = 0


@lru_cache(maxsize=1024)
def _shared(moment: datetime) -> datetime:
    """One object for all moments that are alike: sheets by the thousand begin on few days."""
    return moment


def _terms(line: ReceivedLine, till: Till) -> FourTerms:
    """All terms of a line. Raises LineFault."""
    if line.service_tier is line.region is line.variant is line.commitment is UNSET:
        return till.terms
    return _all_terms({**till.fixed, **read_terms(line.as_json())})


def _all_terms(said: Mapping[str, str]) -> FourTerms:
    tier = said.get("service_tier", STANDARD_TIER)
    return tier, said.get("region", ""), said.get("variant", ""), said.get("commitment", "")
