"""Rows that belong to somebody: a superuser sees all of them, everybody else their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest

from accounts.models import User
from tracker.admin_base import RecordAdmin


class OwnAdmin(RecordAdmin):
    """The admin of rows with an owner, whom only a superuser chooses, once; ``owner_path`` leads to the owner."""

    owner_path = "owner"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(**{self.owner_path: request.user})

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        named = list(super().named_readonly_fields(request, obj))
        owned_here = self.owner_path == "owner"
        return [*named, "owner"] if owned_here and (obj is not None or not request.user.is_superuser) else named

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What somebody makes who may not choose an owner is theirs."""
        if self.owner_path == "owner" and not change and obj.owner_id is None:
            obj.owner = request.user
        super().save_model(request, obj, form, change)


def owner_of(form: Any, request_user: User | None) -> User | None:
    """Whose row a form makes or edits."""
    chosen: User | None = form.cleaned_data.get("owner")
    if chosen is not None:
        return chosen
    return form.instance.owner if form.instance.pk else request_user
