"""Finds for every truth row its counterpart among our change lines, or the proven reason why it has none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from benchmarks.against_truth.evidence import Evidence, KnownId, Word, Zeros
from benchmarks.against_truth.fields import NO_PRICE_TO_ADAPTER, Documents, FieldMeaning
from benchmarks.against_truth.rows import TruthRow, moment
from benchmarks.against_truth.stream import MovedLine, Stream
from pricing.claims import Conditions
from tracker.fields import plain

NOISE = Decimal("1e-6")
INSTANT = timedelta(microseconds=1)
FOUND = "found"
NOT_FOUND = "NOT FOUND"

NOISE_ACCOUNT = "noise below 1e-6"
AS_CORRECTION = "told as a correction: another id of the source speaks after than before"
ZERO_UNKNOWN = "a zero means unknown in that listing"
BRIDGED = "missing for fewer than three readings, so never gone"
STILL_MISSING = "missing for fewer than three readings when the record ends"
OTHER_ID = "another id of the source speaks for the offering"
RENAMED = "renamed: the offering goes on under another id of the source"
HELD = "held"
HELD_PART = "held with a part of its document"
SLIP = "a slip: it went and came straight back, which is no move"
TOLD_LATE = "found, told when the hold on it was released"
OTHER_FIELD = "another field of the row states the line more explicitly"
TWO_LINES = "the field means another line after than before"
NO_PRICE = "the field is no price"
NOT_UNDERSTOOD = "not understood, and counted on the refresh"
REJECTED = "rejected"
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Move:
    """What a truth row says of one line, in the line's own unit; an end without a price is None."""

    line: Conditions
    old: Decimal | None
    new: Decimal | None


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a truth row, with what proves it."""

    label: str
    proof: str = ""
    counterparts: tuple[MovedLine, ...] = ()


@dataclass(slots=True)
class Comparison:
    """Truth rows with their accounts, and our lines with the truth rows that speak of them."""

    accounts: list[tuple[TruthRow, Account]] = field(default_factory=list)
    spoken_of: dict[int, tuple[TruthRow, Account]] = field(default_factory=dict)

    def add(self, row: TruthRow, account: Account) -> None:
        """Keep an account; the first and best word on each of our lines stands."""
        self.accounts.append((row, account))
        for line in account.counterparts:
            held = self.spoken_of.get(id(line))
            if held is None or (held[1].label != FOUND and account.label == FOUND):
                self.spoken_of[id(line)] = (row, account)


def compare(rows: Iterable[TruthRow], documents: Documents, stream: Stream, evidence: Evidence) -> Comparison:
    """Account for every truth row."""
    reckoner = _Reckoner(documents, stream, evidence)
    comparison = Comparison()
    for row in rows:
        comparison.add(row, reckoner.account(row))
    return comparison


@dataclass(frozen=True, slots=True)
class Side:
    """What a truth row says was so at a moment, and in which document it stands."""

    known: KnownId
    line: Conditions
    field: str
    date: str
    at: datetime
    claimed: Decimal | None
    turned: datetime


Sides = tuple[Side, Side]


@dataclass(slots=True)
class Reason:
    """The steps from what a truth row says to what the ledger believes; none where they agree."""

    labels: list[str] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    fails: bool = False

    def because(self, label: str, proof: str) -> Reason:
        """Add a step."""
        self.labels.append(label)
        self.proofs.append(proof)
        return self

    def failing(self, proof: str) -> Reason:
        """Say that the evidence does not lead there."""
        self.fails = True
        self.proofs.append(proof)
        return self


class _Reckoner:
    def __init__(self, documents: Documents, stream: Stream, evidence: Evidence) -> None:
        self._documents, self._stream, self._evidence = documents, stream, evidence
        self._zeros = Zeros(evidence.source)

    def account(self, row: TruthRow) -> Account:
        """The account of one row."""
        if account := self._account_of_documents(row) or self._account_of_refusal(row):
            return account
        known = self._evidence.ids.get((row.provider, row.model))
        if known is None:
            return Account(NOT_FOUND, "the source has no such reference")
        old, new = self._meaning(row, row.date_from, row.old), self._meaning(row, row.date_to, row.new)
        if old.line is None and new.line is None:
            return self._account_of_silence(row, old.silent_because or new.silent_because)
        parts = [self._account_of_move(row, known, move) for move in _moves(old, new)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _meaning(self, row: TruthRow, date: str, value: Decimal | None) -> FieldMeaning:
        if value is None:
            return FieldMeaning()
        return self._documents.meaning(date, row.provider, row.model, row.field, value)

    def _account_of_documents(self, row: TruthRow) -> Account | None:
        """A row that does not say what its documents say has no account."""
        for date, stated in ((row.date_from, row.old), (row.date_to, row.new)):
            found = self._documents.value(date, row.provider, row.model, row.field)
            if found != stated:
                return Account(NOT_FOUND, f"the document of {date} says {_shown(found)}")
        return None

    def _account_of_refusal(self, row: TruthRow) -> Account | None:
        """A row that a refresh rejected has no price at all, and the refresh says why."""
        for date in (row.date_to, row.date_from):
            if reason := self._evidence.refusal(row.provider, row.model, date):
                return Account(f"{REJECTED}: {reason}", f"the refresh of {date} rejected the row")
        return None

    def _account_of_silence(self, row: TruthRow, reason: str) -> Account:
        """A field of which the adapter makes nothing is no price, or is counted by name on the refresh."""
        name = _INDEX.sub("[]", row.field)
        if reason == NO_PRICE_TO_ADAPTER:
            return Account(f"{NO_PRICE}: {name}", reason)
        counted = {
            *self._evidence.unrecognised.get(row.date_from, ()),
            *self._evidence.unrecognised.get(row.date_to, ()),
        }
        if row.field in counted:
            return Account(f"{NOT_UNDERSTOOD}: {name}", "the refresh counts it")
        return Account(NOT_FOUND, reason or "the row states nothing")

    def _account_of_move(self, row: TruthRow, known: KnownId, move: Move) -> Account:
        at = tuple(self._stream.at.get((known.offering, row.date_to, move.line), ()))
        exact = tuple(line for line in at if (line.old, line.new) == (move.old, move.new))
        if any(line.nature == "market" for line in exact):
            return self._account_of_found(row, known, move, exact)
        after = moment(row.date_to)
        sides = (
            Side(known, move.line, row.field, row.date_from, after - INSTANT, move.old, after),
            Side(known, move.line, row.field, row.date_to, after, move.new, after),
        )
        if exact:
            return self._account_of_correction(sides, exact)
        if _is_noise(move.old, move.new):
            return Account(NOISE_ACCOUNT)
        return self._account_of_sides(sides, at)

    def _account_of_found(self, row: TruthRow, known: KnownId, move: Move, exact: tuple[MovedLine, ...]) -> Account:
        """A move that its change tells; a hold on what made it may have kept it back until it was released."""
        after = moment(row.date_to)
        holds = [*self._evidence.doubts.of_reading(known.reference, row.date_to)] if move.new is None else []
        if move.new is not None:
            holds += self._evidence.doubts.of_statement(known.reference, move.line, move.new, after)
        released = next((doubt for doubt in holds if not doubt.keeps_back), None)
        return Account(f"{TOLD_LATE}: {released}" if released else FOUND, "", exact)

    def _account_of_correction(self, sides: Sides, exact: tuple[MovedLine, ...]) -> Account:
        speakers = [self._evidence.speaker(side.known.offering, side.line.tariff, side.at) for side in sides]
        if speakers[0] == speakers[1]:
            return Account(NOT_FOUND, f"only a correction has it, though {speakers[0]} speaks before and after", exact)
        return Account(AS_CORRECTION, f"{speakers[0]} speaks before, {speakers[1]} after", exact)

    def _account_of_sides(self, sides: Sides, at: tuple[MovedLine, ...]) -> Account:
        """Why the ledger believes something else than the row says, before the move, after it, or both.

        Where what it believes moved then too, that move has to be among the changes.
        """
        believed = [self._evidence.believed(side.known.offering, side.line, side.at) for side in sides]
        reasons = [self._reason(side, price) for side, price in zip(sides, believed, strict=True)]
        said = f"believed {_shown(believed[0])} -> {_shown(believed[1])}"
        proof = "; ".join(dict.fromkeys([said, *(text for reason in reasons for text in reason.proofs)]))
        counterparts = tuple(line for line in at if [line.old, line.new] == believed)
        if any(reason.fails for reason in reasons) or (believed[0] != believed[1] and not counterparts):
            return Account(NOT_FOUND, proof, at)
        labels = dict.fromkeys(label for reason in reasons for label in reason.labels)
        if not labels:
            return Account(NOT_FOUND, f"{said} as the row says, but no change tells it", at)
        return Account(_label(labels, bool(counterparts)), proof, counterparts)

    def _reason(self, side: Side, believed: Decimal | None) -> Reason:
        """Why the ledger believes ``believed`` where the truth row says ``side.claimed``, step by step."""
        reason = Reason()
        if side.claimed == believed:
            return reason
        word = self._evidence.word(side.known, side.line, side.at)
        stated = word.amount if word is not None and not word.missed else None
        if stated != side.claimed and not self._explain_statement(reason, side, stated):
            return reason.failing(f"{side.known} stated {_shown(stated)}, the row says {_shown(side.claimed)}")
        return reason if stated == believed else self._explain_belief(reason, side, word, believed)

    def _explain_belief(self, reason: Reason, side: Side, word: Word | None, believed: Decimal | None) -> Reason:
        """Why the ledger does not believe what the id says: noise, doubt, another id that goes before, or patience."""
        is_said = word is not None and not word.missed
        if word is not None and is_said and _is_noise(word.amount, believed):
            return reason.because(NOISE_ACCOUNT, f"{_shown(word.amount)} is {_shown(believed)}")
        if word is not None and is_said and self._explain_doubt(reason, side, word.amount, believed):
            return reason
        speaker = self._evidence.speaker(side.known.offering, side.line.tariff, side.at)
        if speaker is not None and speaker != side.known and self._is_read_as(speaker, side, believed):
            label = RENAMED if self._is_renamed(side, speaker) else OTHER_ID
            return reason.because(label, f"{speaker} states {_shown(believed)}")
        if word is not None and not is_said and word.amount == believed:
            return self._bridge(reason, side, word.missed)
        return reason.failing(f"believed {_shown(believed)} without a reason on {side.date}")

    def _explain_doubt(self, reason: Reason, side: Side, stated: Decimal, believed: Decimal | None) -> bool:
        """Why the id is not believed: what it says is held or was its slip, and what it said before counts."""
        doubts = self._evidence.doubts.of_statement(side.known.reference, side.line, stated, side.at)
        for doubt in doubts:
            if doubt.keeps_back and doubt.instead == believed:
                reason.because(f"{HELD}: {doubt}", f"a hold has {_shown(believed)} instead of {_shown(stated)}")
                return True
        slip = self._evidence.slip(side.known, side.line, side.at)
        if slip is None or (slip.amount, slip.instead) != (stated, believed):
            return False
        reason.because(SLIP, f"{side.known} stated {_shown(believed)} before and after")
        return True

    def _is_renamed(self, side: Side, speaker: KnownId) -> bool:
        """Whether the one id was there for the last time as the other came."""
        ids = (side.known, speaker), (speaker, side.known)
        return any(self._evidence.goes_on_as(one, other, side.line, side.turned) for one, other in ids)

    def _explain_statement(self, reason: Reason, side: Side, stated: Decimal | None) -> bool:
        """Why the id's statement is not the field's value.

        That part of the document was held, the zero was dropped, or another field goes before.
        """
        for doubt in self._evidence.doubts.of_reading(side.known.reference, side.date):
            if doubt.keeps_back:
                reason.because(f"{HELD_PART}: {doubt}", f"{side.known} is read as before on {side.date}")
                return True
        if stated is None and not side.claimed:
            unknown = self._zeros.is_unknown(side.known.provider, side.known.external_id)
            reason.because(ZERO_UNKNOWN, f"no zero of {side.known} was written")
            return unknown
        place = (side.date, side.known.provider, side.known.external_id)
        fields = self._documents.fields_of(*place, side.line)
        others = [field for field, amount in fields.items() if field != side.field and amount == stated]
        reason.because(OTHER_FIELD, f"{', '.join(others)} gives {_shown(stated)}")
        return bool(others) and self._documents.sheet(*place).get(side.line) == stated

    def _is_read_as(self, speaker: KnownId, side: Side, believed: Decimal | None) -> bool:
        """Whether an id says what is believed, but for noise, or is read so while what it says is held."""
        word = self._evidence.word(speaker, side.line, side.at)
        if word is None:
            return believed is None
        doubts = self._evidence.doubts.of_statement(speaker.reference, side.line, word.amount, side.at)
        read_as = [word.amount, *(doubt.instead for doubt in doubts if doubt.keeps_back)]
        return any(amount == believed or _is_noise(amount, believed) for amount in read_as)

    def _bridge(self, reason: Reason, side: Side, missed: int) -> Reason:
        back = self._evidence.returned(side.known, side.line, side.at)
        proof = f"{side.known} missed {missed} reading(s)"
        if back is None:
            return reason.because(STILL_MISSING, f"{proof} and the record ends")
        return reason.because(BRIDGED, f"{proof}, back on {back:%Y-%m-%d}")


def _moves(old: FieldMeaning, new: FieldMeaning) -> Iterator[Move]:
    """One move, or two where the field means another line after than before."""
    if old.line is None or new.line is None or old.line == new.line:
        line = new.line or old.line
        assert line is not None
        yield Move(line, old.amount, new.amount)
        return
    yield Move(old.line, old.amount, None)
    yield Move(new.line, None, new.amount)


def _joined(parts: list[Account]) -> Account:
    """Two halves of a move between lines: accounted for when both are."""
    counterparts = tuple(line for part in parts for line in part.counterparts)
    proof = "; ".join(filter(None, (part.proof for part in parts)))
    if any(part.label == NOT_FOUND for part in parts):
        return Account(NOT_FOUND, proof, counterparts)
    halves = " + ".join(dict.fromkeys(part.label for part in parts))
    return Account(f"{TWO_LINES}: {halves}", proof, counterparts)


def _is_noise(old: Decimal | None, new: Decimal | None) -> bool:
    if old is None or new is None:
        return False
    return abs(old - new) <= NOISE * max(abs(old), abs(new))


def _label(labels: Iterable[str], has_counterpart: bool) -> str:
    """The reasons as one label; a dropped zero tells also whether a change stands beside the row."""
    ending = ": the change starts or ends at no price" if has_counterpart else ": no price before or after"
    return " + ".join(label + ending if label == ZERO_UNKNOWN else label for label in labels)


def _shown(amount: Decimal | None) -> str:
    return "nothing" if amount is None else plain(amount)
