"""What is believed of an offering around a moment, and saying it again in the editors' own name.

One source sets a tariff whole. So whoever speaks about one price of a tariff that a feed sets must
say the rest of it too, or the rest would end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from pricing.claims import Claim, Tariff
from pricing.models import Offering, Price, Source, Statement
from pricing.timeline import INSTANT


def believed_at(offering: Offering, moment: datetime, tariffs: Collection[Tariff] | None = None) -> list[Price]:
    """The rows believed now to be in force at a moment, of some tariffs or of all."""
    lasts = Q(effective_until__isnull=True) | Q(effective_until__gt=moment)
    rows = Price.objects.filter(lasts, line__offering=offering, known_until__isnull=True, effective_from__lte=moment)
    found = rows.select_related("line", "source", "statement").order_by("line_id")
    return [row for row in found if tariffs is None or row.line.conditions.tariff in tariffs]


def beginning_at(offering: Offering, moment: datetime) -> list[Price]:
    """The rows believed now to begin at a moment."""
    rows = Price.objects.filter(line__offering=offering, known_until__isnull=True, effective_from=moment)
    return list(rows.select_related("line", "source", "statement").order_by("line_id"))


def is_editors(row: Price) -> bool:
    """Whether an editor's statement gives the row."""
    return row.source is not None and row.source.kind == Source.Kind.EDITOR and row.statement is not None


def tariffs_among(rows: Iterable[Price]) -> set[Tariff]:
    """The tariffs that some rows belong to."""
    return {row.line.conditions.tariff for row in rows}


def claimed(row: Price, begins: datetime, until: datetime | None) -> Claim:
    """A row's price, claimed for an interval."""
    return Claim(row.line.conditions, row.amount, row.currency, begins, until, "exact")


def restated(
    offering: Offering, tariffs: Collection[Tariff], begins: datetime, until: datetime | None, as_at: datetime
) -> list[Claim]:
    """Claims that say some tariffs over [begins, until) as they are believed to be at ``as_at``.

    A price whose known end lies within the interval ends there; one that ended before it is left out.
    """
    claims = []
    for row in believed_at(offering, as_at, tariffs):
        # What ends exactly when the interval begins ends because of the move that is spoken about.
        goes_on = row.effective_until is None or row.effective_until == begins
        end = until if goes_on else _earlier(row.effective_until, until)
        if end is None or end > begins:
            claims.append(claimed(row, begins, end))
    return claims


def rest_of(offering: Offering, claims: Sequence[Claim], now: datetime) -> list[Claim]:
    """The other prices of the tariffs that some claims speak of, as believed over the same time.

    What editors state themselves stands anyway, and is left out.
    """
    begins = min(claim.effective_from or now for claim in claims)
    ends = [claim.effective_until for claim in claims]
    until = None if None in ends else max(end for end in ends if end is not None)
    tariffs, lines = {claim.line.tariff for claim in claims}, {claim.line for claim in claims}
    lasts = Q(effective_until__isnull=True) | Q(effective_until__gt=begins)
    rows = Price.objects.filter(lasts, line__offering=offering, known_until__isnull=True)
    rows = rows.filter(effective_from__lt=until) if until is not None else rows
    others = [
        row
        for row in rows.select_related("line", "source", "statement").order_by("line_id", "effective_from")
        if row.line.conditions.tariff in tariffs and row.line.conditions not in lines and not is_editors(row)
    ]
    return [claimed(row, max(row.effective_from, begins), _earlier(row.effective_until, until)) for row in others]


def just_before(moment: datetime) -> datetime:
    """The last instant before a moment."""
    return moment - INSTANT


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known, default=None)


def shortened(offering: Offering, tariffs: Collection[Tariff], at: datetime) -> tuple[list[Statement], list[Claim]]:
    """Editors' statements that run on beyond a moment, and what stays of them before it."""
    running = Statement.objects.filter(
        Q(effective_until__isnull=True) | Q(effective_until__gt=at),
        source__kind=Source.Kind.EDITOR,
        line__offering=offering,
        ended_at__isnull=True,
    ).select_related("line")
    ended = [each for each in running if each.line.conditions.tariff in tariffs]
    kept = [
        Claim(each.line.conditions, each.amount, each.currency, each.effective_from, at, each.precision)
        for each in ended
        if each.effective_from is not None and each.effective_from < at
    ]
    return ended, kept
