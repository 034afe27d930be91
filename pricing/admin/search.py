"""Finding offerings by any name that anybody has for them, and the rows that belong to what was found."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from companies.models import Company
from pricing.models import Alias, Offering, Reference

__all__ = ["OfferingSearch", "offerings_matching"]


def offerings_matching(text: str) -> QuerySet[Offering]:
    """The offerings for which every word fits some name: own id, seller, model, a feed's id, or an alias."""
    found = Offering.objects.all()
    for word in _words(text):
        found = found.filter(_fits(word))
    return found


def _words(text: str) -> list[str]:
    return [unescape_string_literal(w) if w[:1] in "\"'" and w[:1] == w[-1:] else w for w in smart_split(text)]


def _fits(word: str) -> Q:
    own = Q(name__icontains=word) | Q(external_id__icontains=word) | Q(model__name__icontains=word)
    own |= Q(model__slug__icontains=word)
    sellers = Company.objects.filter(
        Q(name__icontains=word) | Q(slug__icontains=word) | Q(aliases__name__icontains=word)
    )
    own |= Q(seller__in=sellers.order_by().values("pk"))
    return own | Q(pk__in=_by_reference(word)) | _by_alias(word)


def _by_reference(word: str) -> QuerySet[Any]:
    """Offerings that a source knows by the word: an id, a provider id, or both with a slash between."""
    named = Q(external_id__icontains=word) | Q(provider__icontains=word)
    provider, slash, external_id = word.partition("/")
    if slash:
        named |= Q(provider__iexact=provider, external_id__icontains=external_id)
    return Reference.objects.filter(named).order_by().values("offering_id")


def _by_alias(word: str) -> Q:
    """Offerings to which a seller routed an id, now or once, and those of the model it was routed to."""
    aliases = Alias.objects.filter(external_id__icontains=word).order_by()
    routed = Q(pk__in=aliases.filter(target_offering__isnull=False).values("target_offering_id"))
    to_model = aliases.filter(target_model__isnull=False)
    return routed | Q(model__in=to_model.values("target_model_id"), seller__in=to_model.values("seller_id"))


class OfferingSearch:
    """For the admin of rows that belong to an offering: finds them by the offering's names."""

    offering_path = "offering"
    search_help_text = "Any id, alias or name of the offering, or its seller."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        offerings = offerings_matching(search_term).order_by().values("pk")
        return queryset.filter(**{f"{self.offering_path}__in": offerings}), False
