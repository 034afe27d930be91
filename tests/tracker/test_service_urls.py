from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tracker.service_urls import celery_broker_url, database_from_url, email_from_url, filesystem_broker


def test_a_postgresql_url_is_taken_apart() -> None:
    database = database_from_url("postgresql://ann:p%40ss%2Fword@db.example.org:5433/tracker?sslmode=require")

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("ann", "p@ss/word")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.org", "5433", "tracker")
    assert database["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://postgres@%2Ftmp%2FSome%20Folder/postgres", "/tmp/Some Folder"),
        ("postgresql:///tracker?host=/run/PostgreSQL", "/run/PostgreSQL"),
        ("postgres://[fd00::1]:5432/tracker", "fd00::1"),
        ("postgresql:///tracker", ""),
    ],
)
def test_a_host_may_be_a_socket_folder_an_address_or_left_out(url: str, host: str) -> None:
    assert database_from_url(url)["HOST"] == host


def test_connecting_to_postgresql_gives_up_soon_unless_the_url_says_when() -> None:
    assert database_from_url("postgresql://h/d")["OPTIONS"]["connect_timeout"] == "3"
    assert database_from_url("postgresql://h/d?connect_timeout=9")["OPTIONS"]["connect_timeout"] == "9"


def test_an_sqlite_url_names_its_file() -> None:
    database = database_from_url("sqlite:////folder/Record.sqlite3")

    assert database["NAME"] == "/folder/Record.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "tracker.sqlite3", "postgresql://h", "postgresql://h:port/d", "sqlite:///"]
)
def test_another_database_url_is_refused_with_what_would_be_right(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_from_url(url)


def test_celery_has_its_own_name_for_a_socket() -> None:
    assert celery_broker_url("unix:///run/redis.sock?db=3") == "redis+socket:///run/redis.sock?virtual_host=3"
    assert celery_broker_url("redis://h:6379/1") == "redis://h:6379/1"


def test_the_folders_of_the_embedded_broker_are_made(tmp_path: Path) -> None:
    options = filesystem_broker(tmp_path / "broker")

    assert all(Path(folder).is_dir() for folder in options.values())
    assert options["control_folder"] != options["data_folder_in"] == options["data_folder_out"]


def test_mail_urls_choose_encryption_and_its_usual_port() -> None:
    plain = email_from_url("smtp://mail.example.org")
    upgraded = email_from_url("smtp+tls://user:p%3Aw@mail.example.org")
    encrypted = email_from_url("smtps://mail.example.org:4650")

    assert (plain["EMAIL_PORT"], plain["EMAIL_USE_TLS"], plain["EMAIL_USE_SSL"]) == (25, False, False)
    assert (upgraded["EMAIL_PORT"], upgraded["EMAIL_USE_TLS"], upgraded["EMAIL_HOST_PASSWORD"]) == (587, True, "p:w")
    assert (encrypted["EMAIL_PORT"], encrypted["EMAIL_USE_SSL"]) == (4650, True)


def test_mail_may_go_to_the_log_or_a_folder() -> None:
    assert email_from_url("console:")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    assert email_from_url("file:///var/mail")["EMAIL_FILE_PATH"] == "/var/mail"
