"""Tokens are shown once and revoked; powers are handed out by superusers alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
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
