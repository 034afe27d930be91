"""From two beliefs about an offering to what happened: moves of lines, grouped and named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from pricing.claims import PROMO_LAYER, Conditions
from pricing.timeline import INSTANT, Segment, Value, same
from tracker.amounts import fits

History = Mapping[Conditions, Sequence[Segment]]
_WIDE = Context(prec=60)
_CENT = Decimal("0.01")


def percent_between(old: Decimal, new: Decimal) -> Decimal | None:
    """The change from one amount to another in percent, two places; None from or to zero, or beyond what is kept."""
    if not old or not new:
        return None
    ratio = _WIDE.divide(_WIDE.multiply(new - old, Decimal(100)), old)
    percent = ratio.quantize(_CENT, rounding=ROUND_HALF_EVEN, context=_WIDE)
    return percent if fits(percent) else None


@dataclass(frozen=True, slots=True)
class Move:
    """A boundary in a line's history: what held before ``at``, and what from then on.

    ``source`` is who states the new price, where a source does.
    """

    at: datetime
    old: Value | None
    new: Value | None
    precision: str = "observed"
    observed_after: datetime | None = None
    steps: bool = False
    source: int | None = None

    @property
    def key(self) -> tuple[datetime, Value | None, Value | None]:
        """What makes two moves the same."""
        return (self.at, self.old, self.new)

    @property
    def prices(self) -> tuple[Value | None, Value | None]:
        """Old and new, whenever it was."""
        return (self.old, self.new)

    @property
    def is_ruled_end(self) -> bool:
        """Whether the price ends because a person ruled that the offering is sold no more."""
        return self.new is None and self.precision == "exact"

    @property
    def relabels(self) -> bool:
        """Whether nothing moves but what a zero is said to mean."""
        return self.old is not None and self.new is not None and self.old[:2] == self.new[:2]

    def allows(self, moment: datetime) -> bool:
        """Whether the move may have happened at a moment, for all that was known of it."""
        if self.precision != "observed" or moment > self.at:
            return False
        return self.observed_after is None or self.observed_after < moment


@dataclass(frozen=True, slots=True)
class LineMove:
    """One line's part in something that happened; ``sort`` says what: market, correction, announced …"""

    sort: str
    line: Conditions
    move: Move
    was_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """What a line was and what it became."""

    line: Conditions
    old: Value | None
    new: Value | None

    @property
    def percent(self) -> Decimal | None:
        """The change in percent, two places.

        None from or to zero, nothing or another currency, and where it has more digits than fit.
        """
        if self.old is None or self.new is None or self.old[1] != self.new[1]:
            return None
        return percent_between(self.old[0], self.new[0])


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one offering, ready to be written as a pricing change."""

    kind: str
    nature: str
    effective_at: datetime
    precision: str
    observed_after: datetime | None
    announced_for: datetime | None
    lines: tuple[ChangedLine, ...]


def moves(rows: Sequence[Segment]) -> list[Move]:
    """The boundaries of one line's history, in order; a price that ends without a next one moves to None."""
    found: list[Move] = []
    previous: Segment | None = None
    for row in rows:
        old = previous.value if previous is not None and previous.end == row.start else None
        if previous is not None and old is None and previous.end is not None:
            found.append(_end(previous, previous.end))
        found.append(Move(row.start, old, row.value, row.precision, row.observed_after, row.steps, row.source))
        previous = row
    if previous is not None and previous.end is not None:
        found.append(_end(previous, previous.end))
    return found


def _end(row: Segment, at: datetime) -> Move:
    """The move from a price to none."""
    return Move(at, row.value, None, precision="exact" if row.ruled_out else "observed", steps=row.yields)


def line_moves(
    line: Conditions,
    before: Sequence[Segment],
    after: Sequence[Segment],
    moment: datetime,
    ruled: bool,
    source: int | None = None,
    *,
    in_their_name: bool = False,
) -> list[LineMove]:
    """What happened to one line between two beliefs, seen at ``moment``.

    ``ruled`` says that a decision about the record, not a price, made the difference: all of it
    is a correction then. ``source`` is the one whose word made it, None where a ruling did.
    ``in_their_name`` says that a person told what another source's prices did: no step between witnesses.
    """
    old_moves, new_moves = moves(before), moves(after)
    if in_their_name:
        new_moves = [replace(move, steps=False) for move in new_moves]
    if not old_moves:
        return [LineMove(_sort(m, moment, ruled), line, m) for m in new_moves if _is_news(m, moment, before)]
    old_keys, new_keys = {m.key for m in old_moves}, {m.key for m in new_moves}
    gone = [m for m in old_moves if m.key not in new_keys]
    come = [m for m in new_moves if m.key not in old_keys]
    gone, come = _still_to_come(gone, come, moment)
    found: list[LineMove] = []
    went = list(gone)
    for move in went:
        twin = next((m for m in come if _alike(m, move)), None)
        if twin is not None and not ruled:
            gone.remove(move)
            come.remove(twin)
            found += _shifted(line, move, twin, moment)
    past = [m.at for m in old_moves if m.at <= moment]
    latest = max(past) if past else None
    found += [_lost(line, move, moment, ruled, source) for move in gone if _is_news(move, moment, after)]
    for move in come:
        if _is_news(move, moment, before):
            fills_in = latest is not None and move.at < latest
            # Of a move that was told already only what it replaced is known better; a beginning may turn out a move.
            amends = move.at <= moment and any(
                m.at == move.at and (m.new != move.new or m.old is not None) for m in went
            )
            found.append(LineMove(_sort(move, moment, ruled or fills_in or amends), line, move))
    return found


def _still_to_come(gone: Sequence[Move], come: Sequence[Move], moment: datetime) -> tuple[list[Move], list[Move]]:
    """The moves without those ahead that stay as they are, but for the price that they will replace."""

    def stays(move: Move, others: Sequence[Move]) -> bool:
        if move.at <= moment or move.new is None:
            return False
        return any(o.at == move.at and o.new is not None and same(o.new, move.new) for o in others)

    return [m for m in gone if not stays(m, come)], [m for m in come if not stays(m, gone)]


def _alike(one: Move, other: Move) -> bool:
    """Whether two moves are between the same prices, but for noise, whenever they were."""
    pairs = zip(one.prices, other.prices, strict=True)
    return all(a == b or (a is not None and b is not None and same(a, b)) for a, b in pairs)


def _is_presumed(move: Move, moment: datetime) -> bool:
    """What lies ahead without a source that dates it is no news: a known end, or who will speak after it."""
    return move.at > moment and move.precision in ("observed", "unknown")


def _is_news(move: Move, moment: datetime, otherwise: Sequence[Segment]) -> bool:
    """Whether a move that came or went is worth telling, given the belief that lacks it.

    That the offering will be withdrawn is news only against a belief in which the line is sold then.
    """
    if _is_presumed(move, moment):
        return False
    is_end_ahead = move.is_ruled_end and move.at > moment
    return not is_end_ahead or value_at(otherwise, move.at) is not None


def _sort(move: Move, moment: datetime, corrects: bool) -> str:
    if corrects or move.relabels:
        return "correction"
    if move.at > moment:
        return "announced"
    return "correction" if move.steps else "market"


def _lost(line: Conditions, move: Move, moment: datetime, ruled: bool, source: int | None) -> LineMove:
    """A move that is no longer believed: only who announced it, or a ruling, takes an announcement back."""
    by_another = source is not None and move.source is not None and move.source != source
    is_correction = ruled or by_another or move.at <= moment
    return LineMove("correction" if is_correction else "retracted", line, move, was_for=move.at)


def _shifted(line: Conditions, old: Move, new: Move, moment: datetime) -> list[LineMove]:
    """The same move at another time: a better date, a new date for what is to come, or a correction."""
    if old.at > moment and new.at > moment and old.is_ruled_end != new.is_ruled_end:
        return [LineMove("announced", line, new) if new.is_ruled_end else LineMove("retracted", line, old)]
    if old.new is None and line.layer == PROMO_LAYER and old.at > moment and new.at > moment:
        return [LineMove("promo_extended" if new.at > old.at else "rescheduled", line, new, was_for=old.at)]
    if old.new is None and old.at > moment:
        return [] if new.at > moment else [LineMove(_sort(new, moment, False), line, new, was_for=old.at)]
    if old.at > moment:
        return [LineMove("rescheduled" if new.at > moment else _sort(new, moment, False), line, new, was_for=old.at)]
    earlier_beginning = old.old is None and new.at < old.at
    if earlier_beginning or old.allows(new.at):
        return []
    return [LineMove("correction", line, new, was_for=old.at)]


def happenings(
    before: History,
    after: History,
    moment: datetime,
    ruled: bool,
    source: int | None = None,
    *,
    in_their_name: bool = False,
) -> list[Happening]:
    """What happened to an offering between two beliefs about all its lines, oldest first.

    Lines that moved at one moment in one way moved together; all corrections of one cause are one.
    ``ruled``, ``source`` and ``in_their_name`` tell the cause, as for ``line_moves``.
    """
    found: list[LineMove] = []
    for line in sorted({*before, *after}):
        rows, now = before.get(line, ()), after.get(line, ())
        if rows is not now:
            found += line_moves(line, rows, now, moment, ruled, source, in_their_name=in_their_name)
    together: dict[tuple[str, datetime | None], list[LineMove]] = {}
    for line_move in found:
        at = None if line_move.sort == "correction" else line_move.move.at
        together.setdefault((line_move.sort, at), []).append(line_move)
    results = [_happening(sort, group, before, after, moment) for (sort, _), group in together.items()]
    return sorted((h for h in results if h is not None), key=lambda h: (h.effective_at, h.nature, h.kind))


def _happening(
    sort: str, group: Sequence[LineMove], before: History, after: History, moment: datetime
) -> Happening | None:
    return _correction(group, before, after) if sort == "correction" else told_together(sort, group, after)


def told_together(sort: str, group: Sequence[LineMove], after: History) -> Happening:
    """Moves of one moment, of which ``sort`` says that the market made them or how they were spoken of before."""
    # A beginning tells more of its moment than an end does.
    lead = next((g.move for g in group if g.move.new is not None), group[0].move)
    lines = tuple(changed_line(g) for g in group)
    kind = market_kind(lines, after, lead.at) if sort == "market" else sort
    windows = [g.move.observed_after for g in group if g.move.observed_after is not None]
    return Happening(
        kind=kind,
        nature="market",
        effective_at=lead.at,
        precision=lead.precision,
        observed_after=min(windows) if windows else None,
        announced_for=lead.at if sort in ("announced", "rescheduled", "retracted") else None,
        lines=lines,
    )


def changed_line(line_move: LineMove) -> ChangedLine:
    """What a move made of its line."""
    return ChangedLine(line_move.line, line_move.move.old, line_move.move.new)


def _correction(group: Sequence[LineMove], before: History, after: History) -> Happening | None:
    """What was believed and what is believed now, at the latest moment where they differ on each line."""
    moments: dict[Conditions, set[datetime]] = {}
    for g in group:
        moments.setdefault(g.line, set()).update({g.move.at} | ({g.was_for} if g.was_for else set()))
    lines, at = [], None
    for line, candidates in moments.items():
        for candidate in sorted(candidates, reverse=True):
            old, new = value_at(before.get(line, ()), candidate), value_at(after.get(line, ()), candidate)
            if old != new and not (old and new and same(old, new)):
                lines.append(ChangedLine(line, old, new))
                at = candidate if at is None else max(at, candidate)
                break
    if at is None:
        return None
    return Happening("corrected", "correction", at, "observed", None, None, tuple(lines))


def value_at(rows: Iterable[Segment], moment: datetime) -> Value | None:
    """The price in force at a moment, or None."""
    return next((row.value for row in rows if row.covers(moment)), None)


def market_kind(lines: Sequence[ChangedLine], history: History, at: datetime) -> str:
    """The first name that fits what the market did at a moment."""
    kind = _offering_kind(history, at) or _zero_kind(lines) or _promo_kind(lines)
    if kind:
        return kind
    return "restructured" if _restructured(lines, history, at) else _direction(lines)


def _offering_kind(history: History, at: datetime) -> str:
    was_sold = is_sold = was_ever = False
    for rows in history.values():
        for row in rows:
            was_sold = was_sold or row.covers(at - INSTANT)
            is_sold = is_sold or row.covers(at)
            was_ever = was_ever or row.start < at
    if not is_sold:
        return "withdrawn" if was_sold else ""
    if was_sold:
        return ""
    return "relisted" if was_ever else "listed"


def _zero_kind(lines: Sequence[ChangedLine]) -> str:
    for changed in lines:
        old, new = changed.old, changed.new
        if old is None or new is None:
            continue
        if not old[0] and old[2] == "free" and new[0]:
            return "became_paid"
        if old[0] and not new[0] and new[2] == "free":
            return "became_free"
    moved = [c for c in lines if c.old is not None and c.new is not None]
    return "currency_changed" if any(c.old[1] != c.new[1] for c in moved if c.old and c.new) else ""


def _promo_kind(lines: Sequence[ChangedLine]) -> str:
    promos = [c for c in lines if c.line.layer == PROMO_LAYER]
    if any(c.old is None for c in promos):
        return "promo_started"
    return "promo_ended" if any(c.new is None for c in promos) else ""


def _restructured(lines: Sequence[ChangedLine], history: History, at: datetime) -> bool:
    """Whether cells came or went in a tariff that was stated before and is stated after."""
    tariffs = {c.line.tariff for c in lines if c.old is None or c.new is None}
    before: dict[tuple[str, ...], set[Conditions]] = {}
    after: dict[tuple[str, ...], set[Conditions]] = {}
    for line, rows in history.items():
        if line.tariff in tariffs:
            if value_at(rows, at - INSTANT) is not None:
                before.setdefault(line.tariff, set()).add(line)
            if value_at(rows, at) is not None:
                after.setdefault(line.tariff, set()).add(line)
    return any(before.get(t) and after.get(t) and before[t] != after[t] for t in tariffs)


def _direction(lines: Sequence[ChangedLine]) -> str:
    moved = [(c.old[0], c.new[0]) for c in lines if c.old is not None and c.new is not None]
    if moved:
        if all(new > old for old, new in moved):
            return "increase"
        return "decrease" if all(new < old for old, new in moved) else "mixed"
    if all(c.old is None for c in lines):
        return "price_added"
    return "price_removed" if all(c.new is None for c in lines) else "mixed"
