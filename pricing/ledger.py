"""The one way into the record: everybody who knows a price says so here, and resolution decides.

Feeds and documents say what they read (``observe``); people state, pin, withdraw, relist and undo.
Each operation writes its evidence and settles the tariffs and calendars it touches in one
transaction; none writes a price of its own.
"""

from __future__ import annotations

from pricing.documents import Reading, Told, observe, observe_again
from pricing.rulings import (
    Ruling,
    announce,
    correct,
    end_promotion,
    extend_promotion,
    make_permanent,
    pin,
    refuse_hold,
    release_hold,
    relist,
    reschedule,
    resolve_again,
    retire_calendar,
    retire_statement,
    retract,
    state,
    state_calendar,
    state_together,
    undo,
    withdraw,
)
from pricing.sheets import LedgerError, Outcome, StaleObservation

__all__ = [
    "LedgerError",
    "Outcome",
    "Reading",
    "Ruling",
    "StaleObservation",
    "Told",
    "announce",
    "correct",
    "end_promotion",
    "extend_promotion",
    "make_permanent",
    "observe",
    "observe_again",
    "pin",
    "refuse_hold",
    "release_hold",
    "relist",
    "reschedule",
    "resolve_again",
    "retire_calendar",
    "retire_statement",
    "retract",
    "state",
    "state_calendar",
    "state_together",
    "undo",
    "withdraw",
]
