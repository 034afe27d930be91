"""One writer of the ledger at a time, so that prices never overlap and sequences follow commits."""

from __future__ import annotations

from django.db import connection, transaction

_LEDGER_KEY = 0x4C45_4447_4552


def lock_ledger() -> None:
    """Hold the ledger until the end of the transaction.

    PostgreSQL has an advisory lock for it. SQLite needs none: its transactions are IMMEDIATE.
    Raises TransactionManagementError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("the ledger is written inside a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LEDGER_KEY])
