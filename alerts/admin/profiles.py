"""The admin of usage profiles: typed in or uploaded, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from alerts.admin.own import OwnAdmin
from alerts.bills.billing import Bill, bill_of
from alerts.bills.usage_files import MOST_BYTES, UnreadableUsage, read_usage_file
from alerts.bills.writing import after_edit, checked_usage, replace_lines
from alerts.models import ProfileAdjustment, ProfileLine, UsageProfile
from pricing.usage import UsageError
from tracker.admin_base import ReadOnlyAdmin, RecordInline
from tracker.admin_fields import UtcDateTimeFormField
from tracker.admin_pages import FormPage, answer, posted, show
from tracker.amounts import plain

_ERRORS_SHOWN = 30


class UsageField(forms.CharField):
    """Counts of a month, one a line: the usage key, then the quantity."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "placeholder": "input_tokens 1200000000"})
        help_text = "One a line: the usage key, then the quantity of a month, such as input_tokens 1200000000."
        super().__init__(**{"widget": widget, "help_text": help_text, **options})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key} {quantity}" for key, quantity in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict) or not value:
            return value or {}
        counts: dict[str, str] = {}
        for line in filter(None, (line.strip() for line in str(value).splitlines())):
            key, _, quantity = line.replace(":", " ").partition(" ")
            if not quantity.strip() or key in counts:
                raise ValidationError(f"{line[:60]!r} is not a usage key and its quantity, each key once")
            counts[key] = quantity.strip().replace(",", "")
        try:
            return checked_usage(counts)
        except UsageError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.prepare_value(initial or {}) != str(data or "").replace("\r\n", "\n").strip()


class ProfileLineForm(forms.ModelForm):
    """One offering's usage in a month."""

    usage = UsageField()

    class Meta:
        model = ProfileLine
        fields = ("offering", "usage", "requests", "service_tier", "region", "variant", "commitment", "slot")


class ProfileLineInline(RecordInline):
    """What is used of each offering."""

    model = ProfileLine
    form = ProfileLineForm
    fields = ("offering", "usage", "requests", "service_tier", "region", "variant", "commitment", "slot")
    tab = True


class ProfileAdjustmentInline(RecordInline):
    """The buyer's own discounts and commitments."""

    model = ProfileAdjustment
    fields = ("kind", "seller", "offering", "percent", "amount", "note")
    tab = True


class ProfileForm(forms.ModelForm):
    """A profile's name and currency."""

    class Meta:
        model = UsageProfile
        fields = ("name", "currency", "owner")

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
            raise ValidationError("use the currency's ISO 4217 code, such as USD or CNY")
        return currency


class UsageFileForm(forms.Form):
    """A file of usage."""

    file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="CSV, UTF-8, up to 2 MiB.")


class BillForm(forms.Form):
    """The moment of a bill."""

    as_of = UtcDateTimeFormField(required=False)


@admin.register(UsageProfile)
class UsageProfileAdmin(OwnAdmin):
    """What people use in a month. A superuser sees everybody's, others their own."""

    form = ProfileForm
    list_display = ("name", "owner", "currency", "updated_at")
    list_filter = ("currency",)
    search_fields = ("name", "owner__username")
    list_select_related = ("owner",)
    ordering = ("name", "id")
    inlines = (ProfileLineInline, ProfileAdjustmentInline)
    actions_detail = ("bill", "import_usage")
    readonly_fields = ("shown_bill", "created_at", "updated_at")
    add_fieldsets = ((None, {"fields": (("name", "currency"), "owner")}),)
    fieldsets = (
        (None, {"fields": (("name", "currency"), "owner", "shown_bill")}),
        ("Record", {"fields": (("created_at", "updated_at"),), "classes": ("collapse",)}),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        after_edit(form.instance)

    @display(description="The month at the prices of now")
    def shown_bill(self, profile: UsageProfile) -> str:
        return bill_in_short(bill_of(profile, timezone.now()))

    @action(description="Bill", url_path="bill", permissions=["view"], icon="receipt_long")
    def bill(self, request: HttpRequest, object_id: str) -> HttpResponse:
        profile = self._found(request, object_id)
        form = BillForm(request.GET or None)
        chosen: datetime | None = form.cleaned_data["as_of"] if form.is_valid() else None
        found = bill_of(profile, chosen or timezone.now(), cheaper=True)
        told = {"bill": found, "in_short": bill_in_short(found)}
        return show(self, request, "admin/alerts/bill.html", title=f"Bill of {profile}", original=profile, **told)

    @action(description="Import usage", url_path="import-usage", permissions=["change"], icon="upload")
    def import_usage(self, request: HttpRequest, object_id: str) -> HttpResponse:
        profile = self._found(request, object_id)
        page = FormPage(
            about=profile,
            title=f"Import the usage of {profile}",
            form=UsageFileForm(posted(request), request.FILES or None),
            submit="Replace the lines",
            explanation="The file's rows take the place of all lines. Columns: seller, model, and usage keys such as "
            "input_tokens, or meter and quantity; if wanted service_tier, region, variant, commitment, slot, requests "
            "and date. With dates the file is averaged to a month.",
        )

        def act(cleaned: Mapping[str, Any]) -> str:
            lines = _lines(cleaned["file"])
            replace_lines(profile, lines)
            return f"{profile} has {len(lines)} lines now."

        return answer(self, request, page, act, refusals=_Refused)

    def _found(self, request: HttpRequest, object_id: str) -> UsageProfile:
        profile: UsageProfile | None = self.get_object(request, object_id)
        if profile is None:
            raise Http404(f"no usage profile {object_id}")
        return profile


class _Refused(Exception):
    """A file that is not taken, with what is wrong row by row."""


def _lines(file: Any) -> list[ProfileLine]:
    if file.size > MOST_BYTES:
        raise _Refused("the file is larger than 2 MiB; sum the usage up, for example by day")
    try:
        return read_usage_file(file.read())
    except UnreadableUsage as unreadable:
        shown = [f"line {error.line}: {error.detail}" for error in unreadable.errors[:_ERRORS_SHOWN]]
        raise _Refused("; ".join(shown)) from None


def bill_in_short(bill: Bill) -> str:
    """Such as ``1,234.50 USD a month (1,300 USD by list prices); without: …``."""
    currency = bill.profile.currency
    text = f"{_money(bill.total)} {currency} a month"
    if bill.total != bill.list_total:
        text += f" ({_money(bill.list_total)} {currency} by list prices)"
    return text + (f"; left out: {'; '.join(bill.without_price[:5])}" if bill.without_price else "")


def _money(amount: Decimal) -> str:
    return f"{round(amount, 2):,}" if amount >= 1 else plain(amount)


@admin.register(ProfileLine)
class ProfileLineAdmin(OwnAdmin, ReadOnlyAdmin):
    """The lines of all profiles; they are edited on their profile's page."""

    owner_path = "profile__owner"
    list_display = ("profile", "offering", "service_tier", "region", "requests")
    search_fields = ("profile__name", "offering__name", "offering__external_id")
    list_select_related = ("profile", "offering__seller")
    ordering = ("-id",)


@admin.register(ProfileAdjustment)
class ProfileAdjustmentAdmin(OwnAdmin, ReadOnlyAdmin):
    """The discounts and commitments of all profiles; they are edited on their profile's page."""

    owner_path = "profile__owner"
    list_display = ("profile", "kind", "seller", "offering", "percent", "amount", "note")
    search_fields = ("profile__name", "note")
    list_select_related = ("profile", "seller", "offering__seller")
    ordering = ("-id",)
