"""Statements as rows: the key of what is claimed, the runs that are stored, and how runs are written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pricing.belief import TariffKey
from pricing.bulk import Row, among
from pricing.calendar_statements import GivenCalendar
from pricing.claims import Claim, SlotRule
from pricing.models import Observation, PriceLine, Source, Statement
from pricing.runs import Run
from pricing.sheets import BATCH, ensure_lines

StatementKey = tuple[int, int, Decimal, str, str, datetime | None, datetime | None, str, int | None, Decimal | None]
Citation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What one reference says in one reading; ``zero_means`` belongs to the claims whose amount is 0.

    ``slots`` are all the rules that it gives for the calendar of its lines.
    """

    reference: int
    offering: int
    claims: Sequence[Claim]
    zero_means: str = "free"
    slots: Sequence[SlotRule] = ()

    @property
    def calendar(self) -> GivenCalendar:
        """Its calendar, which can be read where the first price of a slot can."""
        cited = next((claim for claim in self.claims if claim.line.slot and claim.citation_url), None)
        citation = (cited.citation_url, cited.citation_title) if cited else ("", "")
        return GivenCalendar(self.reference, self.offering, tuple(self.slots), *citation)


@dataclass(frozen=True, slots=True)
class Reading:
    """One successful reading of a source; ``backfilled`` ones may be older than the last."""

    source: Source
    observed_at: datetime
    digest: str
    refresh_id: int | None = None
    backfilled: bool = False


def claims_by_key(told: Sequence[Told]) -> tuple[dict[StatementKey, Citation], dict[int, TariffKey]]:
    """Every claim as a statement's key, and the tariff of every line that they name."""
    wanted = {(t.offering, claim.line) for t in told for claim in t.claims}
    wanted |= {(t.offering, claim.derived_from) for t in told for claim in t.claims if claim.derived_from is not None}
    line_ids = ensure_lines(wanted)
    keys: dict[StatementKey, Citation] = {}
    for t in told:
        for claim in t.claims:
            zero = "" if claim.amount else claim.zero_means or t.zero_means
            keys[
                (
                    t.reference,
                    line_ids[t.offering, claim.line],
                    claim.amount,
                    claim.currency,
                    zero,
                    claim.effective_from,
                    claim.effective_until,
                    claim.precision,
                    None if claim.derived_from is None else line_ids[t.offering, claim.derived_from],
                    claim.factor,
                )
            ] = (claim.citation_url, claim.citation_title)
    return keys, {pk: (offering, line.tariff) for (offering, line), pk in line_ids.items()}


RUN_COLUMNS = (
    "pk",
    "first_observed_at",
    "ended_at",
    "reference_id",
    "line_id",
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "derived_from_id",
    "factor",
)


def stored_run(row: tuple[object, ...]) -> Run[StatementKey]:
    """A row of ``RUN_COLUMNS`` as a run."""
    pk, first, ended, *key = row
    return Run(pk, tuple(key), first, ended)  # type: ignore[arg-type]


def continued(split: Sequence[Run[StatementKey]], absent_at: datetime, neighbour: Observation) -> list[Statement]:
    """The second halves of runs that a reading splits: the same words, from the next reading on."""
    halves = list(Statement.objects.filter(pk__in=[run.statement for run in split]).order_by("pk"))
    for half in halves:
        half.pk = None
        half._state.adding = True
        half.first_observed_at = neighbour.observed_at
        half.absent_before = absent_at
        half.refresh_id = neighbour.refresh_id
    return halves


def stated_by(source: Source, offerings: Collection[int]) -> set[int]:
    """Those of the offerings of which a source has said something.

    One table after the other: a database that knows little yet of fresh tables joins them by comparing all with all.
    """
    offering_of = dict(PriceLine.objects.filter(offering__in=among(offerings)).values_list("pk", "offering_id"))
    said = Statement.objects.filter(source=source, line__in=among(offering_of)).order_by()
    return {offering_of[line] for line in said.values_list("line_id", flat=True).distinct()}


def update_runs(runs: Sequence[Run[StatementKey]], **values: object) -> None:
    """Write the same values to the statements of many runs."""
    for start in range(0, len(runs), BATCH):
        ids = [run.statement for run in runs[start : start + BATCH]]
        Statement.objects.filter(pk__in=ids).update(**values)


STATEMENT_COLUMNS = (
    "source_id",
    "reference_id",
    "line_id",
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "derived_from_id",
    "factor",
    "first_observed_at",
    "absent_before",
    "ended_at",
    "refresh_id",
    "ended_by_refresh_id",
    "citation_url",
    "citation_title",
    "note",
    "recorded_at",
)


def statement_row(
    reading: Reading,
    key: StatementKey,
    first: datetime,
    absent_before: datetime | None,
    ended: datetime | None,
    citation: Citation,
    ended_by: int | None,
    recorded_at: datetime,
) -> Row:
    """A statement that opens, as a row of ``STATEMENT_COLUMNS``."""
    run = (first, absent_before, ended, reading.refresh_id, ended_by)
    return (reading.source.pk, *key, *run, *citation, "", recorded_at)
