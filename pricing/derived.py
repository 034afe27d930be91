"""Lines that a source states as a factor on another line follow the price that is believed of that line.

A region's uplift says nothing of its own: when the base price is another than the one from which its
source worked it out, because a person or a better source says so, the derived price is the factor
times what is believed of the base, from the same moment on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal

from pricing.claims import Conditions
from pricing.timeline import Segment, Timeline, Value, same

_PLACES = Decimal(1).scaleb(-18)
_WIDE = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Derivation:
    """What a statement's price was worked out from: a line of the same offering, and the factor on it."""

    base: Conditions
    factor: Decimal

    def price(self, base: Value) -> Value:
        """The derived price for a price of the base line."""
        amount, currency, zero_means = base
        product = _WIDE.multiply(amount, self.factor)
        exponent = product.as_tuple().exponent
        kept = product if isinstance(exponent, int) and exponent >= -18 else product.quantize(_PLACES, context=_WIDE)
        return kept, currency, zero_means


def follow(history: Timeline, derivations: Mapping[int, Derivation]) -> Timeline:
    """The history in which every derived price, by its statement, is the factor times its base in force.

    A price that follows its base already stays as it is, and so does one whose base has no price.
    """
    result = dict(history)
    settled: set[Conditions] = set()

    def settle(line: Conditions) -> None:
        # A line may derive from one that is derived itself; none is settled twice, so that a circle ends.
        if line in settled or line not in history:
            return
        settled.add(line)
        for segment in history[line]:
            derivation = derivations.get(segment.statement or 0)
            if derivation is not None:
                settle(derivation.base)
        result[line] = _followed(history[line], result, derivations)

    for line in history:
        settle(line)
    return result


def _followed(segments: list[Segment], bases: Timeline, derivations: Mapping[int, Derivation]) -> list[Segment]:
    pieces: list[Segment] = []
    strayed = False
    for segment in segments:
        derivation = derivations.get(segment.statement or 0)
        base = [s for s in bases.get(derivation.base, []) if _meet(s, segment)] if derivation else []
        if derivation is None or all(same(derivation.price(s.value), segment.value) for s in base):
            pieces.append(segment)
        else:
            pieces += _pieces(segment, derivation, base)
            strayed = True
    return _joined(pieces) if strayed else segments


def _meet(one: Segment, other: Segment) -> bool:
    return (one.end is None or other.start < one.end) and (other.end is None or one.start < other.end)


def _pieces(segment: Segment, derivation: Derivation, base: Sequence[Segment]) -> Iterator[Segment]:
    """The segment cut where its base moves; where the base has no price it says what its source says."""
    at: datetime | None = segment.start
    for below in base:
        assert at is not None
        if at < below.start:
            yield _resumed(segment, at, below.start)
            at = below.start
        at_end = _earlier(below.end, segment.end)
        yield _piece(segment, below, at, at_end, derivation.price(below.value))
        at = at_end
    if at is not None and (segment.end is None or at < segment.end):
        yield _resumed(segment, at, segment.end)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _piece(segment: Segment, below: Segment, start: datetime, end: datetime | None, value: Value) -> Segment:
    """A derived price for as long as one price of the base holds; it began as the base's did."""
    piece = _until(replace(segment, value=value), end)
    if start == segment.start:
        return piece
    return replace(
        piece,
        start=start,
        precision=below.precision,
        observed_after=below.observed_after,
        dated=below.dated,
        steps=below.steps,
        dated_by=below.dated_by or below.statement,
        decision=below.decision,
    )


def _resumed(segment: Segment, start: datetime, end: datetime | None) -> Segment:
    piece = _until(segment, end)
    if start == segment.start:
        return piece
    return replace(piece, start=start, precision="observed", observed_after=None, dated=False, steps=True)


def _until(segment: Segment, end: datetime | None) -> Segment:
    if end == segment.end:
        return segment
    return replace(segment, end=end, presumed=False, yields=False, ruled_out=False)


def _joined(pieces: Sequence[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last is not None and last.end == piece.start and same(last.value, piece.value):
            joined[-1] = replace(
                last, end=piece.end, presumed=piece.presumed, yields=piece.yields, ruled_out=piece.ruled_out
            )
        else:
            joined.append(piece)
    return joined
