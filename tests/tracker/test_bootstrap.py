from __future__ import annotations

import io
import stat
from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.BOOTSTRAP_COMMANDS = []
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path


def bootstrap() -> str:
    said = io.StringIO()
    call_command("bootstrap", stdout=said, stderr=said)
    return said.getvalue()


def test_the_first_start_makes_an_account_and_prints_its_password_once(data_dir) -> None:
    first, second = bootstrap(), bootstrap()

    kept = data_dir / "admin-password.txt"
    password = kept.read_text().strip()
    assert password in first
    assert password not in second
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    admin = get_user_model().objects.get()
    assert admin.is_superuser
    assert admin.check_password(password)


def test_a_password_from_the_environment_is_used_and_neither_printed_nor_kept(settings, data_dir) -> None:
    settings.ENVIRONMENT = replace(
        settings.ENVIRONMENT, superuser_username="ann", superuser_password="correct horse battery"
    )

    said = bootstrap()

    assert get_user_model().objects.get(username="ann").check_password("correct horse battery")
    assert "correct horse" not in said
    assert not (data_dir / "admin-password.txt").exists()


def test_an_existing_superuser_is_left_alone(data_dir) -> None:
    get_user_model().objects.create_superuser("root", "root@example.org", "unchanged-password")

    bootstrap()

    assert get_user_model().objects.get().check_password("unchanged-password")
    assert not (data_dir / "admin-password.txt").exists()


def test_an_ordinary_account_is_not_made_a_superuser_in_passing() -> None:
    get_user_model().objects.create_user("admin", "a@example.org", "some-password")

    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_USERNAME"):
        bootstrap()


def test_the_settings_commands_run_and_one_that_fails_stops_nothing(settings) -> None:
    settings.BOOTSTRAP_COMMANDS = [["tick", "--no-such-option"], ["check"]]

    said = bootstrap()

    assert "Running tick --no-such-option" in said
    assert "failed" in said
    assert said.index("failed") < said.index("Running check")


def test_a_command_that_does_not_exist_is_passed_over(settings) -> None:
    settings.BOOTSTRAP_COMMANDS = [["there_is_no_such_command"]]

    assert "there_is_no_such_command" not in bootstrap()
