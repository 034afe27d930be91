"""Plans of the curated record: what a company sells by the month or the year, and for how much."""

from __future__ import annotations

from dataclasses import dataclass

from companies.record.fields import PRECISIONS, Citation, Fields
from companies.record.files import BadRecord
from feeds.adapters.curated.claims import refuse_overlaps
from pricing.claims import Claim, Conditions, ModelFacts, ParsedOffering

AUDIENCES = ("consumer", "developer", "team", "enterprise")
BILLING_PERIODS = ("week", "month", "year")
PLAN_METERS = ("subscriptions", "seats")
COMMITMENTS = ("", "12-month")


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """One price of a plan while it was in force, and what it bought."""

    claim: Claim
    allowances: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Plan:
    """Something that a company sells by the period."""

    company: str
    slug: str
    name: str
    audience: str
    prices: tuple[PlanPrice, ...]

    @property
    def model(self) -> str:
        """The id that stands for the plan among a seller's offerings."""
        return f"plan:{self.slug}"

    @property
    def allowances(self) -> str:
        """What the plan includes: by the first price that has no end, else by the last."""
        lasting = (price for price in self.prices if price.claim.effective_until is None)
        return next(lasting, self.prices[-1]).allowances


def read_plans(place: str, slug: str, content: object) -> list[Plan]:
    """One file of ``plans/``. Raises BadRecord."""
    file = Fields.of(place, content)
    company = file.owner("company", slug)
    plans = [_plan(company, fields) for fields in file.entries("plans")]
    file.close()
    slugs = [plan.slug for plan in plans]
    twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
    if twice:
        raise BadRecord(f"{place}: the plan {twice} stands twice, but all prices of a plan belong under one entry")
    return plans


def plan_offering(plan: Plan) -> ParsedOffering:
    """A plan as a source states it."""
    return ParsedOffering(
        provider=plan.company,
        model=plan.model,
        claims=tuple(price.claim for price in plan.prices),
        facts=ModelFacts(name=plan.name, mode="plan"),
    )


def _plan(company: str, fields: Fields) -> Plan:
    plan = Plan(
        company=company,
        slug=fields.slug("slug"),
        name=fields.text("name", required=True),
        audience=fields.choice("audience", AUDIENCES),
        prices=tuple(_price(price) for price in fields.entries("prices")),
    )
    fields.close()
    refuse_overlaps(fields.place, [price.claim for price in plan.prices])
    return plan


def _price(fields: Fields) -> PlanPrice:
    citation = fields.citation()
    line = Conditions(
        meter=fields.choice("meter", PLAN_METERS, "subscriptions"),
        region=fields.country("country"),
        variant=fields.choice("billing_period", BILLING_PERIODS),
        commitment=fields.choice("commitment", COMMITMENTS, ""),
    )
    claim = Claim(
        line=line,
        amount=fields.amount("amount"),
        currency=fields.currency("currency"),
        effective_from=fields.moment("effective_from"),
        effective_until=fields.moment("effective_until"),
        precision=fields.choice("precision", PRECISIONS),
        citation_url=citation.url,
        citation_title=citation.title,
    )
    if (claim.precision == "unknown") != (claim.effective_from is None):
        fields.refuse("precision", "is unknown if and only if effective_from is left out")
    price = PlanPrice(claim, fields.prose("allowances"), citation)
    fields.close()
    return price
