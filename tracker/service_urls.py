"""Turns the URLs that name services (database, broker, mail) into the settings that Django and Celery want."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DATABASE_FORMS = "postgresql://user:password@host:5432/name, postgresql://user@%2Fsocket%2Ffolder/name, sqlite:////file"
EMAIL_FORMS = "smtp://user:password@host:25, smtp+tls://host:587, smtps://host:465, console: or file:///folder"

# WAL lets readers go on beside the one writer; NORMAL is safe with WAL against everything but a power cut, and then
# loses only the last transactions, never the file's integrity.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-6000"
SQLITE_BUSY_SECONDS = 30


def sqlite_database(file: Path) -> dict[str, Any]:
    """Return Django's settings for the SQLite database in `file`, fit for several processes at once.

    Writers take the lock when their transaction begins (`IMMEDIATE`): one that takes it at its first write fails at
    once, without waiting, when another has written since its first read.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_BUSY_SECONDS,
            "init_command": SQLITE_PRAGMAS,
        },
        # Tests with several threads need the locks of a real file; a database in memory has others.
        "TEST": {"NAME": str(file.with_name("test.sqlite3"))},
    }


def database_from_url(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at `url`.

    Raises ImproperlyConfigured, naming the forms that are right, for a scheme that is not supported, a port that is
    no number, or a URL without a database name.
    """
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgresql_database(parts)
    if parts.scheme == "sqlite":
        return sqlite_database(Path(_database_name(parts)))
    raise ImproperlyConfigured(f"DATABASE_URL has the scheme {parts.scheme!r}; what works: {DATABASE_FORMS}.")


def _postgresql_database(parts: SplitResult) -> dict[str, Any]:
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or _host(parts)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database_name(parts),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": _port(parts, "DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "3", **options},
    }


def _host(parts: SplitResult) -> str:
    """Return the host as written: urlsplit's own `hostname` is lowercased, which breaks the path of a socket."""
    address = parts.netloc.rpartition("@")[2]
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return unquote(address.partition(":")[0])


def _port(parts: SplitResult, variable: str) -> str:
    try:
        return str(parts.port or "")
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} has a port that is no number from 0 to 65535.") from error


def _database_name(parts: SplitResult) -> str:
    name = unquote(parts.path.removeprefix("/"))
    if not name:
        raise ImproperlyConfigured(f"DATABASE_URL names no database; what works: {DATABASE_FORMS}.")
    return name


def celery_broker_url(redis_url: str) -> str:
    """Return `redis_url` as Celery writes it, which has another scheme for Redis behind a Unix socket."""
    if not redis_url.startswith("unix://"):
        return redis_url
    parts = urlsplit(redis_url)
    database = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={database}"


def filesystem_broker(folder: Path) -> dict[str, Any]:
    """Return Celery's transport options for a broker in `folder`, and make the folders: kombu does not."""
    messages, control = folder / "messages", folder / "control"
    for made in (messages, control):
        made.mkdir(parents=True, exist_ok=True)
    return {"data_folder_in": str(messages), "data_folder_out": str(messages), "control_folder": str(control)}


def email_from_url(url: str) -> dict[str, Any]:
    """Return Django's EMAIL_* settings for the mail service at `url`, by setting name.

    Raises ImproperlyConfigured, naming the forms that are right, for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file" and parts.path:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme in ("smtp", "smtp+tls", "smtps") and parts.hostname:
        return _smtp_settings(parts)
    raise ImproperlyConfigured(f"EMAIL_URL has the form {parts.scheme}:…; what works: {EMAIL_FORMS}.")


def _smtp_settings(parts: SplitResult) -> dict[str, Any]:
    usual_port = {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme]
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": _host(parts),
        "EMAIL_PORT": int(_port(parts, "EMAIL_URL") or usual_port),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }
