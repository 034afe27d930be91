"""The offerings that somebody means by a model's name, at one seller or at all that sell the model."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from companies.models import AIModel, Company
from pricing.costing.names import Route, askable, named_offerings, routes
from pricing.identity import identity_key
from pricing.models import Alias, Offering, Price
from tracker.api.nearest import nearest_in

OFFERINGS = Offering.objects.select_related("seller", "model").exclude(status=Offering.Status.MERGED)


class NothingCalledSo(LookupError):
    """No offering, model or seller has that name; the message names the nearest."""


def offerings_called(model: str, seller: str | None, at: datetime) -> list[tuple[Offering, Route | None]]:
    """The offerings that a name means at a moment, each with the alias that led to it, by seller.

    The name is an AI model's slug, or an id of some offering; then all sellers of the same model are meant,
    unless one is named. Raises NothingCalledSo.
    """
    if seller is not None and not Company.objects.filter(slug=seller[:200].replace("\0", "")).exists():
        raise NothingCalledSo(_message(f"there is no company {seller[:100]!r}", Company.objects.all(), "slug", seller))
    led = _led_to(model, seller, at) if askable(model) else {}
    called = _called(model, seller) if askable(model) else set()
    called -= {route.offering for route in led.values()}
    found = OFFERINGS.filter(pk__in=called | led.keys()).order_by("seller__slug", "pk")
    if not found:
        raise _nothing(model, seller)
    return [(offering, None if offering.pk in called else led.get(offering.pk)) for offering in found]


def _called(model: str, seller: str | None) -> set[int]:
    """By slug or id; without a seller also whatever else is the same model."""
    of_model = OFFERINGS.filter(model__slug=model)
    if seller is not None:
        named = named_offerings([(seller, model)])
        return {each.offering for each in named.values()} or set(
            of_model.filter(seller__slug=seller).values_list("pk", flat=True)
        )
    by_id = Q(external_id=model) | Q(identity_key=identity_key(model)) | Q(references__external_id=model)
    matched = Offering.objects.filter(by_id)
    sellers = {(slug, model) for slug in matched.values_list("seller__slug", flat=True)}
    own = {each.offering for each in named_offerings(sellers).values()}
    models = Offering.objects.filter(pk__in=own, model__isnull=False).values("model")
    same = OFFERINGS.filter(Q(model__in=models) | Q(model__slug=model))
    return own | set(same.values_list("pk", flat=True))


def _led_to(model: str, seller: str | None, at: datetime) -> dict[int, Route]:
    """By the aliases in force at the moment, but for ids that have a price of their own then: that comes first."""
    sellers = {seller} if seller is not None else set(_sellers_with_alias(model))
    leading = (route for (_, key), each in routes(sellers).items() if key == identity_key(model) for route in each)
    holding = [route for route in leading if route.target is not None and route.holds(at, None)]
    priced = _priced({route.offering for route in holding}, at)
    return {route.target: route for route in holding if route.target is not None and route.offering not in priced}


def _priced(offering_ids: Collection[int], at: datetime) -> set[int]:
    """Those of some offerings that have a price of their own in force at a moment."""
    believed = Price.objects.filter(line__offering__in=offering_ids, known_until__isnull=True, effective_from__lte=at)
    return set(believed.exclude(effective_until__lte=at).values_list("line__offering_id", flat=True))


def _sellers_with_alias(model: str) -> QuerySet[Alias, str]:
    named = Alias.objects.filter(external_id__iexact=model)
    return named.values_list("seller__slug", flat=True).distinct()


def _nothing(model: str, seller: str | None) -> NothingCalledSo:
    if seller is None:
        return NothingCalledSo(_message(f"there is no model {model[:100]!r}", AIModel.objects.all(), "slug", model))
    sold = OFFERINGS.filter(seller__slug=seller)
    return NothingCalledSo(_message(f"{seller} sells nothing called {model[:100]!r}", sold, "external_id", model))


def _message(
    wrong: str, known: QuerySet[Company] | QuerySet[AIModel] | QuerySet[Offering], column: str, name: str
) -> str:
    choices = nearest_in(known, column, name)
    return f"{wrong}; the nearest: {', '.join(choices)}" if choices else wrong
