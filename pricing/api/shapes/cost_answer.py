"""The answer of ``costs/``: each line priced at a till where it is plain, else the general way, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import localcontext
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from django.utils import timezone
from msgspec import UNSET, Raw, UnsetType

from pricing.api.shapes.cost_text import result_writer, written_parts
from pricing.api.shapes.costs import Id, ResultWriter
from pricing.costing.asked import LineFault, read_line
from pricing.costing.lines import Asked, Desk
from pricing.costing.memory import current_memory
from pricing.costing.received import ReceivedLine, read_lines
from pricing.costing.tills import Charge, Parts, Result
from tracker.amounts import EXACT

# So many lines are looked up together when they are priced the general way.
LINES_AT_ONCE = 400
# So many are read, priced and written together: what they take fits into a processor's cache.
LINES_IN_CACHE = 100

Lines = Sequence[Raw] | Sequence[Any]
# A line's place in the request, and the line.
Placed = tuple[int, Any]

fromisoformat = datetime.fromisoformat
_IDS = frozenset((int, type(None), UnsetType))


def cost_answer(lines: Lines, currency: str | None, assume_earliest: bool = False) -> list[bytes]:
    """The body of the answer, in parts. The lines are raw JSON or JSON values. Raises NoJson.

    ``assume_earliest`` holds for the lines that do not say it themselves.
    """
    pricing = _Pricing(currency, assume_earliest)
    starts = range(0, len(lines), LINES_AT_ONCE)
    with localcontext(EXACT):
        parts = [part for start in starts for part in pricing.parts(lines[start : start + LINES_AT_ONCE], start)]
    if parts:
        parts[-1] = parts[-1].removesuffix(b",")
    return [b'{"results":[', *parts, b"]}"]


@dataclass(slots=True)
class _Slice:
    """Some lines: either the ``body`` of their results, or ``texts`` with None for the ``others``."""

    body: bytes
    texts: Sequence[str | None]
    others: Sequence[Placed]

    def completed(self, written: Iterator[str]) -> bytes:
        """The body, with the results of the others where they belong."""
        return self.body or _joined([next(written) if text is None else text for text in self.texts])


class _Pricing:
    """What the parts of one request share."""

    def __init__(self, currency: str | None, assume_earliest: bool) -> None:
        self._assume_earliest = assume_earliest
        # The memory is taken before anything is read: what is written in between is at most too new for it.
        memory, now = current_memory(), timezone.now()
        self._tills, self._now, self._currency = memory.tills, now.astimezone(UTC), currency
        self._desk, self._writer = Desk(memory, now, currency), ResultWriter(memory)
        self._citations, self._unread = memory.citations, set[int]()

    def parts(self, lines: Lines, first: int) -> list[bytes]:
        """The results of some lines, of which the first is at a place in the request, each with a comma after it."""
        starts = range(0, len(lines), LINES_IN_CACHE)
        slices = [self._slice(lines[start : start + LINES_IN_CACHE], first + start) for start in starts]
        written = self._generally([placed for each in slices for placed in each.others])
        self._writer.endings(self._unread)
        self._unread.clear()
        return [each.completed(written) for each in slices]

    def _slice(self, lines: Lines, first: int) -> _Slice:
        read: Sequence[Any] = read_lines(lines) if type(lines[0]) is Raw else lines
        # A currency that is asked for may want conversion, which only the general way knows.
        # So may a moment before all prices.
        is_plain = self._currency is None and not self._assume_earliest and type(read[0]) is ReceivedLine
        texts: list[str | None] = self._at_tills(read) if is_plain else [None] * len(read)
        others = [(first + place, _as_json(read[place])) for place, text in enumerate(texts) if text is None]
        return _Slice(b"", texts, others) if others else _Slice(_joined(filter(None, texts)), [], [])

    def _at_tills(self, lines: Sequence[Any]) -> list[str | None]:
        """The results of the plain lines; whatever is wrong with another, the general way tells."""
        texts: list[str | None] = []
        note, usual_charge, now, unsaid = texts.append, self._tills.usual.get, self._now, UNSET
        # What most lines are is found right here, since a call of a function costs as much as a step of this one.
        # Whatever is not of the right kind raises somewhere on the way.
        for line in lines:
            text = charge = None
            try:
                usage, at, given = line.usage, line.at, line.id
                plainly = line.service_tier is line.region is line.variant is line.commitment is unsaid
                if plainly and line.known_at is line.assume_earliest is line.provider_usage is unsaid:
                    charge = usual_charge((line.seller, line.model, tuple(usage)))
                    if charge is not None:
                        moment = now if at is unsaid or at is None else fromisoformat(at)
                        small = charge.limit is None or usage.get("input_tokens", 0) <= charge.limit
                        # A moment of another zone may lie outside the years that there are.
                        if not small or moment.tzinfo is not UTC or moment < charge.settled_since:
                            charge = None
                if charge is not None or (charge := self._tills.charge(line, now)) is not None:
                    result = charge.result or self._first_result(charge)
                    text = result(quoted(given) if given.__class__ is str else _id_text(given), usage, charge.parts)
            except (TypeError, ValueError, AttributeError):
                pass
            note(text)
        return texts

    def _first_result(self, charge: Charge) -> Result:
        """Where what a charge cites is in memory, its results can be written; else those of later lines, not this."""
        cited = {price.row or 0 for price in charge.plan.prices}
        endings = {row: text for row in cited if (text := self._citations.get(row)) is not None}
        if len(endings) < len(cited):
            self._unread |= cited
            return _no_result
        charge.parts = written_parts(charge.plan, endings)
        charge.result = result = result_writer(charge.keys, charge.plan)
        return result

    def _generally(self, placed: Sequence[Placed]) -> Iterator[str]:
        if not placed:
            return iter(())
        answers = self._desk.answers([self._asked(line) for _, line in placed])
        rows = self._writer.rows(answers, [_id(line) for _, line in placed], [place for place, _ in placed])
        return map("".join, rows)

    def _asked(self, line: Any) -> Asked:
        if self._assume_earliest and type(line) is dict and line.get("assume_earliest") is None:
            line = {**line, "assume_earliest": True}
        return _asked(line)


def _no_result(given: str, usage: Mapping[str, Any], parts: Parts) -> None:
    """What a charge has until the citations of its prices have been read."""


def _id_text(given: Any) -> str:
    """The id of a line as JSON. Raises TypeError for what is no id."""
    if type(given) not in _IDS:
        raise TypeError(given)
    return "null" if given is None or given is UNSET else str(given)


def _joined(texts: Iterable[str]) -> bytes:
    return "".join(texts).encode("ascii")


def _as_json(line: Any) -> Any:
    return line.as_json() if isinstance(line, ReceivedLine) else line


def _asked(line: Any) -> Asked:
    try:
        return read_line(line)
    except LineFault as fault:
        return fault


def _id(line: Any) -> Id:
    given = line.get("id") if type(line) is dict else None
    return given if isinstance(given, str | int) else None
