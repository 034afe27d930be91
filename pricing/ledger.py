"""The one way into the record: everybody who knows a price says so here, and resolution decides.

Feeds and documents say what they read (``observe``; ``observe_anew`` after an adapter was mended); people
state, pin, withdraw, relist and undo. Each operation writes its evidence and settles the tariffs and
calendars it touches in one transaction; none writes a price of its own.
"""

from __future__ import annotations

from pricing.documents import observe, observe_again
from pricing.retelling import Retelling, Retold, observe_anew
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
from pricing.statements import Reading, Told

__all__ = [
    "LedgerError",
    "Outcome",
    "Reading",
    "Retelling",
    "Retold",
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
    "observe_anew",
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
