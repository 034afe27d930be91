"""Reads every setting of an installation from the environment, once, into typed values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from tracker.service_urls import database_from_url, email_from_url, sqlite_database

PROJECT_ROOT = Path(__file__).resolve().parent.parent
# Each variable and what holds when it is unset. One that is set but empty counts as unset.
DEFAULTS: dict[str, str] = {
    "DEBUG": "0",
    "SECRET_KEY": "",
    "SECRET_KEY_FALLBACKS": "",
    "DATA_DIR": "var",
    "HOST": "127.0.0.1",
    "PORT": "8000",
    "SITE_URL": "",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "HTTPS": "0",
    "CSRF_TRUSTED_ORIGINS": "",
    "DATABASE_URL": "",
    "REDIS_URL": "",
    "EMAIL_URL": "console:",
    "EMAIL_FROM": "AI monetization tracker <tracker@localhost>",
    "ADMINS": "",
    "API_REQUIRE_AUTH": "0",
    "API_RATE_LIMIT_ANON": "600/minute",
    "API_RATE_LIMIT_USER": "6000/minute",
    "OUTBOUND_ALLOW_NETS": "",
    "NETWORK_FEEDS": "models-dev,litellm,ecb",
    "PAYLOAD_RETENTION_DAYS": "0",
    "ALERTS_CONCURRENCY": "50",
    "ALERTS_BULK_THRESHOLD": "10",
    "ALERTS_KEEP_DAYS": "90",
    "ALERTS_CHANNELS_PER_USER": "20",
    "TICK_SECONDS": "30",
    "WEB_PROCESSES": "1",
    "WEB_THREADS": "4",
    "WORKER_PROCESSES": "2",
    "LOG_FORMAT": "",
    "LOG_LEVEL": "INFO",
    "DJANGO_SUPERUSER_USERNAME": "admin",
    "DJANGO_SUPERUSER_PASSWORD": "",
    "DJANGO_SUPERUSER_EMAIL": "admin@localhost",
}
FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
PERIOD_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class RateLimit:
    """At most `requests` in every `seconds`; 0 requests means no limit."""

    requests: int
    seconds: int


@dataclass(frozen=True)
class Environment:
    """What the environment says about this installation. `log_format` is empty when it is left to the process."""

    debug: bool
    secret_key: str
    secret_key_fallbacks: list[str]
    data_dir: Path
    host: str
    port: int
    site_url: str
    allowed_hosts: list[str]
    https: bool
    csrf_trusted_origins: list[str]
    database: dict[str, Any]
    redis_url: str
    email: dict[str, Any]
    email_from: str
    admins: list[str]
    api_require_auth: bool
    api_rate_limit_anon: RateLimit
    api_rate_limit_user: RateLimit
    outbound_allow_nets: list[IPv4Network | IPv6Network]
    network_feeds: list[str]
    payload_retention_days: int
    alerts_concurrency: int
    alerts_bulk_threshold: int
    alerts_keep_days: int
    alerts_channels_per_user: int
    tick_seconds: int
    web_processes: int
    web_threads: int
    worker_processes: int
    log_format: str
    log_level: str
    superuser_username: str
    superuser_password: str
    superuser_email: str


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Return the typed settings in `variables` (usually `with_env_file(os.environ)`).

    Raises ImproperlyConfigured, naming the variable, its value and what would be right, at the first bad value.
    """
    read = _Reader(variables)
    data_dir = PROJECT_ROOT / Path(read.text("DATA_DIR")).expanduser()
    database_url = read.text("DATABASE_URL")
    return Environment(
        debug=read.flag("DEBUG"),
        secret_key=read.text("SECRET_KEY"),
        secret_key_fallbacks=read.items("SECRET_KEY_FALLBACKS"),
        data_dir=data_dir,
        host=read.text("HOST"),
        port=read.number("PORT", 1, 65535),
        site_url=read.site_url("SITE_URL"),
        allowed_hosts=read.items("ALLOWED_HOSTS"),
        https=read.flag("HTTPS"),
        csrf_trusted_origins=read.items("CSRF_TRUSTED_ORIGINS"),
        database=database_from_url(database_url) if database_url else sqlite_database(data_dir / "tracker.sqlite3"),
        redis_url=read.redis_url("REDIS_URL"),
        email=email_from_url(read.text("EMAIL_URL")),
        email_from=read.text("EMAIL_FROM"),
        admins=read.addresses("ADMINS"),
        api_require_auth=read.flag("API_REQUIRE_AUTH"),
        api_rate_limit_anon=read.rate("API_RATE_LIMIT_ANON"),
        api_rate_limit_user=read.rate("API_RATE_LIMIT_USER"),
        outbound_allow_nets=read.networks("OUTBOUND_ALLOW_NETS"),
        network_feeds=read.items("NETWORK_FEEDS"),
        payload_retention_days=read.number("PAYLOAD_RETENTION_DAYS", 0, 36500),
        alerts_concurrency=read.number("ALERTS_CONCURRENCY", 1, 1000),
        alerts_bulk_threshold=read.number("ALERTS_BULK_THRESHOLD", 1, 100_000),
        alerts_keep_days=read.number("ALERTS_KEEP_DAYS", 1, 36_500),
        alerts_channels_per_user=read.number("ALERTS_CHANNELS_PER_USER", 1, 100_000),
        tick_seconds=read.number("TICK_SECONDS", 1, 3600),
        web_processes=read.number("WEB_PROCESSES", 1, 64),
        web_threads=read.number("WEB_THREADS", 1, 256),
        worker_processes=read.number("WORKER_PROCESSES", 1, 64),
        log_format=read.choice("LOG_FORMAT", ("", *LOG_FORMATS)),
        log_level=read.choice("LOG_LEVEL", LOG_LEVELS),
        superuser_username=read.text("DJANGO_SUPERUSER_USERNAME"),
        superuser_password=read.text("DJANGO_SUPERUSER_PASSWORD"),
        superuser_email=read.text("DJANGO_SUPERUSER_EMAIL"),
    )


def with_env_file(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` over those of the file `.env` in the project's folder, if there is one.

    `ENV_FILE` names another file, and an empty `ENV_FILE` none. What the real environment sets wins.
    """
    name = variables.get("ENV_FILE", ".env")
    file = PROJECT_ROOT / name
    if not name or not file.is_file():
        return dict(variables)
    return parse_env_file(file.read_text(encoding="utf-8")) | dict(variables)


def parse_env_file(text: str) -> dict[str, str]:
    """Return the variables in `text`: one `NAME=value` a line, `#` comments, values may stand in quotes.

    Raises ImproperlyConfigured with the line's number for a line of another form.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = re.fullmatch(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", stripped)
        if match is None:
            raise ImproperlyConfigured(f"Line {number} of the .env file is not NAME=value.")
        found[match[1]] = _unquoted(match[2])
    return found


def _unquoted(value: str) -> str:
    quoted = re.match(r"""(["'])(.*?)\1\s*(?:#.*)?$""", value)
    return quoted[2] if quoted else re.sub(r"(^|\s+)#.*$", "", value)


class _Reader:
    """Turns single variables into typed values, with errors that name the variable."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str) -> str:
        return self._variables.get(name, "").strip() or DEFAULTS[name]

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value.lower() not in FLAGS:
            raise _refused(name, value, "1 or 0")
        return FLAGS[value.lower()]

    def number(self, name: str, lowest: int, highest: int) -> int:
        value = self.text(name)
        if not re.fullmatch(r"[0-9]{1,9}", value) or not lowest <= int(value) <= highest:
            raise _refused(name, value, f"a whole number from {lowest} to {highest}")
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name)
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        raise _refused(name, value, "one of " + ", ".join(filter(None, choices)))

    def items(self, name: str) -> list[str]:
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def addresses(self, name: str) -> list[str]:
        for item in self.items(name):
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", item):
                raise _refused(name, item, "mail addresses such as operator@example.org, with commas")
        return self.items(name)

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        try:
            return [ip_network(item) for item in self.items(name)]
        except ValueError as error:
            raise _refused(name, self.text(name), f"networks such as 127.0.0.0/8, with commas ({error})") from error

    def rate(self, name: str) -> RateLimit:
        value = self.text(name)
        match = re.fullmatch(r"([0-9]{1,9})(?:/(second|minute|hour|day))?", value)
        if match is None:
            raise _refused(name, value, "0 for no limit, or such as 600/minute (second, minute, hour, day)")
        return RateLimit(requests=int(match[1]), seconds=PERIOD_SECONDS[match[2] or "minute"])

    def site_url(self, name: str) -> str:
        value = self.text(name).rstrip("/")
        if value and not re.fullmatch(r"https?://[A-Za-z0-9.\-_\[\]:]+(/[A-Za-z0-9.\-_~/]*)?", value):
            raise _refused(name, value, "such as https://tracker.example.org, without query or password")
        return value

    def redis_url(self, name: str) -> str:
        value = self.text(name)
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise _refused(
                name, value.partition(":")[0] + ":…", "redis://host:6379/0, rediss://… or unix:///socket?db=0"
            )
        return value


def _refused(name: str, value: str, right: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}; it must be {right}.")
