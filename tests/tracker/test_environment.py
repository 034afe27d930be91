from __future__ import annotations

import ast
import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tracker import environment
from tracker.environment import PROJECT_ROOT, RateLimit, parse_env_file, read_environment, with_env_file


def test_an_empty_environment_gives_the_embedded_installation() -> None:
    read = read_environment({})

    assert read.data_dir == PROJECT_ROOT / "var"
    assert read.database["ENGINE"] == "django.db.backends.sqlite3"
    assert read.redis_url == ""
    assert (read.host, read.port) == ("127.0.0.1", 8000)
    assert read.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert not read.debug
    assert not read.https


def test_a_variable_set_to_nothing_counts_as_unset() -> None:
    assert read_environment({"PORT": "", "DATABASE_URL": " ", "EMAIL_URL": ""}) == read_environment({})


def test_an_absolute_data_folder_stays_where_it_is(tmp_path: Path) -> None:
    assert read_environment({"DATA_DIR": str(tmp_path)}).data_dir == tmp_path


def test_values_get_their_types() -> None:
    read = read_environment(
        {
            "PORT": "8080",
            "HTTPS": "yes",
            "ALLOWED_HOSTS": "a.example, b.example",
            "OUTBOUND_ALLOW_NETS": "127.0.0.0/8, fd00::/8",
            "API_RATE_LIMIT_ANON": "30/hour",
            "API_RATE_LIMIT_USER": "0",
            "LOG_LEVEL": "warning",
        }
    )

    assert read.port == 8080
    assert read.https
    assert read.allowed_hosts == ["a.example", "b.example"]
    assert read.outbound_allow_nets == [ip_network("127.0.0.0/8"), ip_network("fd00::/8")]
    assert read.api_rate_limit_anon == RateLimit(30, 3600)
    assert read.api_rate_limit_user.requests == 0
    assert read.log_level == "WARNING"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "80000"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("TICK_SECONDS", "0"),
        ("DEBUG", "perhaps"),
        ("OUTBOUND_ALLOW_NETS", "127.0.0.1/8"),
        ("API_RATE_LIMIT_ANON", "many"),
        ("API_RATE_LIMIT_USER", "5/fortnight"),
        ("LOG_FORMAT", "xml"),
        ("REDIS_URL", "amqp://localhost"),
        ("EMAIL_URL", "pigeon://roof"),
        ("DATABASE_URL", "mysql://localhost/tracker"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        read_environment({name: value})


def test_a_refused_redis_url_does_not_show_its_password() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_environment({"REDIS_URL": "http://user:hunter2@localhost"})

    assert "hunter2" not in str(refusal.value)


def test_an_env_file_has_comments_quotes_and_exports() -> None:
    text = """
# a comment
PORT=9000   # said after a value
export HOST = "0.0.0.0"
EMAIL_FROM='AI # tracker <a@b.example>'
SECRET_KEY=with#hash
EMPTY=
"""

    assert parse_env_file(text) == {
        "PORT": "9000",
        "HOST": "0.0.0.0",
        "EMAIL_FROM": "AI # tracker <a@b.example>",
        "SECRET_KEY": "with#hash",
        "EMPTY": "",
    }


def test_a_bad_line_of_an_env_file_is_named_by_its_number() -> None:
    with pytest.raises(ImproperlyConfigured, match="Line 2"):
        parse_env_file("PORT=9000\nnot a setting\n")


def test_the_real_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("PORT=9000\nHOST=0.0.0.0\n")

    merged = with_env_file({"ENV_FILE": str(file), "PORT": "9001"})

    assert (merged["PORT"], merged["HOST"]) == ("9001", "0.0.0.0")


def test_an_empty_env_file_name_reads_none() -> None:
    assert with_env_file({"ENV_FILE": ""}) == {"ENV_FILE": ""}


def test_the_example_names_every_variable_and_no_other() -> None:
    named = re.findall(r"^# ?([A-Z_]+)=", (PROJECT_ROOT / ".env.example").read_text(), flags=re.MULTILINE)

    assert sorted(named) == sorted(environment.DEFAULTS)


def test_the_example_shows_the_values_that_hold_when_nothing_is_set() -> None:
    uncommented = re.sub(r"^# ?(?=[A-Z_]+=)", "", (PROJECT_ROOT / ".env.example").read_text(), flags=re.MULTILINE)

    assert read_environment(parse_env_file(uncommented)) == read_environment({})


def test_every_default_is_read() -> None:
    asked: set[str] = set()

    class Listening(dict[str, str]):
        def get(self, name: str, default: object = None) -> str:  # type: ignore[override]
            asked.add(name)
            return ""

    read_environment(Listening())

    assert asked == set(environment.DEFAULTS)


def test_only_the_settings_read_the_environment() -> None:
    apps = ("tracker", "accounts", "companies", "pricing", "feeds", "alerts", "web")
    readers = {
        str(file.relative_to(PROJECT_ROOT))
        for app in apps
        for file in (PROJECT_ROOT / app).rglob("*.py")
        if _reads_the_environment(file)
    }

    assert readers == {"tracker/settings.py"}


def _reads_the_environment(file: Path) -> bool:
    """Whether the module looks at os.environ, other than to name the settings module as every entry point does."""
    tree = ast.parse(file.read_text())
    naming = {
        id(call.func.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "setdefault"
    }
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and id(node) not in naming
        for node in ast.walk(tree)
    )
