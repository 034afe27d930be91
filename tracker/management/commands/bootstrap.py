"""`manage.py bootstrap`: brings the data folder to where the site can start; safe to run again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from tracker.kept_secrets import kept_secret

logger = logging.getLogger(__name__)
PASSWORD_FILE = "admin-password.txt"  # noqa: S105 - a file's name
PASSWORD_LENGTH = 20


class Command(BaseCommand):
    """Migrates, makes the first account, and runs `settings.BOOTSTRAP_COMMANDS`."""

    help = "Prepare the database, the first account and the first record. Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        with self._step("Preparing the database"):
            call_command("migrate", interactive=False, verbosity=0)
        self._make_first_account()
        for command in settings.BOOTSTRAP_COMMANDS:
            self._run(command)

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self.stdout.write(f"{title} …")
        self.stdout.flush()
        started = time.monotonic()
        yield
        self.stdout.write(f"  done in {time.monotonic() - started:.1f} s")
        self.stdout.flush()

    def _run(self, command: list[str]) -> None:
        """Run one command; a failing one is said aloud and does not keep the site from starting."""
        name = " ".join(command)
        if command[0] not in get_commands():
            return
        try:
            with self._step(f"Running {name}"):
                call_command(*command)
        except (CommandError, SystemExit) as failure:
            if getattr(failure, "code", 1):  # sys.exit(0) is a good end
                self.stderr.write(f"  {name} failed: {failure}. The site starts without it.")
        except Exception:
            logger.exception("%s failed; the site starts without it", name)

    def _make_first_account(self) -> None:
        """Create the superuser when nobody could administer the site yet."""
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return
        environment = settings.ENVIRONMENT
        name = environment.superuser_username
        if users.filter(username=name).exists():
            raise CommandError(f"The account {name} exists and is no superuser: set DJANGO_SUPERUSER_USERNAME.")
        kept = settings.DATA_DIR / PASSWORD_FILE
        password = environment.superuser_password or kept_secret(kept, length=PASSWORD_LENGTH)
        users.create_superuser(username=name, email=environment.superuser_email, password=password)
        self.stdout.write(f"Made the account {name} for the admin.")
        if not environment.superuser_password:
            self.stdout.write(f"  Password: {password}\n  It is kept in {kept}, which only you can read.")
