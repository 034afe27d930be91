"""`manage.py create_token`: makes an API token and prints it, and nothing else, so that a script can take it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import ApiToken, User

READER = ["read", "alerts"]
MAINTAINER = ["read", "write", "alerts"]
BAD_INPUT = 2


class Command(BaseCommand):
    """Prints the secret; exit status 2 and one line when the user is unknown or a value cannot be."""

    help = "Make an API token for a user and print it. It is shown this once: only its digest is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--maintainer", action="store_true", help="may also edit the record")
        parser.add_argument("--name", default="command line", help="what uses the token (default: %(default)s)")
        parser.add_argument("--expires-in-days", type=float, metavar="D", help="default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = MAINTAINER if options["maintainer"] else READER
        try:
            _row, secret = ApiToken.issue(
                _user(options["username"]),
                name=options["name"],
                scopes=scopes,
                expires_at=_expiry(options["expires_in_days"]),
            )
        except ValidationError as error:
            reason = "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
            raise CommandError(reason, returncode=BAD_INPUT) from None
        self.stdout.write(secret)


def _user(username: str) -> User:
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise CommandError(
            f"there is no user {username!r}; make one with manage.py createsuperuser or in the admin",
            returncode=BAD_INPUT,
        ) from None


def _expiry(days: float | None) -> datetime | None:
    if days is None:
        return None
    try:
        if days > 0:
            return timezone.now() + timedelta(days=days)
    except OverflowError:
        pass
    raise CommandError(
        f"a token cannot expire in {days:g} days; give a number above 0, such as 90", returncode=BAD_INPUT
    )
