"""What a process remembers of the record between requests, and lets go of as soon as the record has changed.

Each request asks the database for the record's version (``tracker.api.record``), by one cheap query, before it reads
anything. A version that differs from the one remembered makes a new, empty memory: a price written by any process is
used by the next request of every process. A request keeps the memory that it began with, so that one which is still
under way can put nothing old into a newer memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from threading import Lock

from pricing.costing.kept import Kept
from pricing.costing.merges import Merges, ruled_merges
from pricing.costing.names import NamedOffering, Pair, named_offerings
from pricing.costing.sheets import History, Sheet, believed_sheets, histories, rows_by_offering
from pricing.costing.tills import Tills
from tracker.api import record

# What all sheets and histories in memory may hold together, some 6 MB, and what the sheets of all tills may.
PRICE_ROWS_KEPT = 6_000
TILL_ROWS_KEPT = 12_000
NAMES_KEPT = 10_000
CITATIONS_KEPT = 10_000
CHARGES_KEPT = 6_000


class Memory:
    """Names, sheets, histories, citations and tills, as read from one version of the record."""

    def __init__(self, version: str = "") -> None:
        self.version = version
        self.citations: Kept[int, str] = Kept(CITATIONS_KEPT)
        self.tills = Tills(TILL_ROWS_KEPT, CHARGES_KEPT)
        self._merges: Merges | None = None
        self._names: Kept[Pair, NamedOffering] = Kept(NAMES_KEPT)
        self.most_price_rows = PRICE_ROWS_KEPT
        self._sheets: Kept[tuple[str, int], Sheet | History] = Kept(self.most_price_rows)

    @property
    def price_rows(self) -> int:
        """How many price rows are held, in sheets and histories; an offering counts one more."""
        return self._sheets.weight

    def named(self, pairs: Collection[Pair]) -> dict[Pair, NamedOffering]:
        """The offering that each (seller slug, model id) means, where there is one."""
        found = {pair: known for pair in pairs if (known := self._names.get(pair))}
        if len(found) < len(pairs):
            new = named_offerings([pair for pair in pairs if pair not in found])
            for pair, offering in new.items():
                self._names.put(pair, offering)
            found.update(new)
        return found

    def named_then(self, asked: Mapping[Pair, Collection[datetime]]) -> dict[tuple[Pair, datetime], NamedOffering]:
        """What ids meant as known at moments, where merges that were ruled since make a difference."""
        merges = self._merges = self._merges or ruled_merges()
        names = self.named(asked)
        back: dict[int, list[tuple[Pair, datetime]]] = {}
        for name, named in names.items():
            for known_at in asked[name]:
                if steps := merges.since(named.offering, known_at):
                    back.setdefault(steps, []).append((name, known_at))
        found: dict[tuple[Pair, datetime], NamedOffering] = {}
        for steps, each in back.items():
            then = named_offerings({name for name, _ in each}, merges.before(steps))
            found.update({(name, known_at): then[name] for name, known_at in each if name in then})
        return found

    def sheets(self, offering_ids: Collection[int]) -> dict[int, Sheet]:
        """The sheet of each offering, as believed now."""
        found: dict[int, Sheet] = {}
        for offering in offering_ids:
            kept = self._sheets.get(("believed", offering))
            if kept is not None and not isinstance(kept, History):
                found[offering] = kept
        missing = [offering for offering in offering_ids if offering not in found]
        for offering, (sheet, rows) in believed_sheets(missing).items() if missing else ():
            self._sheets.put(("believed", offering), sheet, rows + 1)
            found[offering] = sheet
        return found

    def histories(self, offering_ids: Collection[int]) -> dict[int, History]:
        """All that was ever believed of each offering."""
        found: dict[int, History] = {}
        for offering in offering_ids:
            kept = self._sheets.get(("history", offering))
            if isinstance(kept, History):
                found[offering] = kept
        missing = [offering for offering in offering_ids if offering not in found]
        for offering, history in histories(missing).items() if missing else ():
            self._sheets.put(("history", offering), history, _weight(len(history)))
            found[offering] = history
        return found

    def weights(self, offering_ids: Collection[int]) -> dict[int, int]:
        """What the history of each offering weighs, without reading those that are not here."""
        kept = {offering: self._sheets.get(("history", offering)) for offering in offering_ids}
        found = {offering: _weight(len(known)) for offering, known in kept.items() if isinstance(known, History)}
        missing = [offering for offering in offering_ids if offering not in found]
        found.update({offering: _weight(rows) for offering, rows in rows_by_offering(missing).items()})
        return found

    def histories_between(self, offering_ids: Collection[int], first: datetime, last: datetime) -> dict[int, History]:
        """What was believed of each offering from one moment to another, which is not kept."""
        return histories(offering_ids, (first, last))

    def weight_between(self, offering_ids: Collection[int], first: datetime, last: datetime) -> int:
        """What the histories of some offerings weigh together from one moment to another."""
        return sum(map(_weight, rows_by_offering(offering_ids, (first, last)).values()))


def _weight(rows: int) -> int:
    """What a history weighs: the sheets that are made of it hold its rows again."""
    return 2 * rows + 1


class _Latest:
    memory = Memory()
    lock = Lock()


def current_memory() -> Memory:
    """The memory of the record as it is now, empty if anything was written since the last one."""
    version = record.current().version
    with _Latest.lock:
        if _Latest.memory.version != version:
            _Latest.memory = Memory(version)
        return _Latest.memory


def forget() -> None:
    """Start with nothing in memory, as a new process does."""
    with _Latest.lock:
        _Latest.memory = Memory()
