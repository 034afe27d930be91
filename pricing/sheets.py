"""What every operation of the ledger shares: its errors and outcome, and finding lines and tariffs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from pricing.belief import LINE_COLUMNS, TariffKey, conditions_of
from pricing.bookkeeping import Settled
from pricing.bulk import among, insert
from pricing.claims import Conditions
from pricing.models import Offering, PriceLine

BATCH = 500


class LedgerError(ValueError):
    """What was said cannot be taken; the message names it and says what would be right."""


class StaleObservation(LedgerError):
    """A reading that the source has already gone past."""


@dataclass(slots=True)
class Outcome:
    """What one operation wrote."""

    statements_opened: int = 0
    statements_ended: int = 0
    settled: Settled = field(default_factory=Settled)


def ensure_lines(wanted: Collection[tuple[int, Conditions]]) -> dict[tuple[int, Conditions], int]:
    """The ids of price lines, made where they are missing."""
    found: dict[tuple[int, Conditions], int] = {}
    offerings = sorted({offering for offering, _ in wanted})
    for start in range(0, len(offerings), BATCH):
        chunk = offerings[start : start + BATCH]
        rows = PriceLine.objects.filter(offering_id__in=among(chunk)).values_list("pk", "offering_id", *LINE_COLUMNS)
        found.update({(offering, conditions_of(*columns)): pk for pk, offering, *columns in rows})
    missing = {(offering, *_columns(line)): (offering, line) for offering, line in set(wanted) - found.keys()}
    ordered = sorted(missing)
    made = insert(PriceLine, ("offering_id", *LINE_COLUMNS), ordered)
    found.update(zip((missing[row] for row in ordered), made, strict=True))
    return {key: found[key] for key in wanted}


def _columns(line: Conditions) -> tuple[str | int, ...]:
    return (*line.tariff, line.above_input_tokens, line.slot, line.layer)


def tariffs_of(line_ids: Collection[int]) -> set[TariffKey]:
    """The tariffs that some lines belong to."""
    found: set[TariffKey] = set()
    ids = sorted(line_ids)
    for start in range(0, len(ids), BATCH):
        rows = PriceLine.objects.filter(pk__in=among(ids[start : start + BATCH]))
        for offering, *tariff in rows.values_list("offering_id", *LINE_COLUMNS[:5]):
            found.add((offering, tuple(tariff)))
    return found


def all_tariffs(offering: Offering) -> set[TariffKey]:
    """Every tariff that an offering ever had."""
    return tariffs_of(set(offering.lines.values_list("pk", flat=True)))
