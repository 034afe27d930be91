"""The admin of watches: what each catches in plain words, and what it would have told lately."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from alerts.admin.own import OwnAdmin, owner_of
from alerts.bills.watching import begin_watching
from alerts.models import Channel, UsageProfile, Watch
from alerts.previews import DEFAULT_DAYS, Named, preview
from alerts.summaries import in_words
from pricing.api.filters import CHANGE_KINDS
from pricing.models.catalogue import meter_choices
from tracker.admin_pages import show

_OF_THE_BILL = ("profile", "bill_percent", "bill_amount")


def _several(choices: Any, help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=choices, required=False, widget=UnfoldAdminSelect2MultipleWidget, help_text=help_text
    )


class WatchForm(forms.ModelForm):
    """A watch; what cannot go together is said where it is typed."""

    request_user: Any = None
    meters = _several(meter_choices, "A moved line has one of these meters; without any, whatever it counts.")
    kinds = _several([(kind, kind) for kind in CHANGE_KINDS], "The change is of one of these kinds.")

    class Meta:
        model = Watch
        fields = (
            "name",
            "owner",
            "companies",
            "models",
            "offerings",
            "meters",
            "kinds",
            "nature",
            "direction",
            "min_percent",
            "confirmed_only",
            *_OF_THE_BILL,
            "channels",
            "cadence",
            "digest_hour",
            "digest_weekday",
            "quiet_from",
            "quiet_until",
            "paused_until",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._check_numbers(cleaned)
        self._check_hours(cleaned)
        self._check_owner(cleaned)
        return cleaned

    def _check_numbers(self, cleaned: dict[str, Any]) -> None:
        for name in ("min_percent", "bill_percent", "bill_amount"):
            if cleaned.get(name) is not None and cleaned[name] <= 0:
                self.add_error(name, "a number above 0 was expected")
        on_bill = any(cleaned.get(name) is not None for name in ("bill_percent", "bill_amount"))
        if on_bill and cleaned.get("profile") is None:
            self.add_error("profile", "a bill needs a usage profile")
        if (cleaned.get("digest_hour") or 0) > 23:
            self.add_error("digest_hour", "an hour from 0 to 23 was expected")
        if not 1 <= (cleaned.get("digest_weekday") or 1) <= 7:
            self.add_error("digest_weekday", "a weekday from 1 (Monday) to 7 was expected")

    def _check_hours(self, cleaned: dict[str, Any]) -> None:
        start, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (start is None) != (end is None):
            self.add_error("quiet_from" if start is None else "quiet_until", "quiet hours need a beginning and an end")
        elif start is not None and start == end:
            self.add_error("quiet_until", "quiet hours end as they begin")

    def _check_owner(self, cleaned: dict[str, Any]) -> None:
        """A watch tells its owner's channels of its owner's usage."""
        owner = owner_of(self, self.request_user)
        profile: UsageProfile | None = cleaned.get("profile")
        if profile is not None and profile.owner != owner:
            self.add_error("profile", f"{profile} is somebody else's")
        theirs = [
            channel for channel in cleaned.get("channels") or () if channel.owner_id != getattr(owner, "pk", None)
        ]
        if theirs:
            self.add_error("channels", f"somebody else's: {', '.join(map(str, theirs))}")


@admin.register(Watch)
class WatchAdmin(OwnAdmin):
    """What people want to hear about. A superuser sees everybody's, others their own."""

    form = WatchForm
    list_display = ("name", "owner", "shown_cadence", "shown_state", "created_at")
    list_filter = (
        "cadence",
        ("paused_until", admin.EmptyFieldListFilter),
        ("bill_percent", admin.EmptyFieldListFilter),
    )
    search_fields = ("name", "owner__username", "companies__name", "models__name")
    list_select_related = ("owner",)
    ordering = ("name", "id")
    actions_detail = ("preview",)
    readonly_fields = ("shown_summary", "told_bill", "told_bill_at", "created_at", "updated_at")
    _filters = (
        "companies",
        "models",
        "offerings",
        ("meters", "kinds"),
        ("nature", "direction"),
        ("min_percent", "confirmed_only"),
    )
    _when = ("channels", "cadence", ("digest_hour", "digest_weekday"), ("quiet_from", "quiet_until"), "paused_until")
    add_fieldsets = (
        (None, {"fields": ("name", "owner")}),
        ("What", {"fields": _filters}),
        ("Money", {"fields": ("profile", ("bill_percent", "bill_amount"))}),
        ("When and where", {"fields": _when}),
    )
    fieldsets = (
        (None, {"fields": ("shown_summary", "name", "owner")}),
        ("What", {"fields": _filters}),
        ("Money", {"fields": ("profile", ("bill_percent", "bill_amount"), ("told_bill", "told_bill_at"))}),
        ("When and where", {"fields": _when}),
        ("Record", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.request_user = request.user
        return form

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "channels" and not request.user.is_superuser:
            kwargs["queryset"] = Channel.objects.filter(owner=request.user.pk)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "profile" and not request.user.is_superuser:
            kwargs["queryset"] = UsageProfile.objects.filter(owner=request.user.pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Watch, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or set(_OF_THE_BILL) & set(form.changed_data):
            begin_watching([obj])

    @display(description="Catches")
    def shown_summary(self, watch: Watch) -> str:
        return in_words(Named.of(watch).words, timezone.now())

    @display(description="Tells", ordering="cadence")
    def shown_cadence(self, watch: Watch) -> str:
        return watch.get_cadence_display()

    @display(description="State", label={"active": "success", "paused": "warning"})
    def shown_state(self, watch: Watch) -> str:
        return "paused" if watch.paused_until is not None and watch.paused_until > timezone.now() else "active"

    @action(description="Preview", url_path="preview", permissions=["view"], icon="history")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        watch: Watch | None = self.get_object(request, object_id)
        if watch is None:
            raise Http404(f"no watch {object_id}")
        named, now = Named.of(watch), timezone.now()
        told = {"summary": in_words(named.words, now), "days": DEFAULT_DAYS, "found": preview(named, now)}
        return show(self, request, "admin/alerts/preview.html", title=f"Preview of {watch}", original=watch, **told)
