"""The admin of users, groups and API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.models import SCOPES, ApiToken, User
from tracker.admin_base import RecordAdmin, no_store
from tracker.admin_pages import FormPage, answer, posted, show

_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, RecordAdmin):  # type: ignore[misc]
    """Who signs in. Only a superuser hands out powers."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "time_zone", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("username", "email", "first_name", "last_name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "email_verified_at", "time_zone")}),
        ("May", {"fields": ("is_active", *_POWERS)}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        powers = () if request.user.is_superuser else _POWERS
        return [*super().named_readonly_fields(request, obj), *powers]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits one who may do more: whoever sets its password could sign in as it."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or not _may_more(obj, request.user))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not _may_more(obj, request.user))


def _may_more(user: User, than: Any) -> bool:
    """Whether a user has powers that another lacks."""
    if than.is_superuser:
        return False
    return user.is_superuser or not _granted(user) <= than.get_all_permissions()


def _granted(user: User) -> set[str]:
    """What a user may do once active: Django answers nothing for one who is not, whom an editor could activate."""
    granted = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return {f"{app}.{code}" for app, code in granted.values_list("content_type__app_label", "codename")}


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, RecordAdmin):  # type: ignore[misc]
    """What a group of people may do. Superusers alone change it, since a member could widen it."""

    list_display = ("name",)
    search_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class ApiTokenForm(forms.ModelForm):
    """A token's name, what it opens, and for how long."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=["read", "alerts"],
        help_text="What the token opens; never more than its user may do.",
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(RecordAdmin):
    """Secrets for programs. The secret is shown once, when it is made; after that only its first characters."""

    form = ApiTokenForm
    list_display = ("name", "shown_hint", "user", "shown_scopes", "state", "last_used_at", "expires_at", "created_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), ("last_used_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "hint", "user__username", "user__email")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    actions = ("revoke_chosen",)
    actions_detail = ("revoke",)
    add_fieldsets = ((None, {"fields": ("user", "name", "scopes", "expires_at")}),)
    fieldsets = (
        (None, {"fields": ("user", "name", "shown_hint", "shown_scopes", "expires_at")}),
        ("Use", {"fields": ("state", "created_at", "last_used_at", "revoked_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """A superuser sees all tokens, others their own."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(user=request.user)

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        if obj is None:
            return []
        return ["user", "shown_hint", "shown_scopes", "state", "created_at", "last_used_at", "revoked_at"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            form.base_fields.pop("scopes", None)
        elif not request.user.is_superuser:
            form.base_fields["user"].queryset = User.objects.filter(username=request.user.get_username())
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: ApiToken, form: forms.ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if not request.user.is_superuser and obj.user_id != request.user.pk:
            raise PermissionDenied
        row, secret = ApiToken.issue(obj.user, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at)
        obj.__dict__.update(row.__dict__)
        obj.issued_secret = secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret, this once: it is on the page only, neither in a cookie nor in the session."""
        told = {"token": obj, "secret": obj.issued_secret, "opens": [SCOPES[scope] for scope in obj.scopes]}  # type: ignore[attr-defined]
        return no_store(show(self, request, "accounts/admin/token_issued.html", title="New API token", **told))

    @display(description="Begins with")
    def shown_hint(self, token: ApiToken) -> str:
        return f"{token.hint}…"

    @display(description="Opens")
    def shown_scopes(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @display(description="State", label={"valid": "success", "revoked": "danger", "expired": "warning"})
    def state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        return "valid" if token.is_valid_at(timezone.now()) else "expired"

    @admin.action(description="Revoke the chosen tokens", permissions=["change"])
    def revoke_chosen(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        count = rows.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} tokens revoked; they open nothing any more.")

    @action(description="Revoke", url_path="revoke", permissions=["change"], icon="block")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        token = self.get_object(request, object_id)
        if token is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)

        def act(_cleaned: Any) -> str:
            ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
            return f"{token} is revoked; it opens nothing any more."

        page = FormPage(
            about=token,
            title=f"Revoke {token}",
            form=forms.Form(posted(request)),
            submit="Revoke",
            explanation="Programs that send this token are refused from now on. This cannot be taken back.",
            is_grave=True,
        )
        return answer(self, request, page, act, refusals=())
