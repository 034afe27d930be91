"""Small functions that write rows of the record directly, each with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import ApiToken, User
from companies.models import AIModel, BusinessMetric, Company, MonetizationEvent
from feeds.models import Feed, Refresh
from pricing.identity import identity_key
from pricing.models import (
    Alias,
    Disagreement,
    Hold,
    Observation,
    Offering,
    Price,
    PriceLine,
    PricingChange,
    PricingChangeLine,
    Reference,
    Source,
    Statement,
)

_numbers = count(1)


def moment(text: str) -> datetime:
    """``2026-05-01`` or ``2026-05-01T12:00`` as a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MAY = moment("2026-05-01")
TRACKED_SINCE = moment("2026-01-01")


def company(slug: str = "deepseek", **values: Any) -> Company:
    return Company.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "kind": "lab", **values})[0]


def ai_model(slug: str = "deepseek-v4", **values: Any) -> AIModel:
    return AIModel.objects.get_or_create(slug=slug, defaults={"name": slug, **values})[0]


def source(slug: str = "models-dev", **values: Any) -> Source:
    defaults = {"name": slug, "precedence": next(_numbers), **values}
    return Source.objects.get_or_create(slug=slug, defaults=defaults)[0]


def observation(of: Source | None = None, at: datetime = MAY) -> Observation:
    return Observation.objects.get_or_create(source=of or source(), observed_at=at, defaults={"digest": "d"})[0]


def offering(external_id: str = "deepseek-chat", **values: Any) -> Offering:
    values.setdefault("seller", company())
    values.setdefault("name", external_id)
    values.setdefault("status", "listed")
    return Offering.objects.create(external_id=external_id, identity_key=external_id, **values)


def reference(of: Offering, **values: Any) -> Reference:
    values.setdefault("source", source())
    values.setdefault("provider", of.seller.slug)
    values.setdefault("external_id", of.external_id)
    return Reference.objects.create(offering=of, first_seen_at=TRACKED_SINCE, **values)


def line(of: Offering, meter: str = "input_tokens", **values: Any) -> PriceLine:
    return PriceLine.objects.create(offering=of, meter=meter, **values)


def price(of: PriceLine, amount: str = "0.435", since: datetime = TRACKED_SINCE, **values: Any) -> Price:
    values.setdefault("known_from", since)
    values.setdefault("recorded_at", values["known_from"])
    values.setdefault("currency", "USD")
    values.setdefault("precision", "observed")
    return Price.objects.create(line=of, amount=Decimal(amount), effective_from=since, **values)


def statement(of: PriceLine, amount: str = "0.435", since: datetime = TRACKED_SINCE, **values: Any) -> Statement:
    values.setdefault("source", source())
    return Statement.objects.create(line=of, amount=Decimal(amount), first_observed_at=since, **values)


def alias(external_id: str, target: Any, since: datetime | None = None, **values: Any) -> Alias:
    """A believed route of one of DeepSeek's ids to an offering or a model; the id has no price of its own."""
    known = {"name": external_id, "external_id": external_id, "status": "unpriced"}
    of, _ = Offering.objects.get_or_create(
        seller=values.pop("seller", None) or company(), identity_key=identity_key(external_id), defaults=known
    )
    values.setdefault("source", source())
    values.setdefault("known_from", TRACKED_SINCE)
    values["target_offering" if isinstance(target, Offering) else "target_model"] = target
    return Alias.objects.create(offering=of, seller=of.seller, external_id=external_id, effective_from=since, **values)


def change(of: PriceLine, old: str | None, new: str | None, at: datetime = MAY, **values: Any) -> PricingChange:
    """A change of one line; ``kind`` follows from the amounts unless it is given."""
    values.setdefault("kind", _kind(old, new))
    values.setdefault("nature", "market")
    values.setdefault("headline", f"{of.offering.name}: {of.meter} {old} -> {new}")
    values.setdefault("detected_at", at)
    values.setdefault("precision", "observed")
    currency = values.pop("currency", "USD")
    row = PricingChange.objects.create(
        sequence=next(_numbers), offering=of.offering, effective_at=at, recorded_at=values["detected_at"], **values
    )
    change_line(row, of, old, new, currency)
    return row


def change_line(row: PricingChange, of: PriceLine, old: str | None, new: str | None, currency: str = "USD") -> None:
    before, after = _decimal(old), _decimal(new)
    percent = round((after - before) / before * 100, 2) if before and after else None
    PricingChangeLine.objects.create(
        change=row, line=of, old=before, new=after, percent=percent, currency=currency, old_currency=currency
    )


def hold(of: PriceLine | None, amount: str = "5", at: datetime = MAY, **values: Any) -> Hold:
    """A hold on a statement of the line; of nothing but what is given where there is no line."""
    values.setdefault("source", source())
    values.setdefault("reason", "leap")
    if of is not None:
        said = statement(of, amount, at, source=values["source"])
        known = {"offering": of.offering, "line": of, "statement": said, "seller": of.offering.seller}
        values = {**known, "amount": Decimal(amount), "currency": "USD", **values}
    return Hold.objects.create(**{"observed_at": at, "raised_at": at, **values})


def disagreement(of: PriceLine, amount: str = "2", at: datetime = MAY, **values: Any) -> Disagreement:
    values.setdefault("source", source("litellm"))
    said = statement(of, amount, at, source=values["source"])
    values.setdefault("kind", "amount")
    values.setdefault("believed_source", source())
    values.setdefault("believed_amount", Decimal(1))
    values.setdefault("believed_currency", "USD")
    known = {"amount": Decimal(amount), "currency": "USD", "since": at, "opened_at": at}
    return Disagreement.objects.create(offering=of.offering, line=of, statement=said, **{**known, **values})


def event(of: Company | None = None, key: str = "price-cut", **values: Any) -> MonetizationEvent:
    values.setdefault("kind", "price_cut")
    values.setdefault("title", key)
    values.setdefault("effective_on", date(2026, 3, 1))
    return MonetizationEvent.objects.create(company=of or company(), key=key, **values)


def metric(of: Company | None = None, key: str = "revenue", **values: Any) -> BusinessMetric:
    values.setdefault("metric", "annual_revenue")
    values.setdefault("value", Decimal("13000000000"))
    values.setdefault("as_of", date(2026, 3, 1))
    return BusinessMetric.objects.create(company=of or company(), key=key, **values)


def feed(slug: str = "models-dev", **values: Any) -> Feed:
    defaults = {"adapter": slug, "next_due_at": MAY, **values}
    return Feed.objects.update_or_create(source=source(slug), defaults=defaults)[0]


def refresh(of: Feed, at: datetime = MAY, **values: Any) -> Refresh:
    values.setdefault("status", "done")
    values.setdefault("counts", {"seen": 3, "rejected": 1})
    finished = at + timedelta(seconds=9)
    return Refresh.objects.create(feed=of, started_at=at, finished_at=finished, observed_at=at, **values)


def token(username: str = "reader", **values: Any) -> str:
    """A token's secret; its owner is made as well."""
    owner, _ = User.objects.get_or_create(username=username)
    revoked_at = values.pop("revoked_at", None)
    row, secret = ApiToken.issue(owner, name="test", scopes=values.pop("scopes", ["read"]), **values)
    if revoked_at is not None:
        ApiToken.objects.filter(pk=row.pk).update(revoked_at=revoked_at)
    return secret


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _kind(old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return "listed" if old is None else "price_removed"
    return "increase" if Decimal(new) > Decimal(old) else "decrease"
