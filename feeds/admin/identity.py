"""The page of what may be one offering under two ids, and of what is sold without a known AI model."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from feeds.models_behind import Suggestion, suggestions, without_model
from pricing.ledger import LedgerError, Ruling, link
from pricing.models import Offering
from pricing.suspicions import suspected_duplicates
from tracker.admin_pages import change_url, show

SHOWN = 100


def identity_page(admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Show what a person may rule on; links that are chosen among the suggested ones are made together."""
    if not request.user.has_perm("pricing.view_offering"):
        raise PermissionDenied
    suggested = suggestions()
    if request.method == "POST":
        if not request.user.has_perm("pricing.add_decision"):
            raise PermissionDenied
        _link_chosen(request, suggested)
        return HttpResponseRedirect(request.path)
    pairs = Paginator(suspected_duplicates(), SHOWN).get_page(request.GET.get("page"))
    known = {each.offering.pk for each in suggested}
    unlinked = [offering for offering in without_model() if offering.pk not in known]
    return show(
        admin,
        request,
        "admin/feeds/identity.html",
        title="Identity",
        pairs=pairs,
        rows=[
            (pair, _ruling_url(pair.one, "merge", into=pair.other.pk), _ruling_url(pair.other, "split"))
            for pair in pairs
        ],
        suggested=[(each, change_url(each.offering)) for each in suggested],
        unlinked=[(offering, change_url(offering), _ruling_url(offering, "link")) for offering in unlinked[:SHOWN]],
        unlinked_count=len(unlinked),
        may_rule=request.user.has_perm("pricing.add_decision"),
    )


def _link_chosen(request: HttpRequest, suggested: list[Suggestion]) -> None:
    """Link what was ticked, as one operation that is undone together."""
    chosen, operation, linked = set(request.POST.getlist("offering")), uuid4().hex, 0
    ruling = Ruling(request.user, "as suggested by its id")  # type: ignore[arg-type]
    for each in suggested:
        if str(each.offering.pk) in chosen:
            try:
                link(each.offering, each.model, ruling, operation=operation)
                linked += 1
            except LedgerError as refusal:
                messages.error(request, str(refusal))
    messages.success(request, f"{linked} offerings were linked. Undoing one of these decisions undoes all of them.")


def _ruling_url(offering: Offering, page: str, **asked: object) -> str:
    address = reverse(f"admin:pricing_offering_{page}", args=[offering.pk])
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in asked.items())}" if asked else address
