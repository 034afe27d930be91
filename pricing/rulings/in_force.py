"""What sources say of an offering around a moment, and saying it again in the editors' own name.

One source sets a tariff whole. So whoever speaks about one price of a tariff must say the rest of it too for as long,
or the rest would end. Pins and withdrawals are left out: they lie over what is said, and go when they are undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pricing.belief import Readings, load_sheets
from pricing.claims import PROMO_LAYER, Claim, Conditions, Tariff
from pricing.models import Offering, Statement
from pricing.moves import value_at
from pricing.resolution import Resolution
from pricing.rulings.decisions import editors
from pricing.sheets import LedgerError
from pricing.timeline import Segment, Value, same

History = Mapping[Conditions, Sequence[Segment]]
Span = tuple[Conditions, datetime, datetime]
Window = tuple[datetime, datetime]
NEVER = datetime.max.replace(tzinfo=UTC)
# The precision of a price that is said from a moment on at which it did not begin.
CUT = "observed"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What sources say of an offering: all together, all but the editors, and what editors go on saying.

    ``sighted`` are the times from a price's beginning, as another source dates it, to when its own source saw it.
    """

    history: History
    by_others: History
    running: Sequence[Statement]
    editors: int
    sighted: Mapping[Tariff, Sequence[Window]]

    def beginning(self, at: datetime) -> list[tuple[Conditions, Segment]]:
        """The prices that begin at a moment."""
        return [(line, s) for line, segments in sorted(self.history.items()) for s in segments if s.start == at]

    def promotions(self, at: datetime) -> list[tuple[Conditions, Segment]]:
        """The promotions in force at a moment."""
        promos = ((line, found) for line, found in sorted(self.history.items()) if line.layer == PROMO_LAYER)
        return [(line, segment) for line, segments in promos for segment in segments if segment.covers(at)]

    def said_on(self, lines: Collection[Conditions]) -> list[Statement]:
        """What editors go on saying of some lines."""
        return [each for each in self.running if each.line.conditions in lines]


def spoken_of(offering: Offering) -> Spoken:
    """What is said of an offering now, resolved from its evidence."""
    sheets, specificity = load_sheets([offering.pk])
    sheet, readings, source = sheets[offering.pk], Readings.load(), editors().pk
    sheet.withdrawn, sheet.ruled = [], {}
    tariffs = {line.tariff for line in sheet.lines}
    history = sheet.resolved(tariffs, readings, specificity)
    sighted = {tariff: _windows(resolution) for tariff, resolution in sheet.resolutions.items()}
    sheet.said = {tariff: [each for each in said if each.source != source] for tariff, said in sheet.said.items()}
    others = sheet.resolved(tariffs, readings, specificity)
    running = Statement.objects.filter(source=source, line__offering=offering, ended_at__isnull=True)
    return Spoken(history, others, list(running.select_related("line").order_by("pk")), source, sighted)


def _windows(resolution: Resolution) -> list[Window]:
    seen: dict[tuple[Conditions, int | None], list[datetime]] = {}
    for voice in resolution.voices:
        for line, segments in voice.timeline.items():
            for segment in segments:
                seen.setdefault((line, segment.statement), []).append(segment.start)
    return [
        (segment.start, min(later))
        for line, segments in resolution.history.items()
        for segment in segments
        if segment.dated_by is not None
        and (later := [moment for moment in seen.get((line, segment.statement), []) if moment > segment.start])
    ]


def claim_of(statement: Statement, begins: datetime | None, until: datetime | None) -> Claim:
    """What a statement says, for another interval."""
    return Claim(
        statement.line.conditions,
        statement.amount,
        statement.currency,
        begins,
        until,
        statement.precision,
        zero_means=statement.zero_means,
    )


def price_of(
    line: Conditions, value: Value, begins: datetime, until: datetime | None, precision: str = "exact"
) -> Claim:
    """A price, claimed for an interval."""
    amount, currency, zero_means = value
    return Claim(line, amount, currency, begins, until, precision, zero_means=zero_means)


def rest_of(offering: Offering, claims: Sequence[Claim], now: datetime, *, are_said: bool = False) -> list[Claim]:
    """The other prices of the tariffs that some claims speak of, as they are said over the same time.

    What editors state themselves stands anyway, and is left out. Of claims that ``are_said`` already the rest is what
    others say.
    """
    spoken = spoken_of(offering)
    history = spoken.by_others if are_said else spoken.history
    covered = [*_spans(spoken.running), *(_span(claim, now) for claim in claims)]
    rest: list[Claim] = []
    for tariff in sorted({claim.line.tariff for claim in claims}):
        spans = [_span(claim, now) for claim in claims if claim.line.tariff == tariff]
        begins, until = min(span[1] for span in spans), max(span[2] for span in spans)
        begins, until = _around_sightings(spoken, tariff, begins, until)
        rest += _without(_pieces(history, tariff, begins, until), covered)
    return rest


def _around_sightings(spoken: Spoken, tariff: Tariff, begins: datetime, until: datetime) -> tuple[datetime, datetime]:
    """An interval that neither begins nor ends between the dated beginning of a price and its speaker's sighting of it.

    Whoever speaks from or until a moment in between hides the sighting, without which the date counts for nothing.
    """
    windows = spoken.sighted.get(tariff, [])
    while True:
        reached = (
            min([dated for dated, seen in windows if dated < begins <= seen], default=begins),
            max([seen for dated, seen in windows if dated <= until < seen], default=until),
        )
        if reached == (begins, until):
            return reached
        begins, until = reached


def filled(
    spoken: Spoken,
    wanted: History,
    tariffs: Collection[Tariff],
    begins: datetime,
    ended: Collection[Statement],
    claims: Sequence[Claim],
) -> list[Claim]:
    """What editors must say besides their claims, for tariffs to be as wanted from a moment on.

    Where they say something of a tariff they say it whole. Where they say nothing others are heard, unless these
    say something else than what is wanted. What they go on saying of another price lay under a word that has ended,
    and would come back in its place. Raises LedgerError where that would need a word for no price at all.
    """
    gone = {each.pk for each in ended}
    going_on = [each for each in spoken.running if each.pk not in gone]
    said: list[Statement | Claim] = [*going_on, *claims]
    own = [*_spans(going_on), *(_span(claim, begins) for claim in claims)]
    rest: list[Claim] = []
    for tariff in sorted(tariffs):
        pieces = _pieces(wanted, tariff, begins, NEVER)
        if _is_heard(spoken.by_others, wanted, tariff, begins, own):
            spans = [span for span in own if span[0].tariff == tariff]
            pieces = [part for piece in pieces for part in _within(piece, spans)]
        for piece in pieces:
            agreeing = [span for each, span in zip(said, own, strict=True) if _is_price(each, piece)]
            rest += _without([piece], agreeing)
    return rest


def _is_price(said: Statement | Claim, piece: Claim) -> bool:
    """Whether what is said is one price with a piece."""
    zero_means = said.zero_means or piece.zero_means
    return same((said.amount, said.currency, zero_means), (piece.amount, piece.currency, piece.zero_means))


def _is_heard(others: History, wanted: History, tariff: Tariff, begins: datetime, own: Sequence[Span]) -> bool:
    """Whether others say what is wanted of a tariff wherever editors say nothing.

    Raises LedgerError where others say something and nothing is wanted: editors can state a price, and not that
    there is none.
    """
    others, wanted = _of_tariff(others, tariff), _of_tariff(wanted, tariff)
    is_heard = True
    for moment in _without_editors(others, wanted, begins, own):
        heard, asked = _sheet(others, moment), _sheet(wanted, moment)
        if heard and not asked:
            raise LedgerError(
                f"no price of {tariff[0]} would be left from {moment.isoformat()} on; state one first, or withdraw the "
                "offering from then on"
            )
        is_heard = is_heard and heard.keys() == asked.keys() and all(same(heard[line], asked[line]) for line in heard)
    return is_heard


def _of_tariff(history: History, tariff: Tariff) -> History:
    return {line: segments for line, segments in history.items() if line.tariff == tariff}


def _sheet(history: History, moment: datetime) -> dict[Conditions, Value]:
    found = ((line, value_at(segments, moment)) for line, segments in history.items())
    return {line: value for line, value in found if value is not None}


def _without_editors(others: History, wanted: History, begins: datetime, own: Sequence[Span]) -> list[datetime]:
    """The moments from a first on at which something turns and editors state none of the lines' tariff."""
    tariffs = {line.tariff for line in (*others, *wanted)}
    spans = [(start, end) for line, start, end in own if line.tariff in tariffs]
    moments = {begins, *(end for _, end in spans)}
    for segments in (*others.values(), *wanted.values()):
        for segment in segments:
            moments |= {segment.start, segment.end or NEVER}
    ahead = sorted(moment for moment in moments if begins <= moment < NEVER)
    return [moment for moment in ahead if not any(start <= moment < end for start, end in spans)]


def moved(history: History, tariffs: Collection[Tariff], at: datetime, to: datetime | None) -> History:
    """A history in which what turns at a moment in some tariffs turns at another instead, or (None) not at all."""
    turn = _bridged if to is None else _turned
    return {
        line: turn(segments, at, to or at) if line.tariff in tariffs else segments for line, segments in history.items()
    }


def _turned(segments: Sequence[Segment], at: datetime, to: datetime) -> list[Segment]:
    return [replace(s, start=to if s.start == at else s.start, end=to if s.end == at else s.end) for s in segments]


def _bridged(segments: Sequence[Segment], at: datetime, _: datetime) -> list[Segment]:
    """What was in force until a moment goes on until what follows then had ended, or until the next beginning."""
    dropped = next((s for s in segments if s.start == at), None)
    following = min((s.start for s in segments if s.start > at), default=None)
    goes_on = dropped.end if dropped is not None else following
    return [replace(s, end=goes_on) if s.end == at else s for s in segments if s.start != at]


def cut(spoken: Spoken, lines: Mapping[Conditions, datetime], at: datetime) -> tuple[list[Statement], list[Claim]]:
    """Editors' statements on some lines that speak of [at, the line's moment), and what stays of them before."""
    ended = [
        each
        for each in spoken.said_on(lines)
        if (each.effective_until or NEVER) > at and (each.effective_from or at) < lines[each.line.conditions]
    ]
    return ended, said_before(ended, at)


def overruled(
    spoken: Spoken, wanted: History, tariffs: Collection[Tariff], since: datetime, ended: Collection[Statement]
) -> list[Statement]:
    """What editors go on saying of tariffs that is in force from a moment on and is not wanted then.

    What lies under a later word of theirs says nothing against it, and stays, unless no price is wanted where that
    word ends: then it would come back.
    """
    gone = {each.pk for each in ended}
    said = [each for each in spoken.running if each.pk not in gone and each.line.conditions.tariff in tariffs]
    return [each for each in said if _is_overruled(each, spoken.history, wanted, since)]


def said_before(statements: Iterable[Statement], moment: datetime) -> list[Claim]:
    """What statements that end now said of the time before a moment, to be said on."""
    return [
        claim_of(each, each.effective_from, moment)
        for each in sorted(statements, key=lambda each: each.pk)
        if each.effective_from is not None and each.effective_from < moment
    ]


def _is_overruled(statement: Statement, history: History, wanted: History, since: datetime) -> bool:
    line, value = statement.line.conditions, (statement.amount, statement.currency, "")
    start = max(statement.effective_from or statement.first_observed_at, since)
    end = statement.effective_until or NEVER
    turns = {moment for s in (*history.get(line, ()), *wanted.get(line, ())) for moment in (s.start, s.end) if moment}
    moments = [start, *(moment for moment in turns if start < moment)]
    for moment in moments:
        found, asked = value_at(history.get(line, ()), moment), value_at(wanted.get(line, ()), moment)
        is_against = _is_worth(found, value) and not _is_worth(asked, value)
        if moment < end and (is_against or (found is not None and asked is None)):
            return True
    return False


def _is_worth(found: Value | None, value: Value) -> bool:
    return found is not None and same((*found[:2], ""), value)


def _span(claim: Claim, now: datetime) -> Span:
    return (claim.line, claim.effective_from or now, claim.effective_until or NEVER)


def _spans(statements: Iterable[Statement]) -> list[Span]:
    return [
        (each.line.conditions, each.effective_from or each.first_observed_at, each.effective_until or NEVER)
        for each in statements
    ]


def _pieces(history: History, tariff: Tariff, begins: datetime, until: datetime) -> list[Claim]:
    """All that a history says of a tariff over [begins, until).

    What began before that, or has no exact beginning, gets none here: it would date a move that others observed.
    """
    found = []
    for line in sorted(line for line in history if line.tariff == tariff):
        for segment in history[line]:
            start, end = max(segment.start, begins), min(segment.end or NEVER, until)
            if start < end:
                precision = segment.precision if start == segment.start else CUT
                found.append(price_of(line, segment.value, start, None if end == NEVER else end, precision))
    return found


def _within(piece: Claim, spans: Iterable[Span]) -> Iterator[Claim]:
    """The parts of a piece in which any of the spans lies."""
    begins, until = piece.effective_from, piece.effective_until or NEVER
    assert begins is not None
    reached = begins
    for _, start, end in sorted(spans, key=lambda span: span[1]):
        first, last = max(start, reached), min(end, until)
        if first < last:
            precision = piece.precision if first == begins else CUT
            until_then = None if last == NEVER else last
            yield replace(piece, effective_from=first, effective_until=until_then, precision=precision)
            reached = last


def _without(pieces: Iterable[Claim], spans: Sequence[Span]) -> list[Claim]:
    """The parts of pieces in which no span of the same line lies."""
    found: list[Claim] = []
    for piece in pieces:
        until = piece.effective_until or NEVER
        reached, left = piece.effective_from, piece
        assert reached is not None
        for _, start, end in sorted((span for span in spans if span[0] == piece.line), key=lambda span: span[1]):
            if reached < min(start, until):
                found.append(replace(left, effective_until=min(start, until)))
            if end > reached:
                reached, left = end, replace(piece, effective_from=end, precision=CUT)
        if reached < until:
            found.append(left)
    return found
