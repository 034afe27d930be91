"""The pages on which a person rules what is one offering: merge, split, link to a model."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from companies.models import AIModel
from pricing import ledger
from pricing.admin.forms import NoteForm
from pricing.admin.rulings import rule
from pricing.models import Offering, Reference
from tracker.admin_pages import FormPage, posted
from tracker.api.nearest import nearest_in


def _number(label: str, help_text: str, *, required: bool) -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(label=label, help_text=help_text, required=required, min_value=1, widget=widget)


class _IntoForm(NoteForm):
    """A ruling that names another offering by its number."""

    def clean_into(self) -> Offering | None:
        """The offering that has the number."""
        number = self.cleaned_data["into"]
        if number is None:
            return None
        found = Offering.objects.filter(pk=number).first()
        if found is None:
            raise ValidationError(f"there is no offering {number}; its number is in the address of its page")
        return found


class MergeForm(_IntoForm):
    """Into which offering another goes."""

    into = _number("Into offering", "The number of the offering that stays.", required=True)
    across_sellers = forms.BooleanField(
        label="The sellers are one",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Else two sellers stay two.",
    )
    field_order = ("into", "across_sellers", "note", "citation_url")


class SplitForm(_IntoForm):
    """Which references mean another offering."""

    references = forms.ModelMultipleChoiceField(
        Reference.objects.none(), widget=UnfoldAdminCheckboxSelectMultipleWidget(), help_text="Those that mean another."
    )
    into = _number("Onto offering", "The number of an offering; empty makes a new one.", required=False)
    field_order = ("references", "into", "note", "citation_url")

    def __init__(self, *args: Any, offering: Offering, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["references"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = offering.references.select_related("source")


class LinkForm(NoteForm):
    """Which model is behind an offering."""

    model = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget(), help_text="The slug of the AI model; empty: none."
    )
    field_order = ("model", "note", "citation_url")

    def clean_model(self) -> AIModel | None:
        """The model that has the slug."""
        slug = self.cleaned_data["model"].strip()
        found = AIModel.objects.filter(slug=slug).first() if slug else None
        if slug and found is None:
            near = ", ".join(nearest_in(AIModel.objects.all(), "slug", slug)) or "none"
            raise ValidationError(f"there is no model {slug!r}; the nearest are {near}")
        return found


def merge(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Rule that an offering is another one."""
    form = MergeForm(posted(request), initial={"into": request.GET.get("into")})
    page = FormPage(
        about=offering,
        title=f"Merge {offering.name} into another offering",
        form=form,
        submit="Merge it",
        explanation=(
            "All that its references and people said of it speaks for the other from the beginning on, as one "
            "correction. Its own page and its history stay, and lead there. Undoing restores both."
        ),
        is_grave=True,
    )

    def act() -> None:
        said = form.cleaned_data
        ruling = form.ruling(request.user)  # type: ignore[arg-type]
        ledger.merge(offering, said["into"], ruling, across_sellers=said["across_sellers"])

    return rule(admin, request, page, offering, act)


def split(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Rule that some references mean another offering."""
    form = SplitForm(posted(request), offering=offering)
    page = FormPage(
        about=offering,
        title=f"Split {offering.name}",
        form=form,
        submit="Split it",
        explanation="What the chosen references ever said goes with them, as one correction. Undoing brings it back.",
        is_grave=True,
    )

    def act() -> None:
        said = form.cleaned_data
        ruling = form.ruling(request.user)  # type: ignore[arg-type]
        ledger.split(offering, list(said["references"]), ruling, said["into"])

    return rule(admin, request, page, offering, act)


def link(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Rule which model is behind an offering."""
    form = LinkForm(posted(request), initial={"model": request.GET.get("model")})
    page = FormPage(
        about=offering,
        title=f"Link {offering.name} to an AI model",
        form=form,
        submit="Link it",
        explanation="Feeds and id rules leave the link alone from then on.",
    )
    return rule(
        admin,
        request,
        page,
        offering,
        lambda: ledger.link(offering, form.cleaned_data["model"], form.ruling(request.user)),  # type: ignore[arg-type]
    )
