"""Changing who speaks first: a ruling of its own, after which everything it touches is settled anew."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from companies.models import Company
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering, Source, SourcePrecedence
from pricing.rulings import Ruling, resolve_again
from pricing.sheets import LedgerError, Outcome


def rank(source: Source, precedence: int, ruling: Ruling) -> Outcome:
    """Give a source another place in the general order; the lowest number speaks first."""
    with transaction.atomic():
        lock_ledger()
        row = Source.objects.get(pk=source.pk)
        before, row.precedence = row.precedence, precedence
        row._history_user = ruling.by  # type: ignore[attr-defined]
        row.save()
        return _settle(row, None, before, precedence, ruling)


def rank_for_seller(source: Source, seller: Company, precedence: int | None, ruling: Ruling) -> Outcome:
    """Give a source its own place for one seller, or with None the general one again. Raises LedgerError."""
    with transaction.atomic():
        lock_ledger()
        own = SourcePrecedence.objects.filter(source=source, seller=seller)
        before = own.values_list("precedence", flat=True).first()
        if precedence is not None:
            SourcePrecedence.objects.update_or_create(source=source, seller=seller, defaults={"precedence": precedence})
        elif not own.delete()[0]:
            raise LedgerError(f"{source} has no precedence of its own for {seller}")
        return _settle(source, seller, before, precedence, ruling)


def _settle(source: Source, seller: Company | None, before: int | None, after: int | None, ruling: Ruling) -> Outcome:
    decision = Decision.objects.create(
        kind=Decision.Kind.PRECEDENCE,
        details={"source": source.slug, "seller": seller.slug if seller else None, "before": before, "after": after},
        made_by=ruling.by,
        made_at=timezone.now(),
        note=ruling.note,
        citation_url=ruling.citation_url,
    )
    by_price = Offering.objects.filter(lines__statements__source=source)
    by_route = Offering.objects.filter(route_statements__source=source)
    spoken_of: set[int] = set()
    for rows in (by_price, by_route):
        chosen = rows if seller is None else rows.filter(seller=seller)
        spoken_of |= set(chosen.order_by().values_list("pk", flat=True).distinct())
    return resolve_again(sorted(spoken_of), decision)
