"""Taking what people say: prices, promotions, pins, withdrawals, what is one offering, and the undoing of it."""

from pricing.rulings.announcing import announce, reschedule, retract
from pricing.rulings.calendars import check_hours, retire_calendar, state_calendar
from pricing.rulings.correcting import correct
from pricing.rulings.decisions import EDITORS, Ruling, editors
from pricing.rulings.holds import refuse_hold, release_hold
from pricing.rulings.linking import link
from pricing.rulings.listing import relist, withdraw
from pricing.rulings.merging import joins_absorbed, merge
from pricing.rulings.pinning import pin, resolve_again
from pricing.rulings.promoting import end_promotion, extend_promotion, make_permanent
from pricing.rulings.splitting import move_references, part, split
from pricing.rulings.stating import retire_statement, state, state_together
from pricing.rulings.undoing import undo

__all__ = [
    "EDITORS",
    "Ruling",
    "announce",
    "check_hours",
    "correct",
    "editors",
    "end_promotion",
    "extend_promotion",
    "joins_absorbed",
    "link",
    "make_permanent",
    "merge",
    "move_references",
    "part",
    "pin",
    "refuse_hold",
    "release_hold",
    "relist",
    "reschedule",
    "resolve_again",
    "retire_calendar",
    "retire_statement",
    "retract",
    "split",
    "state",
    "state_calendar",
    "state_together",
    "undo",
    "withdraw",
]
