"""A seller, its offerings and the sources that speak of them, for tests of the whole ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Model

from companies.models import Company
from pricing import claims, ledger
from pricing.claims import Claim, Conditions
from pricing.models import (
    Alias,
    CalendarStatement,
    Decision,
    Observation,
    Offering,
    Price,
    PriceLine,
    PricingChange,
    PricingChangeLine,
    Reference,
    RouteStatement,
    SlotRule,
    Source,
    Statement,
)
from pricing.routes.targets import Target, target_of
from pricing.verification import Finding, findings
from tests.pricing.believing import Told, day
from tests.pricing.worlds import ORIGIN, PLAIN, Quote
from tracker.amounts import plain

Said = Mapping[Offering, Sequence[Quote]]
Hours = Mapping[int, Sequence[claims.SlotRule]]
Led = tuple[Target, datetime | None, datetime | None, str]
RECORD = (
    CalendarStatement,
    SlotRule,
    Statement,
    Observation,
    Decision,
    Price,
    PriceLine,
    PricingChange,
    PricingChangeLine,
    RouteStatement,
    Alias,
)


@dataclass
class Stage:
    """Everything that a test of the ledger needs, made where it is first named."""

    sources: dict[str, Source] = field(default_factory=dict)
    seller: Company = field(default_factory=lambda: Company.objects.create(slug="deepseek", name="DeepSeek"))

    def source(self, slug: str, precedence: int = 50, kind: Source.Kind = Source.Kind.FEED) -> Source:
        if slug not in self.sources:
            known = {"name": slug, "precedence": precedence, "kind": kind}
            self.sources[slug], _ = Source.objects.update_or_create(slug=slug, defaults=known)
        return self.sources[slug]

    def offering(self, name: str = "DeepSeek V4", seller: Company | None = None) -> Offering:
        return Offering.objects.create(
            seller=seller or self.seller, external_id=name, identity_key=name.casefold(), name=name
        )

    def read(
        self,
        slug: str,
        at: float,
        said: Said,
        *,
        backfilled: bool = False,
        refresh: int | None = None,
        zero: str = "free",
        hours: Hours | None = None,
        routes: Mapping[Offering, Sequence[Led]] | None = None,
    ) -> ledger.Outcome:
        """Let a source be read on a day, saying all this, with the calendars in ``hours`` and the ``routes`` of ids."""
        reading = ledger.Reading(self.source(slug), day(at), f"digest {at}", refresh, backfilled)
        told = [told for offering in said for told in self._told(slug, offering, said, zero)]
        told = [replace(each, slots=(hours or {}).get(each.offering, ())) for each in told]
        led = [
            ledger.ToldRoute(self._reference(slug, offering, "model"), offering.pk, *way)
            for offering, ways in (routes or {}).items()
            for way in ways
        ]
        return ledger.observe(reading, told, routes=led)

    def read_again(self, slug: str, at: float) -> ledger.Outcome:
        """Let a source be read on a day, with the same document as last time."""
        return ledger.observe_again(ledger.Reading(self.source(slug), day(at), "same"))

    def tell_anew(self, slug: str, readings: Mapping[float, Said], *, refresh: int = 99) -> ledger.Retold:
        """Let readings that were taken say all this instead, by one replay."""
        return ledger.observe_anew(
            ledger.Retelling(
                ledger.Reading(self.source(slug), day(at), f"digest {at}", refresh),
                [told for offering in said for told in self._told(slug, offering, said, "free")],
            )
            for at, said in readings.items()
        )

    def _told(self, slug: str, offering: Offering, said: Said, zero: str) -> Sequence[ledger.Told]:
        ids = sorted({quote.external_id for quote in said[offering]})
        return [
            ledger.Told(
                reference=self._reference(slug, offering, external_id),
                offering=offering.pk,
                claims=[quote.claim for quote in said[offering] if quote.external_id == external_id],
                zero_means=zero,
            )
            for external_id in ids
        ]

    def _reference(self, slug: str, offering: Offering, external_id: str) -> int:
        known = Reference.objects.filter(source=self.source(slug), external_id=external_id, offering=offering).first()
        if known is not None:  # whose provider was named for another offering before a merge
            return known.pk
        row, _ = Reference.objects.get_or_create(
            source=self.source(slug),
            provider=offering.name,
            external_id=external_id,
            defaults={"offering": offering, "first_seen_at": ORIGIN},
        )
        return row.pk


def claim(
    amount: str, line: Conditions = PLAIN, since: float | None = None, until: float | None = None, currency: str = "USD"
) -> Claim:
    """What a person states, dated in days."""
    start = None if since is None else day(since)
    end = None if until is None else day(until)
    return Claim(line, Decimal(amount), currency, start, end, "exact")


def believed(offering: Offering, line: Conditions = PLAIN, known_at: datetime | None = None) -> list[Told]:
    """The prices of a line as believed now, or at a known moment: start, end, amount, precision, observed after."""
    rows = Price.objects.filter(line__offering=offering).select_related("line").order_by("effective_from")
    if known_at is None:
        rows = rows.filter(known_until=None)
    else:
        rows = rows.filter(known_from__lte=known_at).exclude(known_until__lte=known_at)
    return [_told(row) for row in rows if row.line.conditions == line]


def _told(row: Price) -> Told:
    amount = plain(row.amount) + ("" if row.currency == "USD" else f" {row.currency}")
    return (_days(row.effective_from), _end(row.effective_until), amount, row.precision, _end(row.observed_after))


def _days(moment: datetime) -> float:
    return (moment - ORIGIN).total_seconds() / 86400


def _end(moment: datetime | None) -> float | None:
    return None if moment is None else _days(moment)


def leading(to: Offering, since: float | None = None, until: float | None = None) -> Led:
    """That an id leads to an offering, as a reading says it, dated in days where it is."""
    start = None if since is None else day(since)
    end = None if until is None else day(until)
    return target_of(to.pk, None), start, end, "observed" if since is None else "exact"


def routed(offering: Offering, known_at: float | None = None) -> list[tuple[float, float | None, str]]:
    """Where an id leads as believed now, or at a known moment, in days: start, end, and the name of the target."""
    rows = Alias.objects.filter(offering=offering).select_related("target_offering", "target_model")
    if known_at is None:
        rows = rows.filter(known_until=None)
    else:
        rows = rows.filter(known_from__lte=day(known_at)).exclude(known_until__lte=day(known_at))
    return [
        (_days(row.effective_from), _end(row.effective_until), (row.target_offering or row.target_model).name)  # type: ignore[arg-type,union-attr]
        for row in rows.order_by("effective_from")
    ]


def kinds(offering: Offering) -> list[str]:
    """What happened to an offering, in the order of recording."""
    return list(offering.changes.order_by("sequence").values_list("kind", flat=True))


def last_change(offering: Offering) -> PricingChange:
    return offering.changes.order_by("sequence").last()  # type: ignore[return-value]


def everything(*others: type[Model]) -> dict[str, list[dict[str, object]]]:
    """The whole record, and other tables, as the database gives it: to see that nothing was written."""
    return {model.__name__: _rows(model) for model in (*RECORD, *others)}


def _rows(model: type[Model]) -> list[dict[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{model._meta.db_table}" ORDER BY id')
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def wrong() -> list[Finding]:
    """What ``verify_ledger`` finds, but that prices by the hour lack a calendar: few tests of prices give one."""
    return [finding for finding in findings() if finding.check != "hours"]


def assert_clean() -> None:
    found = [str(finding) for finding in wrong()]
    assert not found, "\n".join(found)
