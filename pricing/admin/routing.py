"""The pages on which a person reroutes an id, puts that off or takes it back, and what an offering tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from companies.models import AIModel
from pricing import ledger
from pricing.admin.forms import NoteForm
from pricing.admin.rulings import rule
from pricing.models import Alias, Offering, RouteStatement, Source
from tracker.admin_fields import UtcDateTimeFormField
from tracker.admin_pages import FormPage, posted
from tracker.moments import beginning, utc

ROUTES_SHOWN = 40


class _DatedRouteForm(NoteForm):
    """When a route begins and ends, and why."""

    at = UtcDateTimeFormField(
        label="From",
        required=False,
        help_text="In UTC; a day alone is its first moment. Empty: now. A moment ahead announces it.",
    )
    until = UtcDateTimeFormField(label="Until", required=False, help_text="The first moment without it. Empty: open.")

    def precision(self) -> str:
        """The moment if a time is given, else the day."""
        is_day = self.cleaned_data["at"] is not None and not self.data.get(self.add_prefix("at_1"))
        return "day" if is_day else "exact"


class RerouteForm(_DatedRouteForm):
    """Where an id leads, from when on, and where that can be read."""

    target_offering = forms.ModelChoiceField(
        queryset=Offering.objects.all(),
        required=False,
        label="To an offering",
        help_text="Another of the same seller's, found by any id or name.",
    )
    target_model = forms.ModelChoiceField(
        queryset=AIModel.objects.all(),
        required=False,
        label="or to an AI model",
        help_text="Where the seller says which model answers, whatever it sells of it.",
    )
    replaces_later = forms.BooleanField(
        required=False, label="Drop what is said for later", help_text="Else it takes over at its moment."
    )

    field_order = ("target_offering", "target_model", "at", "until", "replaces_later", "note", "citation_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("target_offering", "target_model"):
            field, asked = RouteStatement._meta.get_field(name), self.fields[name]
            assert isinstance(asked, forms.ModelChoiceField)
            asked.widget = AutocompleteSelect(field, admin.site)
            asked.widget.choices = asked.choices

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if bool(said.get("target_offering")) == bool(said.get("target_model")):
            raise forms.ValidationError("choose either an offering or an AI model to route to")
        return said


class RescheduleForm(_DatedRouteForm):
    """Another moment for a route."""

    at = UtcDateTimeFormField(label="From", help_text="In UTC; a day alone is its first moment.")
    until = UtcDateTimeFormField(
        label="Until", required=False, help_text="The first moment without it. Empty: as it was to end."
    )
    field_order = ("at", "until", "note", "citation_url")


def reroute(of: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Route an id elsewhere, or announce it."""
    form = RerouteForm(posted(request))
    page = FormPage(
        about=offering,
        title=f"Reroute {offering.name}",
        form=form,
        submit="Reroute it",
        explanation="The id's own price comes first while one is in force; else calls cost what the target costs.",
    )

    def act() -> None:
        said = form.cleaned_data
        ledger.reroute(
            offering,
            said["target_offering"] or said["target_model"],
            form.ruling(request.user),  # type: ignore[arg-type]
            at=said["at"],
            until=said["until"],
            precision=form.precision(),
            replaces_later=said["replaces_later"],
        )

    return rule(of, request, page, offering, act)


def reschedule(of: ModelAdmin[Any], request: HttpRequest, statement: RouteStatement) -> HttpResponse:
    """Put off, or bring forward, what an editor said of a route."""
    form = RescheduleForm(posted(request))
    page = FormPage(
        about=statement.offering,
        title=f"Reschedule: {statement}",
        form=form,
        submit="Reschedule it",
        explanation="What is to come is announced for the new moment; what has begun is corrected.",
    )

    def act() -> None:
        said = form.cleaned_data
        ledger.reschedule_route(
            statement,
            form.ruling(request.user),  # type: ignore[arg-type]
            at=said["at"],
            until=said["until"],
            precision=form.precision(),
        )

    return rule(of, request, page, statement.offering, act)


def take_back(of: ModelAdmin[Any], request: HttpRequest, statement: RouteStatement) -> HttpResponse:
    """Take back what an editor said of a route."""
    form = NoteForm(posted(request))
    page = FormPage(
        about=statement.offering,
        title=f"Take back: {statement}",
        form=form,
        submit="Take it back",
        explanation="What was to come is retracted, any other is corrected. The statement stays on record.",
        is_grave=True,
    )
    return rule(
        of,
        request,
        page,
        statement.offering,
        lambda: ledger.retire_route(statement, form.ruling(request.user)),  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One row of where an id leads: ``state`` is ``in force``, ``to come``, ``past`` or ``no longer believed``."""

    alias: Alias
    state: str
    since: str
    until: str

    @property
    def target(self) -> Offering | AIModel:
        """Where the id leads."""
        found = self.alias.target_offering or self.alias.target_model
        assert found is not None
        return found

    @property
    def look(self) -> str:
        """How the row is drawn."""
        return {"past": "is-past", "no longer believed": "is-disbelieved"}.get(self.state, "")


def routes_of(offering: Offering, now: datetime) -> list[RouteRow]:
    """Where an id leads, will lead and was ever believed to lead; the latest beginning first."""
    rows = offering.aliases.select_related("target_offering__seller", "target_model", "source", "statement__author")
    return [_row(alias, now) for alias in rows.order_by("-effective_from", "-known_from")[:ROUTES_SHOWN]]


def routes_stated(offering: Offering) -> QuerySet[RouteStatement]:
    """What editors say of an id's route and have not taken back."""
    stated = offering.route_statements.filter(source__kind=Source.Kind.EDITOR, ended_at__isnull=True)
    return stated.select_related("author", "target_offering__seller", "target_model").order_by("-pk")


def _row(alias: Alias, now: datetime) -> RouteRow:
    since = beginning(alias.effective_from, alias.precision, alias.observed_after) if alias.effective_from else ""
    return RouteRow(alias, _state(alias, now), since, utc(alias.effective_until))


def _state(alias: Alias, now: datetime) -> str:
    if alias.known_until is not None:
        return "no longer believed"
    if alias.effective_from is not None and alias.effective_from > now:
        return "to come"
    return "in force" if alias.effective_until is None or now < alias.effective_until else "past"
