"""Pages of the admin that are neither a list nor a row's form: one question, one form, one act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db import models
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class FormPage:
    """What a page asks about a row, to whose page it leads back.

    ``fieldsets`` are (title, names); without any, all fields stand under no title. ``consequences``
    are what else would happen, under a sentence that says so.
    """

    about: models.Model
    title: str
    form: Form
    submit: str
    explanation: str = ""
    fieldsets: Sequence[tuple[str, Sequence[str]]] = ()
    is_grave: bool = False
    consequences_title: str = ""
    consequences: Sequence[str] = ()

    @property
    def back(self) -> str:
        """Where one goes when it is done, or not."""
        return change_url(self.about)

    def groups(self) -> list[tuple[str, list[Any]]]:
        """The bound fields, group by group."""
        fieldsets = self.fieldsets or [("", list(self.form.fields))]
        return [(title, [self.form[name] for name in names]) for title, names in fieldsets]


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, also where the form has no fields and nothing was filled in; None for a first look."""
    return request.POST if request.method == "POST" else None


def change_url(row: models.Model) -> str:
    """The address of a row's page in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[models.Model], **filters: object) -> str:
    """The address of a model's list in the admin, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def answer(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    page: FormPage,
    act: Callable[[Mapping[str, Any]], str],
    refusals: type[Exception] | tuple[type[Exception], ...],
) -> HttpResponse:
    """Show a form page, or do what a valid form asks and go back with what was done.

    ``act`` gets the cleaned form and returns the message. What it refuses by raising one of
    ``refusals`` is shown on the form, and nothing was done.
    """
    if request.method == "POST" and page.form.is_valid():
        try:
            done = act(page.form.cleaned_data)
        except refusals as refusal:
            page.form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return HttpResponseRedirect(page.back)
    return show(
        admin,
        request,
        "tracker/admin/form_page.html",
        title=page.title,
        page=page,
        media=page.form.media,
        original=page.about,
    )


def show(admin: ModelAdmin[Any], request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Render a template in the admin's frame."""
    frame = {**admin.admin_site.each_context(request), "opts": admin.model._meta, "media": admin.media, **context}
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, template, frame)
