"""The admin of offerings: found by any id, told with its whole history, priced through the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from pricing import ledger
from pricing.admin import announced, identities, routing, rulings
from pricing.admin.forms import OfferingForm
from pricing.admin.search import OfferingSearch
from pricing.admin.staleness import StaleOfferings
from pricing.admin.story import stands_withdrawn, tell
from pricing.models import Offering, Price, PricingChange
from tracker.admin_base import HistoryAdmin
from tracker.admin_pages import change_url, list_url

_CHOSEN_ONCE = ("kind", "seller", "listing", "external_id")
_COLOURS = {"listed": "success", "no price known": "warning", "withdrawn": "danger", "merged into another": "info"}


@admin.register(Offering)
class OfferingAdmin(OfferingSearch, HistoryAdmin):
    """What companies sell. Never deleted: an offering is withdrawn, and its record stays."""

    form = OfferingForm
    offering_path = "pk"
    list_display = ("name", "seller", "external_id", "model", "kind", "shown_status", "updated_at")
    list_filter = (
        "status",
        "kind",
        ("seller", AutocompleteSelectFilter),
        ("model", AutocompleteSelectFilter),
        "references__source",
        StaleOfferings,
    )
    search_fields = ("name",)
    list_select_related = ("seller", "model")
    ordering = ("name", "id")
    actions_detail = (
        "state_price",
        "pin_price",
        "state_calendar",
        "reschedule",
        "retract",
        "extend_promotion",
        "end_promotion",
        "make_permanent",
        "reroute",
        "withdraw",
        "relist",
        "merge",
        "split",
        "link",
    )
    fieldsets = (
        (None, {"fields": (("kind", "seller"), ("external_id", "listing"), "name", "model")}),
        (
            "Details",
            {
                "fields": (("mode", "audience"), "allowances", "context_tokens", ("deprecated_on", "retired_on")),
                "classes": ("collapse",),
            },
        ),
        (
            "Record",
            {
                "fields": (("shown_status", "model_linked_by"), "merged_into", ("created_at", "updated_at")),
                "classes": ("collapse",),
            },
        ),
    )
    add_fieldsets = (
        (None, {"fields": (("kind", "seller"), ("external_id", "listing"), "name", "model")}),
        (
            "Details",
            {"fields": (("mode", "audience"), "allowances", "context_tokens", ("deprecated_on", "retired_on"))},
        ),
    )

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Who sells it under which id is how every source finds it: chosen once."""
        kept = ("shown_status", "model_linked_by", "merged_into", "created_at", "updated_at")
        return [*(_CHOSEN_ONCE if obj else ()), *kept]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Offering, form: forms.ModelForm, change: bool) -> None:
        """A link that a person makes is a decision: feeds and id rules leave it alone, and it can be undone."""
        if "model" not in form.changed_data:
            super().save_model(request, obj, form, change)
            return
        if not change or obj.kind != Offering.Kind.API:
            obj.model_linked_by = "person"
            super().save_model(request, obj, form, change)
            return
        model, obj.model_id = obj.model, form.initial["model"]
        super().save_model(request, obj, form, change)
        ledger.link(obj, model, ledger.Ruling(request.user, "edited in the admin"))  # type: ignore[arg-type]

    def response_add(self, request: HttpRequest, obj: Offering, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the new offering's page, where its prices are stated."""
        if "_popup" in request.POST or "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"{obj} was added. State its prices next.")
        return HttpResponseRedirect(change_url(obj))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        offering = self.get_object(request, object_id)
        told: dict[str, Any] = {}
        if offering is not None:
            is_open = offering.merged_into_id is None
            told = {
                "story": tell(offering),
                "routes": routing.routes_of(offering, timezone.now()),
                "routes_stated": routing.routes_stated(offering),
                "all_rows": list_url(Price, line__offering__id__exact=offering.pk),
                "all_changes": list_url(PricingChange, offering__id__exact=offering.pk),
                "may_state": is_open and self.has_state_permission(request),
                "may_rule": is_open and self.has_rule_permission(request),
            }
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    @display(description="Status", ordering="status", label=_COLOURS)
    def shown_status(self, offering: Offering) -> str:
        return offering.get_status_display()

    def has_state_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may state prices: the permission to add statements has no other use."""
        return request.user.has_perm("pricing.add_statement")

    def has_rule_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may rule over what sources say."""
        return request.user.has_perm("pricing.add_decision")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Withdraw what stands, relist what a person withdrew, move what is announced, end a promotion that runs,
        reroute no plan.

        Nothing for what was merged away.
        """
        offering = self.get_object(request, str(object_id))
        if offering is None or offering.merged_into_id is not None:
            return []
        left_out = {"withdraw" if stands_withdrawn(offering) else "relist"}
        if not announced.announced(offering):
            left_out |= {"reschedule", "retract"}
        if not announced.has_promotion(offering):
            left_out |= {"extend-promotion", "end-promotion", "make-permanent"}
        if offering.kind == Offering.Kind.PLAN:
            left_out.add("reroute")
        actions = super().get_actions_detail(request, object_id)
        return [chosen for chosen in actions if chosen.path not in left_out]

    @action(description="State a price", url_path="state-price", permissions=["state"], icon="add")
    def state_price(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(rulings.state_price, request, object_id)

    @action(description="Pin", url_path="pin-price", permissions=["rule"], icon="keep")
    def pin_price(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(rulings.pin_price, request, object_id)

    @action(description="State a calendar", url_path="state-calendar", permissions=["state"], icon="schedule")
    def state_calendar(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(rulings.state_calendar, request, object_id)

    @action(description="Reschedule", url_path="reschedule", permissions=["rule"], icon="event_repeat")
    def reschedule(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(announced.reschedule, request, object_id)

    @action(description="Retract", url_path="retract", permissions=["rule"], icon="event_busy")
    def retract(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(announced.retract, request, object_id)

    @action(description="Extend promotion", url_path="extend-promotion", permissions=["rule"], icon="more_time")
    def extend_promotion(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(announced.extend_promotion, request, object_id)

    @action(description="End promotion", url_path="end-promotion", permissions=["rule"], icon="timer_off")
    def end_promotion(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(announced.end_promotion, request, object_id)

    @action(description="Make permanent", url_path="make-permanent", permissions=["rule"], icon="all_inclusive")
    def make_permanent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(announced.make_permanent, request, object_id)

    @action(description="Reroute", url_path="reroute", permissions=["rule"], icon="alt_route")
    def reroute(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(routing.reroute, request, object_id)

    @action(description="Withdraw", url_path="withdraw", permissions=["rule"], icon="block")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(rulings.withdraw, request, object_id)

    @action(description="Relist", url_path="relist", permissions=["rule"], icon="restart_alt")
    def relist(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(rulings.relist, request, object_id)

    @action(description="Merge", url_path="merge", permissions=["rule"], icon="merge")
    def merge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(identities.merge, request, object_id)

    @action(description="Split", url_path="split", permissions=["rule"], icon="call_split")
    def split(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(identities.split, request, object_id)

    @action(description="Link to a model", url_path="link", permissions=["rule"], icon="link")
    def link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ruled(identities.link, request, object_id)

    def _ruled(self, page: Callable[..., HttpResponse], request: HttpRequest, object_id: str) -> HttpResponse:
        offering = self.get_object(request, object_id)
        if offering is None:
            raise Http404(f"no offering {object_id}")
        return page(self, request, offering)
