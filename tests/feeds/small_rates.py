"""Documents in the European Central Bank's shape, with the days and rates that a test wants."""

from __future__ import annotations

from collections.abc import Mapping

_OPENING = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" \
xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
\t<Cube>"""
_CLOSING = "</Cube></gesmes:Envelope>\n"


def rate(currency: str, units: str) -> str:
    """The element of one rate."""
    return f"<Cube currency='{currency}' rate='{units}'/>"


def envelope(content: str) -> bytes:
    """A document with this in its outer cube."""
    return f"{_OPENING}{content}{_CLOSING}".encode()


def publication(days: Mapping[str, Mapping[str, str]]) -> bytes:
    """A document of some days, each with its rates: units of a currency for one euro."""
    return envelope(
        "".join(
            f"<Cube time='{day}'>{''.join(rate(*each) for each in rates.items())}</Cube>" for day, rates in days.items()
        )
    )
