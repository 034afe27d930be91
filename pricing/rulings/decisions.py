"""What every ruling shares: who says it and why, the row that keeps it, and what cannot be said at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.models import User
from pricing.claims import PRECISIONS, Claim
from pricing.locks import lock_ledger
from pricing.meters import METERS
from pricing.models import Decision, Offering, Source
from pricing.sheets import LedgerError
from tracker.amounts import fits

EDITORS = "editors"
# Moments from this year on are typing errors, or stand for "never".
BEYOND = 2200
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who says something, why, and where it can be read."""

    by: User | None
    note: str = ""
    citation_url: str = ""
    citation_title: str = ""


def editors() -> Source:
    """The source under whose name people state prices."""
    source, _ = Source.objects.get_or_create(
        slug=EDITORS,
        defaults={"name": "Editors", "kind": Source.Kind.EDITOR, "precedence": 5, "may_republish": True},
    )
    return source


def decide(
    kind: Decision.Kind,
    offering: Offering,
    ruling: Ruling,
    now: datetime,
    *,
    line_id: int | None = None,
    claim: Claim | None = None,
    begins: datetime | None = None,
    undoes: Decision | None = None,
    details: Mapping[str, object] | None = None,
) -> Decision:
    return Decision.objects.create(
        kind=kind,
        offering=offering,
        line_id=line_id,
        amount=claim.amount if claim else None,
        currency=claim.currency if claim else "",
        effective_from=begins or (claim.effective_from if claim else None) or now,
        effective_until=claim.effective_until if claim else None,
        precision=claim.precision if claim and claim.effective_from else "exact",
        undoes=undoes,
        details=dict(details or {}),
        made_by=ruling.by,
        made_at=now,
        note=ruling.note,
        citation_url=ruling.citation_url,
    )


def check_open(offering: Offering) -> None:
    if offering.merged_into_id is not None:
        raise LedgerError(f"{offering} was merged into {offering.merged_into}; state the price there")


def lock_to_rule_on(offering: Offering) -> None:
    """Hold the ledger until the end of the transaction, to rule on an offering as it is by then.

    Somebody may have merged it since it was read. Raises LedgerError.
    """
    lock_ledger()
    offering.refresh_from_db(fields=["merged_into"])
    check_open(offering)


def check_aware(moment: datetime | None) -> None:
    """Refuse a moment without a time zone, and one too far away for anybody to mean it. Raises LedgerError."""
    if moment is not None and moment.tzinfo is None:
        raise LedgerError(f"{moment.isoformat()} has no time zone; give one, such as {moment.isoformat()}Z")
    if moment is not None and moment.year >= BEYOND:
        raise LedgerError(f"{moment.isoformat()} is too far away; give a moment before the year {BEYOND}, or none")


def check_claim(claim: Claim) -> None:
    if claim.line.meter not in METERS:
        raise LedgerError(f"unknown meter {claim.line.meter!r}; choose one of {', '.join(METERS)}")
    if not claim.amount.is_finite():
        raise LedgerError(f"a price must be a number, such as 0.435, and not {claim.amount}")
    if claim.amount < 0:
        raise LedgerError(f"a price cannot be negative: {claim.amount}")
    if not fits(claim.amount):
        raise LedgerError(f"{claim.amount} has more digits than the ledger keeps (20 before the point, 18 after it)")
    if not _CURRENCY.fullmatch(claim.currency):
        raise LedgerError(f"{claim.currency!r} is not a currency; use its ISO 4217 code, such as USD or CNY")
    if claim.precision not in PRECISIONS:
        raise LedgerError(f"unknown precision {claim.precision!r}; choose one of {', '.join(PRECISIONS)}")
    check_aware(claim.effective_from)
    check_aware(claim.effective_until)
    if claim.effective_until is not None and claim.effective_until <= (claim.effective_from or timezone.now()):
        raise LedgerError("a price must end after it starts")
