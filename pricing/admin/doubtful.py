"""What the pages of doubts show: each hold and disagreement with what is believed, said and said by others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from companies.models import Company
from pricing.admin.search import offerings_matching
from pricing.api.shapes.doubts import (
    age_in_days,
    believed_on,
    percent_of_disagreement,
    percent_of_hold,
)
from pricing.models import Disagreement, Hold, Offering, Price, Source
from pricing.opinions import Opinion, opinions_on
from tracker.amounts import plain

SHOWN = 100
_COUNTED = ("offerings", "of", "factor", "readings")
_JOINED = ("source", "offering__seller", "offering__model", "line")
_NAMES = {"source": "source__slug", "reason": "reason", "kind": "kind"}


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One hold in words. ``counted`` is what was counted in a document that is held whole."""

    hold: Hold
    said: str
    instead: str
    believed: str
    percent: Decimal | None
    others: tuple[str, ...]
    counted: str
    age_days: int


@dataclass(frozen=True, slots=True)
class DisagreementRow:
    """One disagreement in words."""

    disagreement: Disagreement
    said: str
    believed: str
    percent: Decimal | None
    others: tuple[str, ...]
    age_days: int


@dataclass(frozen=True, slots=True)
class Share:
    """So many doubts have one reason, kind or source; ``address`` shows them alone."""

    name: str
    count: int
    address: str
    is_chosen: bool


def open_holds() -> QuerySet[Hold]:
    """What waits for somebody, the oldest last."""
    return Hold.objects.filter(closed_at=None).select_related(*_JOINED, "seller").order_by("-raised_at", "-pk")


def open_disagreements() -> QuerySet[Disagreement]:
    """Who disagrees now, the newest first."""
    rows = Disagreement.objects.filter(closed_at=None)
    return rows.select_related(*_JOINED, "believed_source", "statement").order_by("-opened_at", "-pk")


def hold_rows(holds: Sequence[Hold], now: datetime | None = None) -> list[HoldRow]:
    """The holds in words, by two queries."""
    now = now or timezone.now()
    lines = {hold.line_id for hold in holds if hold.line_id is not None}
    opinions, believed = opinions_on(lines, now), believed_on(lines, now)
    return [
        HoldRow(
            hold=hold,
            said=_money(hold.amount, hold.currency),
            instead=_money(hold.instead, hold.instead_currency),
            believed=_believed(believed.get(hold.line_id or 0)),
            percent=percent_of_hold(hold),
            others=_others(opinions.get(hold.line_id or 0, ()), hold.source_id),
            counted=_counted(hold),
            age_days=age_in_days(hold.raised_at, now),
        )
        for hold in holds
    ]


def disagreement_rows(disagreements: Sequence[Disagreement], now: datetime | None = None) -> list[DisagreementRow]:
    """The disagreements in words, by one query."""
    now = now or timezone.now()
    opinions = opinions_on({row.line_id for row in disagreements}, now)
    return [
        DisagreementRow(
            disagreement=row,
            said=_money(row.amount, row.currency),
            believed=_money(row.believed_amount, row.believed_currency) or "no such line",
            percent=percent_of_disagreement(row),
            others=_others(opinions.get(row.line_id, ()), row.source_id),
            age_days=age_in_days(row.since, now),
        )
        for row in disagreements
    ]


class Asked:
    """What of the doubts somebody asks to see: by source, reason, kind, seller, and words."""

    def __init__(self, query: QueryDict) -> None:
        self.values = {name: query.get(name, "")[:200] for name in ("source", "reason", "kind", "seller", "q")}

    def holds(self) -> QuerySet[Hold]:
        """The open holds asked for; none where a kind of disagreement is."""
        rows = open_holds()
        return rows.none() if self.values["kind"] else self._narrowed(rows, Q(offering=None))

    def disagreements(self) -> QuerySet[Disagreement]:
        """The open disagreements asked for; none where a reason of holds is."""
        rows = open_disagreements()
        return rows.none() if self.values["reason"] else self._narrowed(rows, None)

    def shares(self, rows: QuerySet[Hold] | QuerySet[Disagreement], name: str) -> list[Share]:
        """How many of the rows have each reason, kind or source."""
        counted = rows.order_by().values_list(_NAMES[name]).annotate(count=Count("pk")).order_by("-count", _NAMES[name])
        return [
            Share(value, count, self.address(**{name: value}), self.values[name] == value) for value, count in counted
        ]

    def address(self, **changed: str) -> str:
        """The page with some of what is asked changed; what is chosen already is left again."""
        wanted = dict(self.values)
        for name, value in changed.items():
            wanted[name] = "" if wanted[name] == value else value
        query = urlencode({name: value for name, value in wanted.items() if value})
        return reverse("admin:pricing_in_doubt") + (f"?{query}" if query else "")

    def _narrowed(self, rows: QuerySet, whole_documents: Q | None) -> QuerySet:
        for name, path in (("source", "source__slug"), ("reason", "reason"), ("kind", "kind")):
            if self.values[name]:
                rows = rows.filter(**{path: self.values[name]})
        if seller := self.values["seller"]:
            own = whole_documents & Q(seller__slug=seller) if whole_documents is not None else Q()
            rows = rows.filter(Q(offering__seller__slug=seller) | own)
        if words := self.values["q"].strip():
            own = whole_documents & _sellers_named(words) if whole_documents is not None else Q()
            rows = rows.filter(Q(offering__in=offerings_matching(words).order_by().values("pk")) | own)
        return rows


def doubts_of(offering: Offering) -> tuple[list[HoldRow], list[DisagreementRow]]:
    """The open doubts of one offering."""
    holds, disagreements = open_holds().filter(offering=offering), open_disagreements().filter(offering=offering)
    return hold_rows(list(holds[:SHOWN])), disagreement_rows(list(disagreements[:SHOWN]))


def speaking_order(source: Source, seller: Company) -> int:
    """The place of a source in the order for a seller; the lowest speaks first."""
    own = source.seller_precedences.filter(seller=seller).values_list("precedence", flat=True).first()
    return source.precedence if own is None else own


def _sellers_named(words: str) -> Q:
    found = Q()
    for word in words.split():
        found &= Q(seller__name__icontains=word) | Q(seller__slug__icontains=word)
    return found


def _counted(hold: Hold) -> str:
    """Of lists their lengths: ``offerings 31, of 40, factor 1000, readings 2``."""
    told = {name: hold.details.get(name) for name in _COUNTED}
    counts = {name: len(value) if isinstance(value, list) else value for name, value in told.items()}
    return ", ".join(f"{name} {value}" for name, value in counts.items() if value is not None)


def _money(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else f"{plain(amount)} {currency}"


def _believed(price: Price | None) -> str:
    if price is None:
        return ""
    return f"{_money(price.amount, price.currency)}, {price.source.name if price.source else 'pinned'}"


def _others(opinions: Collection[Opinion], but: int) -> tuple[str, ...]:
    return tuple(f"{each.name} {_money(each.amount, each.currency)}" for each in opinions if each.source != but)
