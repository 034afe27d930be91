"""The admin of companies, AI models, events and figures: plain forms whose every version is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from companies.models import AIModel, BusinessMetric, Company, CompanyAlias, MonetizationEvent
from tracker.admin_base import HistoryAdmin, RecordAdmin, RecordInline
from tracker.admin_fields import CitationsField, LinesField

_FACT_SOURCE = ("Source", {"fields": ("source_url", "source_title", ("source_class", "confidence"))})
_RECORD = ("Record", {"fields": ("shown_edited", ("created_at", "updated_at"))})


class CuratedAdmin(HistoryAdmin):
    """A row that the curated record loads and that a person may take over."""

    actions: Sequence[Any] = ("follow_the_record",)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """What a person saves is theirs: a reload of the curated record leaves the row alone from then on."""
        if form.changed_data or not change:
            obj.edited = True
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets) and not form.instance.edited:
            form.instance.edited = True
            form.instance.save(update_fields=["edited", "updated_at"])

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return [*super().named_readonly_fields(request, obj), "shown_edited", "created_at", "updated_at"]

    @display(description="Kept by")
    def shown_edited(self, row: Any) -> str:
        if row.edited:
            return "a person: a reload of the curated record leaves it alone"
        return "the curated record" if row.curated_digest else "feeds"

    @admin.action(description="Follow the curated record again", permissions=["change"])
    def follow_the_record(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Forget that a person changed the rows; the next load of the curated record writes its own over them."""
        count = 0
        for row in rows.filter(edited=True):
            row.edited, row.curated_digest = False, ""
            row._history_user = request.user
            row.save()
            count += 1
        self.message_user(request, f"{count} rows will follow the curated record from its next load on.")


class CompanyAliasInline(RecordInline):
    model = CompanyAlias
    verbose_name_plural = "Other names"


@admin.register(Company)
class CompanyAdmin(CuratedAdmin):
    """Labs, clouds, resellers and application companies."""

    list_display = ("name", "slug", "kind", "country", "parent", "offerings", "needs_review")
    list_filter = ("needs_review", "kind", "country")
    search_fields = ("name", "slug", "aliases__name", "website")
    list_select_related = ("parent",)
    actions = (*CuratedAdmin.actions, "mark_reviewed")
    inlines = (CompanyAliasInline,)
    fieldsets = (
        (None, {"fields": ("name", "slug", ("kind", "parent"), ("country", "founded"), "website", "summary")}),
        ("Review", {"fields": ("needs_review",)}),
        _RECORD,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Company]:
        return super().get_queryset(request).annotate(offering_count=Count("offerings", distinct=True))

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """The slug is in addresses, so it is chosen once."""
        return [*super().named_readonly_fields(request, obj), *(["slug"] if obj else [])]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("name",)}

    @display(description="Offerings", ordering="offering_count")
    def offerings(self, company: Any) -> int:
        return int(company.offering_count)

    @admin.action(description="Mark as reviewed", permissions=["change"])
    def mark_reviewed(self, request: HttpRequest, rows: QuerySet[Company]) -> None:
        count = 0
        for company in rows.filter(needs_review=True):
            company.needs_review = False
            company._history_user = request.user  # type: ignore[attr-defined]
            company.save()
            count += 1
        self.message_user(request, f"{count} companies marked as reviewed.")


@admin.register(CompanyAlias)
class CompanyAliasAdmin(RecordAdmin):
    """Products, former names and feeds' ids by which a company is found."""

    list_display = ("name", "company")
    search_fields = ("name", "company__name")
    list_select_related = ("company",)
    list_filter = (("company", AutocompleteSelectFilter),)


class AIModelForm(forms.ModelForm):
    """A model; what it takes and gives are lists."""

    input_modalities = LinesField(help_text="One a line: text, image, audio, video, file.")
    output_modalities = LinesField(help_text="One a line.")


@admin.register(AIModel)
class AIModelAdmin(CuratedAdmin):
    """What labs make, whoever sells it."""

    form = AIModelForm
    list_display = ("name", "slug", "developer", "family", "released_on", "retired_on", "offerings", "needs_review")
    list_filter = ("needs_review", "open_weights", ("developer", AutocompleteSelectFilter))
    search_fields = ("name", "slug", "family", "developer__name", "offerings__external_id")
    list_select_related = ("developer",)
    date_hierarchy = "released_on"
    fieldsets = (
        (None, {"fields": ("name", "slug", ("developer", "family"), "open_weights")}),
        (
            "What it takes and gives",
            {
                "fields": (("input_modalities", "output_modalities"), ("context_tokens", "max_output_tokens")),
            },
        ),
        ("Life", {"fields": (("released_on", "release_precision"), ("deprecated_on", "retired_on"))}),
        ("Review", {"fields": ("needs_review",)}),
        _RECORD,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AIModel]:
        return super().get_queryset(request).annotate(offering_count=Count("offerings", distinct=True))

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return [*super().named_readonly_fields(request, obj), *(["slug"] if obj else [])]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("name",)}

    @display(description="Offerings", ordering="offering_count")
    def offerings(self, model: Any) -> int:
        return int(model.offering_count)


class EventForm(forms.ModelForm):
    """An event; its kind is a free word, so the form says which are in use."""

    affected = LinesField(label="Affected", help_text="Products or models that it touched, one a line.")
    extra_sources = CitationsField(label="Further sources")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_those_in_use(self, "kind", MonetizationEvent)


class MetricForm(forms.ModelForm):
    """A figure's kind and name are free words, so the form says which are in use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_those_in_use(self, "metric", BusinessMetric)


def _name_those_in_use(form: forms.ModelForm, field: str, model: type[MonetizationEvent | BusinessMetric]) -> None:
    """Say which words stand there already, so that one thing keeps one name."""
    words = model._default_manager.order_by(field).values_list(field, flat=True).distinct()[:60]
    if words and field in form.fields:
        form.fields[field].help_text = f"In use: {', '.join(words)}."


@admin.register(MonetizationEvent)
class MonetizationEventAdmin(CuratedAdmin):
    """What companies did about money."""

    form = EventForm
    list_display = ("title", "company", "kind", "announced_on", "effective_on", "precision", "confidence")
    list_filter = ("kind", "confidence", "source_class", ("company", AutocompleteSelectFilter))
    search_fields = ("title", "summary", "key", "company__name", "company__aliases__name")
    list_select_related = ("company",)
    date_hierarchy = "effective_on"
    prepopulated_fields = {"key": ("title",)}
    fieldsets = (
        (None, {"fields": ("company", "title", "key", "kind", "summary")}),
        ("When", {"fields": (("announced_on", "effective_on"), "effective_at", "precision")}),
        ("What it touched", {"fields": ("affected", "cross_model")}),
        _FACT_SOURCE,
        ("Further sources", {"fields": ("extra_sources",)}),
        _RECORD,
    )


@admin.register(BusinessMetric)
class BusinessMetricAdmin(CuratedAdmin):
    """Reported or estimated figures: revenue, users, funding."""

    form = MetricForm
    list_display = ("company", "metric", "value", "currency", "as_of", "precision", "kind", "confidence")
    list_filter = ("metric", "kind", "confidence", ("company", AutocompleteSelectFilter))
    search_fields = ("metric", "scope", "key", "company__name", "company__aliases__name")
    list_select_related = ("company",)
    date_hierarchy = "as_of"
    prepopulated_fields = {"key": ("metric", "as_of")}
    fieldsets = (
        (
            None,
            {"fields": ("company", "metric", "key", ("value", "currency"), ("as_of", "precision"), "kind", "scope")},
        ),
        _FACT_SOURCE,
        _RECORD,
    )
