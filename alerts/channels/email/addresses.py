"""What an email address must be, before anybody is asked whether it is theirs."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from alerts.channels.addresses import BadAddress

LONGEST = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
_valid = EmailValidator()


def checked(address: str) -> str:
    """The address, its domain in lower case. Raises BadAddress.

    Plain ASCII without quotes, names or lists: an address that needs no quoting cannot end a header.
    """
    right = "the address must be one plain email address, such as ops@example.org"
    if not (address.isascii() and address.isprintable()) or len(address) > LONGEST or set(address) & set(' "<>,;:()\\'):
        raise BadAddress(right)
    try:
        _valid(address)
    except ValidationError:
        raise BadAddress(right) from None
    name, _, domain = address.rpartition("@")
    return f"{name}@{domain.lower()}"
