"""The ledger's tables: what is sold, what was said about it, and what is believed."""

from pricing.models.catalogue import Offering, PriceLine, Reference, Source, SourcePrecedence
from pricing.models.doubt import Disagreement, Hold
from pricing.models.evidence import EMPTIED, CalendarStatement, Decision, Observation, Statement
from pricing.models.rates import ExchangeRate
from pricing.models.record import Price, PricingChange, PricingChangeLine, SettledTime, SlotRule
from pricing.models.routes import Alias, RouteStatement

__all__ = [
    "EMPTIED",
    "Alias",
    "CalendarStatement",
    "Decision",
    "Disagreement",
    "ExchangeRate",
    "Hold",
    "Observation",
    "Offering",
    "Price",
    "PriceLine",
    "PricingChange",
    "PricingChangeLine",
    "Reference",
    "RouteStatement",
    "SettledTime",
    "SlotRule",
    "Source",
    "SourcePrecedence",
    "Statement",
]
