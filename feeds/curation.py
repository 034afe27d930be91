"""Loading the whole curated record: companies, events, metrics, plans and dated prices."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from companies.curated import LoadReport, load
from feeds.adapters.curated import bundle, plan_descriptions, withdrawals
from feeds.enrolment import feed_named
from feeds.refreshing import refresh
from feeds.reports import Report
from pricing.ledger import Ruling, withdraw
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering, Reference

_RETIRED = "The curated record has it as sold no more, whatever feeds still list."


@dataclass(frozen=True, slots=True)
class Curated:
    """What a load wrote: the record around the prices, the refresh of plans and prices, and its withdrawals."""

    record: LoadReport
    prices: Report
    plans_described: int
    withdrawn: int


def load_curated() -> Curated:
    """Load the record of ``settings.RECORD_DIR``; a second time it changes nothing.

    Raises companies.record.files.BadRecord or RefreshRefused, and then nothing was written.
    """
    body = bundle(settings.RECORD_DIR)
    with transaction.atomic():
        # A feed that is refreshed meanwhile may make the same companies.
        lock_ledger()
        record = load(settings.RECORD_DIR)
        prices = refresh(feed_named("curated"), trigger="command")
        described = _describe_plans(body)
        withdrawn = _withdraw_retired(body)
    return Curated(record, prices, described, withdrawn)


def _withdraw_retired(body: bytes) -> int:
    """Rule out what the record says is sold no more, since feeds go on listing it; how many were ruled.

    Each is ruled once: where a person has withdrawn it before, or has relisted it or undone that, nothing is.
    """
    retired = withdrawals(body)
    rows = Reference.objects.filter(source__slug="curated", offering__merged_into__isnull=True)
    rows = rows.exclude(offering__decisions__kind=Decision.Kind.WITHDRAW)
    ruled = 0
    for reference in rows.select_related("offering").order_by("pk"):
        withdrawal = retired.get((reference.provider, reference.external_id))
        if withdrawal is None:
            continue
        cited = withdrawal.citation
        ruling = Ruling(by=None, note=_RETIRED, citation_url=cited.url, citation_title=cited.title)
        withdraw(reference.offering, ruling, at=withdrawal.at)
        ruled += 1
    return ruled


def _describe_plans(body: bytes) -> int:
    """Give plans their audience and allowances where nobody has written any; how many were given."""
    described = 0
    plans = {(company, f"plan:{slug}"): plan for (company, slug), plan in plan_descriptions(body).items()}
    rows = Reference.objects.filter(source__slug="curated", offering__kind=Offering.Kind.PLAN)
    for reference in rows.select_related("offering"):
        plan = plans.get((reference.provider, reference.external_id))
        offering = reference.offering
        if plan is None or offering.audience or offering.allowances:
            continue
        offering.audience, offering.allowances = plan.audience, plan.allowances
        offering.save(update_fields=["audience", "allowances", "updated_at"])
        described += 1
    return described
