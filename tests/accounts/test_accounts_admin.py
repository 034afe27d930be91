"""Tokens are shown once and revoked; powers are handed out by superusers alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User, token_digest

TOKEN_FORM = {"name": "notebook", "scopes": ["read", "write"]}


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", "a long enough passphrase")


@pytest.fixture
def staff(db: None) -> User:
    """Somebody who may manage users and tokens, and is no superuser."""
    user = User.objects.create_user("sam", password="a long enough passphrase", is_staff=True)
    codes = [f"{verb}_{model}" for verb in ("view", "add", "change") for model in ("user", "apitoken")]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user


def add_token(client: Client, user: User) -> str:
    answer = client.post(reverse("admin:accounts_apitoken_add"), {"user": user.pk, **TOKEN_FORM})
    return answer.content.decode()


def test_the_secret_is_on_the_page_once_and_in_no_cookie(client: Client, root: User) -> None:
    client.force_login(root)
    answer = client.post(reverse("admin:accounts_apitoken_add"), {"user": root.pk, **TOKEN_FORM})
    found = re.search(r'id="secret">(amt_[\w-]+)<', answer.content.decode())
    assert found is not None
    token = ApiToken.objects.get(user=root)
    assert token.digest == token_digest(found[1])
    assert token.scopes == ["read", "write"]
    assert "no-store" in answer["Cache-Control"]
    assert not any(found[1] in cookie.value for cookie in client.cookies.values())
    for page in ("changelist",), ("change", token.pk), ("history", token.pk):
        seen = client.get(reverse(f"admin:accounts_apitoken_{page[0]}", args=page[1:])).content.decode()
        assert found[1] not in seen
        assert token.digest not in seen


def test_a_revoked_token_opens_nothing(client: Client, root: User) -> None:
    client.force_login(root)
    add_token(client, root)
    token = ApiToken.objects.get()
    assert client.get(reverse("admin:accounts_apitoken_revoke", args=[token.pk])).status_code == 200
    token.refresh_from_db()
    assert token.is_valid_at(timezone.now())
    client.post(reverse("admin:accounts_apitoken_revoke", args=[token.pk]))
    token.refresh_from_db()
    assert not token.is_valid_at(timezone.now())


def test_chosen_tokens_are_revoked_from_the_list(client: Client, root: User) -> None:
    client.force_login(root)
    add_token(client, root)
    chosen = {"action": "revoke_chosen", "_selected_action": [ApiToken.objects.get().pk]}
    client.post(reverse("admin:accounts_apitoken_changelist"), chosen)
    assert ApiToken.objects.get().revoked_at is not None


def test_what_a_token_opens_is_not_widened_later(client: Client, root: User) -> None:
    client.force_login(root)
    row, _ = ApiToken.issue(root, name="old", scopes=["read"], expires_at=timezone.now() + timedelta(days=1))
    page = reverse("admin:accounts_apitoken_change", args=[row.pk])
    client.post(page, {"name": "new", "scopes": ["read", "write"], "expires_at_0": "", "expires_at_1": ""})
    row.refresh_from_db()
    assert (row.name, row.scopes) == ("new", ["read"])


def test_others_see_and_make_only_their_own_tokens(client: Client, root: User, staff: User) -> None:
    ApiToken.issue(root, name="of the root", scopes=["read"])
    client.force_login(staff)
    assert "of the root" not in client.get(reverse("admin:accounts_apitoken_changelist")).content.decode()
    assert "Select a valid choice" in add_token(client, root)
    assert 'id="secret"' in add_token(client, staff)
    assert set(ApiToken.objects.values_list("user__username", flat=True)) == {"root", "sam"}


def test_only_superusers_hand_out_powers(client: Client, root: User, staff: User) -> None:
    client.force_login(staff)
    own = reverse("admin:accounts_user_change", args=[staff.pk])
    client.post(own, {"username": "sam", "time_zone": "Europe/Berlin", "is_active": "on", "is_superuser": "on"})
    staff.refresh_from_db()
    assert (staff.time_zone, staff.is_superuser) == ("Europe/Berlin", False)
    roots = reverse("admin:accounts_user_change", args=[root.pk])
    assert client.post(roots, {"username": "root2"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(password, {"password1": "x", "password2": "x"}).status_code == 403


def test_a_user_is_added_with_a_password(client: Client, root: User) -> None:
    client.force_login(root)
    secret = "another long passphrase"
    form = {"username": "uma", "usable_password": "true", "password1": secret, "password2": secret}
    assert client.post(reverse("admin:accounts_user_add"), form).status_code == 302
    assert User.objects.get(username="uma").check_password(secret)


def _powerful(granted: str) -> User:
    """Somebody who may do what ``staff`` may not, given directly, through a group, or while not active."""
    user = User.objects.create_user("petra", password="her own passphrase", is_staff=True)
    permission = Permission.objects.get(codename="add_decision")
    if granted == "through a group":
        group = Group.objects.create(name="rulers")
        group.permissions.add(permission)
        user.groups.add(group)
    else:
        user.user_permissions.add(permission)
    User.objects.filter(pk=user.pk).update(is_active=granted != "while not active")
    return user


def _set_password(client: Client, user: User) -> int:
    secret = "a passphrase of my choosing"
    form = {"usable_password": "true", "password1": secret, "password2": secret, "set-password": "1"}
    return client.post(reverse("admin:auth_user_password_change", args=[user.pk]), form).status_code


@pytest.mark.parametrize("granted", ["directly", "through a group", "while not active"])
def test_one_who_may_more_is_neither_edited_nor_given_a_password(client: Client, staff: User, granted: str) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="delete_user"))
    petra = _powerful(granted)
    client.force_login(staff)
    assert _set_password(client, petra) == 403
    assert client.get(reverse("admin:auth_user_password_change", args=[petra.pk])).status_code == 403
    edit = {"username": "petra2", "time_zone": "UTC", "is_active": "on"}
    assert client.post(reverse("admin:accounts_user_change", args=[petra.pk]), edit).status_code == 403
    assert client.post(reverse("admin:accounts_user_delete", args=[petra.pk]), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [petra.pk], "post": "yes"}
    client.post(reverse("admin:accounts_user_changelist"), chosen)
    petra.refresh_from_db()
    assert petra.username == "petra"
    assert petra.check_password("her own passphrase")


def test_one_who_may_no_more_than_the_editor_is_edited(client: Client, staff: User) -> None:
    reader = User.objects.create_user("rita", password="her own passphrase", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(staff)
    assert _set_password(client, reader) == 302
    reader.refresh_from_db()
    assert reader.check_password("a passphrase of my choosing")


def test_a_superuser_edits_everybody(client: Client, root: User) -> None:
    client.force_login(root)
    petra = _powerful("directly")
    assert _set_password(client, petra) == 302
