"""Keeps generated secrets in the data folder, each in a file that only its owner reads."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def kept_secret(file: Path, length: int = 50) -> str:
    """Return the secret kept in `file`; on first use, generate one of `length` characters and keep it.

    Processes that start at the same moment agree: the file appears whole, and whoever comes second reads it.
    """
    if not file.exists():
        _keep_first(file, secrets.token_urlsafe(length)[:length])
    return file.read_text(encoding="ascii").strip()


def _keep_first(file: Path, secret: str) -> None:
    """Write `secret` to `file` with mode 0600, unless another process was there first."""
    handle, draft = tempfile.mkstemp(dir=file.parent)  # mkstemp's own mode is 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(secret + "\n")
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)  # noqa: PTH108 - the same call family as mkstemp and link
