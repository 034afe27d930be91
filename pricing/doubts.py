"""Keeping the rows of what is in doubt in step with what resolution holds back and who disagrees.

Called where prices are settled, in the same transaction; nobody else writes these rows, but for the holds of whole
documents, which the intake raises.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from pricing.belief import Readings, Sheet, load_sheets
from pricing.bulk import among, save_new
from pricing.claims import Tariff
from pricing.dissent import Dissent, dissents
from pricing.models import Disagreement, Hold, Statement
from pricing.scruples import DENIAL, Held, released_by, words_of

AT_ONCE = 400
HoldKey = tuple[int, str]
DissentKey = tuple[int, int]


def keep_doubts(
    sheets: Mapping[int, Sheet],
    wanted: Mapping[int, Collection[Tariff]],
    readings: Readings,
    now: datetime,
    refresh_id: int | None = None,
) -> None:
    """Open and close holds and disagreements of tariffs that were resolved just now."""
    doubtful = Doubtful(sheets, wanted)
    _keep_holds(doubtful, readings, now, refresh_id)
    _keep_disagreements(doubtful, now)


def doubt_again(offering_ids: Collection[int], now: datetime) -> None:
    """Bring the doubts of offerings up to date where time alone may have changed them."""
    readings = Readings.load()
    ordered = sorted(offering_ids)
    for start in range(0, len(ordered), AT_ONCE):
        sheets, specificity = load_sheets(ordered[start : start + AT_ONCE])
        wanted = {pk: {line.tariff for line in sheet.lines} for pk, sheet in sheets.items()}
        for pk, sheet in sheets.items():
            sheet.resolved(wanted[pk], readings, specificity)
        keep_doubts(sheets, wanted, readings, now)


class Doubtful:
    """The tariffs in question, and how their lines are found."""

    def __init__(self, sheets: Mapping[int, Sheet], wanted: Mapping[int, Collection[Tariff]]) -> None:
        self.sheets, self.wanted = sheets, wanted

    def lines(self) -> dict[int, Sheet]:
        """The sheet of each line in question."""
        return {
            pk: sheet
            for offering, sheet in self.sheets.items()
            for line, pk in sheet.lines.items()
            if line.tariff in self.wanted[offering]
        }

    def held(self) -> Iterator[tuple[Sheet, Held]]:
        """What resolution holds back now and its source still says."""
        for offering, sheet in self.sheets.items():
            for tariff in self.wanted[offering]:
                resolution = sheet.resolutions.get(tariff)
                for held in resolution.held if resolution is not None else ():
                    if held.is_open:
                        yield sheet, held

    def dissents(self, now: datetime) -> Iterator[tuple[Sheet, Dissent]]:
        """Who disagrees now."""
        for offering, sheet in self.sheets.items():
            for tariff in self.wanted[offering]:
                resolution = sheet.resolutions.get(tariff)
                if resolution is None or len(resolution.voices) < 2:
                    continue
                running = {run.statement for run in sheet.said.get(tariff, ()) if run.ended_at is None}
                for dissent in dissents(resolution, now, running):
                    yield sheet, dissent


def _keep_holds(doubtful: Doubtful, readings: Readings, now: datetime, refresh_id: int | None) -> None:
    held = {
        (each.statement, each.reason): (sheet, each) for sheet, each in doubtful.held() if not sheet.has_refused(each)
    }
    standing: dict[HoldKey, Hold] = {}
    sheet_of = doubtful.lines()
    rows = Hold.objects.filter(closed_at__isnull=True, statement__isnull=False, offering__in=among(doubtful.sheets))
    for hold in rows.select_related("line", "statement"):
        if hold.line_id in sheet_of and hold.statement_id is not None:
            standing[hold.statement_id, hold.reason] = hold
    for key in standing.keys() - held.keys():
        hold = standing[key]
        hold.closed_at = now
        hold.outcome = _outcome(hold, sheet_of[hold.line_id or 0], readings)
        hold.save(update_fields=["closed_at", "outcome"])
    opened = [key for key in held if key not in standing]
    sources = _sources_of([statement for statement, _ in opened])
    save_new([_hold(*held[key], sources[key[0]], now, refresh_id) for key in opened])


def _sources_of(statement_ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    found: dict[int, tuple[int, datetime]] = {}
    for start in range(0, len(statement_ids), AT_ONCE):
        rows = Statement.objects.filter(pk__in=statement_ids[start : start + AT_ONCE])
        found.update({pk: (source, at) for pk, source, at in rows.values_list("pk", "source_id", "first_observed_at")})
    return found


def _hold(sheet: Sheet, held: Held, said: tuple[int, datetime], now: datetime, refresh_id: int | None) -> Hold:
    source, observed_at = said
    instead = held.instead
    return Hold(
        source_id=source,
        reason=held.reason,
        offering_id=sheet.offering,
        line_id=sheet.lines[held.line],
        statement_id=held.statement,
        seller_id=sheet.seller,
        amount=held.value[0],
        currency=held.value[1],
        instead=instead[0] if instead else None,
        instead_currency=instead[1] if instead else "",
        observed_at=observed_at,
        refresh_id=refresh_id,
        raised_at=now,
    )


def _outcome(hold: Hold, sheet: Sheet, readings: Readings) -> str:
    """Why a statement is held no more."""
    assert hold.statement is not None
    tariff = hold.statement.line.conditions.tariff
    said = sheet.said.get(tariff, [])
    run = next((each for each in said if each.statement == hold.statement_id), None)
    if run is None or run.ended_at is not None:
        return Hold.Outcome.LAPSED
    ruling = sheet.released.get(words_of(run))
    if ruling is not None:
        return Hold.Outcome.PERSON if ruling else Hold.Outcome.REFUSED
    if hold.reason == DENIAL:
        return Hold.Outcome.PERSISTENCE
    witness = readings.witness(run.source, sheet.seller)
    return released_by(run, hold.reason, said, witness, sheet.released) or Hold.Outcome.LAPSED


def _keep_disagreements(doubtful: Doubtful, now: datetime) -> None:
    found = {(sheet.lines[each.line], each.source): (sheet, each) for sheet, each in doubtful.dissents(now)}
    lines = doubtful.lines()
    standing: dict[DissentKey, Disagreement] = {}
    stale: list[int] = []
    for row in Disagreement.objects.filter(closed_at__isnull=True, offering__in=among(doubtful.sheets)):
        key = (row.line_id, row.source_id)
        if row.line_id not in lines:
            continue
        if key in found and _is_same(row, found[key][1]):
            standing[key] = row
        else:
            stale.append(row.pk)
    for start in range(0, len(stale), AT_ONCE):
        Disagreement.objects.filter(pk__in=stale[start : start + AT_ONCE]).update(closed_at=now)
    save_new([_disagreement(*found[key], now) for key in found if key not in standing])


def _is_same(row: Disagreement, dissent: Dissent) -> bool:
    said = (row.amount, row.currency, row.believed_amount, row.believed_currency, row.statement_id)
    believed = dissent.believed or (None, "", "")
    same = (dissent.value[0], dissent.value[1], believed[0], believed[1], dissent.statement)
    return said == same and row.believed_source_id == dissent.believed_source


def _disagreement(sheet: Sheet, dissent: Dissent, now: datetime) -> Disagreement:
    believed = dissent.believed or (None, "", "")
    return Disagreement(
        offering_id=sheet.offering,
        line_id=sheet.lines[dissent.line],
        source_id=dissent.source,
        statement_id=dissent.statement,
        kind=dissent.kind,
        amount=dissent.value[0],
        currency=dissent.value[1],
        believed_source_id=dissent.believed_source,
        believed_amount=believed[0],
        believed_currency=believed[1],
        since=dissent.since,
        opened_at=now,
    )


def open_holds_of(source_id: int) -> Q:
    """The open holds on a source's statements: each of its readings may release them."""
    return Q(source=source_id, closed_at__isnull=True, statement__isnull=False)
