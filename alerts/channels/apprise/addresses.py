"""What an Apprise address must be. Apprise itself is asked in a process of its own, which ends at once."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from alerts.channels.addresses import BadAddress
from alerts.channels.apprise.schemas import SCHEMAS
from tracker.api.nearest import nearest

LONGEST = 2000
# Parameters by which an address names a file or another address to read.
_READING_PARAMETERS = frozenset({"template", "keyfile", "subfile", "attach", "attachment"})
_CHECK_SECONDS = 20
_FORM = re.compile(r"(?P<schema>[A-Za-z0-9]{1,20})://(?P<rest>.+)", re.DOTALL)


class UnknownSchema(BadAddress):
    """An address of a kind that is not taken; ``choices`` are the nearest that are."""

    def __init__(self, schema: str) -> None:
        self.choices = nearest(schema, sorted(SCHEMAS)) or ["slack", "discord", "workflows", "tgram"]
        super().__init__(f"{schema}:// is no kind of Apprise address that is taken here")


def checked(address: str) -> str:
    """The address as it is kept. Raises BadAddress."""
    found = _FORM.fullmatch(address)
    if found is None or not address.isprintable() or " " in address or len(address) > LONGEST:
        raise BadAddress(f"an Apprise address is like slack://TokenA/TokenB/TokenC, of up to {LONGEST} characters")
    schema = found["schema"].lower()
    if schema not in SCHEMAS:
        raise UnknownSchema(schema)
    _refuse_reading(address)
    if not _is_understood(address):
        raise BadAddress(f"Apprise cannot read this {schema}:// address; see how it is made at https://appriseit.com")
    return address


def shown(address: str) -> str:
    """The kind alone: all the rest of an Apprise address may be a secret."""
    return f"{address.partition('://')[0].lower()}://…"


def _refuse_reading(address: str) -> None:
    try:
        named = {name.strip(" +-:").lower() for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}
    except ValueError:
        raise BadAddress("the address is malformed; it must be like slack://TokenA/TokenB/TokenC") from None
    if refused := sorted(named & _READING_PARAMETERS):
        raise BadAddress(f"the parameter {refused[0]} would have files read, and is not taken here")


def _is_understood(address: str) -> bool:
    """Whether Apprise makes something of the address. Where it cannot be asked, the channel's test will tell."""
    try:
        asked = subprocess.run(
            [sys.executable, "-m", "alerts.channels.apprise.checking"],
            input=address.encode(),
            cwd=settings.BASE_DIR,
            capture_output=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return asked.returncode != 3
