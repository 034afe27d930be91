"""The ledger's tables: what is sold, what was said about it, and what is believed."""

from pricing.models.catalogue import Alias, Offering, PriceLine, Reference, Source, SourcePrecedence
from pricing.models.doubt import Disagreement, Hold
from pricing.models.evidence import EMPTIED, CalendarStatement, Decision, Observation, Statement
from pricing.models.rates import ExchangeRate
from pricing.models.record import Price, PricingChange, PricingChangeLine, SettledTime, SlotRule

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
    "SettledTime",
    "SlotRule",
    "Source",
    "SourcePrecedence",
    "Statement",
]
