"""The project's settings for tests: a data folder of their own, no `.env` file, nothing shared between processes.

pytest-django loads the settings before any conftest.py, so the environment has to be made here.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit, urlunsplit

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def _fresh_data_dir() -> str:
    folder = tempfile.mkdtemp(prefix="tracker-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _own_redis_database(url: str) -> str:
    """Return `url` with a database of this process's own, so that parallel tests do not take each other's messages."""
    parts = urlsplit(url)
    number = int(_WORKER.removeprefix("gw") or 0)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"  # urlunsplit would leave out the empty host
    first = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{first + number}"))


os.environ |= {
    "ENV_FILE": "",
    "DATA_DIR": _fresh_data_dir(),
    "SECRET_KEY": "only-for-tests-" + "0123456789" * 5,
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
    "DEBUG": "0",
    "HTTPS": "0",
    "LOG_FORMAT": "text",
    "API_RATE_LIMIT_ANON": "0",
    "API_RATE_LIMIT_USER": "0",
}
if os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = _own_redis_database(os.environ["REDIS_URL"])

from tracker import settings as _settings  # noqa: E402 - it reads the environment made above

globals().update({name: getattr(_settings, name) for name in dir(_settings) if name.isupper()})

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
