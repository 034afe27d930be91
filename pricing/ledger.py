"""The one way into the record: everybody who knows a price says so here, and resolution decides.

Feeds and documents say what they read (``observe``; ``observe_anew`` after an adapter was mended); people
state, pin, reroute, withdraw, relist and undo. Each operation writes its evidence and settles the tariffs
and calendars it touches in one transaction; none writes a price of its own.
"""

from __future__ import annotations

from pricing import rulings
from pricing.documents import observe, observe_again
from pricing.models import Decision
from pricing.retelling import Retelling, Retold, observe_anew
from pricing.routes.clock import routes_taking_effect, settle_routes
from pricing.routes.people import id_to_route, reroute, reschedule_route, retire_route, undo_route
from pricing.routes.readings import ToldRoute
from pricing.rulings import (
    Ruling,
    announce,
    check_hours,
    correct,
    end_promotion,
    extend_promotion,
    joins_absorbed,
    link,
    make_permanent,
    merge,
    move_references,
    part,
    pin,
    refuse_hold,
    release_hold,
    relist,
    reschedule,
    resolve_again,
    retire_calendar,
    retire_statement,
    retract,
    split,
    state,
    state_calendar,
    state_together,
    withdraw,
)
from pricing.settling_again import settle_everything
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
    "ToldRoute",
    "announce",
    "check_hours",
    "correct",
    "end_promotion",
    "extend_promotion",
    "id_to_route",
    "joins_absorbed",
    "link",
    "make_permanent",
    "merge",
    "move_references",
    "observe",
    "observe_again",
    "observe_anew",
    "part",
    "pin",
    "refuse_hold",
    "release_hold",
    "relist",
    "reroute",
    "reschedule",
    "reschedule_route",
    "resolve_again",
    "retire_calendar",
    "retire_route",
    "retire_statement",
    "retract",
    "routes_taking_effect",
    "settle_everything",
    "settle_routes",
    "split",
    "state",
    "state_calendar",
    "state_together",
    "undo",
    "withdraw",
]


def undo(decision: Decision, ruling: Ruling) -> Outcome:
    """Undo a stated price, a pin, a withdrawal or a reroute as if it had never been. Raises LedgerError."""
    undoes = undo_route if decision.kind == Decision.Kind.REROUTE else rulings.undo
    return undoes(decision, ruling)
