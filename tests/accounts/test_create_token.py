"""`manage.py create_token` prints the token and nothing else."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import ApiToken, User, token_digest

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password="a long enough passphrase")


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_the_token_and_nothing_else(ada: User) -> None:
    output = printed("ada")
    token = ApiToken.objects.get(user=ada)
    assert output.endswith("\n") and len(output.split()) == 1
    assert token_digest(output.strip()) == token.digest


def test_a_reader_may_read_and_manage_alerts(ada: User) -> None:
    printed("ada")
    token = ApiToken.objects.get(user=ada)
    assert (token.scopes, token.expires_at) == (["read", "alerts"], None)


def test_a_maintainer_may_write_too(ada: User) -> None:
    printed("ada", "--maintainer", "--name", "importer")
    token = ApiToken.objects.get(user=ada)
    assert (token.scopes, token.name) == (["read", "write", "alerts"], "importer")


def test_a_token_can_expire(ada: User) -> None:
    printed("ada", "--expires-in-days", "30")
    expires = ApiToken.objects.get(user=ada).expires_at
    assert expires is not None
    assert abs(expires - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nobody"], "there is no user 'nobody'"),
        (["ada", "--expires-in-days", "0"], "cannot expire in 0 days"),
        (["ada", "--expires-in-days", "-3"], "cannot expire in -3 days"),
        (["ada", "--expires-in-days", "1e12"], "cannot expire in"),
        (["ada", "--name", "x" * 101], "name: "),
        (["ada", "--name", ""], "name: "),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_status_two(ada: User, arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError) as caught:
        printed(*arguments)
    assert caught.value.returncode == 2
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not ApiToken.objects.exists()
