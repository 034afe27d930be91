"""The admin of the ledger: what people may say through it, and everything else to be read."""

from __future__ import annotations

from pricing.admin import calendars, catalogue, doubts, evidence, offerings, rates, record, sources

__all__ = ["calendars", "catalogue", "doubts", "evidence", "offerings", "rates", "record", "sources"]
