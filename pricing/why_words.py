"""The sentences that say why a price is believed, from the rows that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pricing.claims import LIST_LAYER, Conditions
from pricing.models import Decision, Price, Source, Statement
from pricing.timeline import Value
from tracker.amounts import plain
from tracker.moments import beginning, utc

WHAT_VERDICTS_MEAN = {
    "sets": "sets this price",
    "agrees": "says the same",
    "differs": "differs",
    "confirms": "confirms it by another line",
    "elsewhere": "divides the tariff otherwise",
    "silent": "says nothing now",
}


class Speaker(Protocol):
    """A source, by name and by what it says."""

    @property
    def source(self) -> str: ...

    @property
    def verdict(self) -> str: ...


def set_by(price: Price, last_reading: datetime | None) -> str:
    """Who set the price: a ruling, a person's statement, or what a source was read to say."""
    if price.decision is not None:
        return _pinned(price.decision)
    statement = price.statement
    if statement is None:
        return "Nothing is kept of who set it."
    if statement.source.kind == Source.Kind.EDITOR:
        return _stated(statement)
    return _read(statement, last_reading)


def _pinned(decision: Decision) -> str:
    who = decision.made_by.get_username() if decision.made_by else "Somebody"
    return f"{who} pinned it on {utc(decision.made_at)}{_reason(decision.note)}{_cited(decision.citation_url)}."


def _stated(statement: Statement) -> str:
    who = statement.author.get_username() if statement.author else "An editor"
    title = statement.citation_title or statement.citation_url
    taken_back = f" It was taken back or replaced on {utc(statement.ended_at)}." if statement.ended_at else ""
    when = utc(statement.first_observed_at)
    return f"{who} stated it on {when}{_reason(statement.note)}{_cited(title)}.{taken_back}"


def _read(statement: Statement, last_reading: datetime | None) -> str:
    reference = statement.reference
    under = f" under the id {reference.external_id} of {reference.provider}" if reference else ""
    title = statement.citation_title or statement.citation_url
    return (
        f"{statement.source} states {plain(statement.amount)} {statement.currency}{under}{_cited(title)}. "
        f"{_run(statement, last_reading)}"
    )


def _run(statement: Statement, last_reading: datetime | None) -> str:
    first = f"It was first read so at {utc(statement.first_observed_at)}"
    if statement.ended_at == statement.first_observed_at:
        return f"{first}; that document was read again since, and says otherwise."
    if statement.ended_at is not None:
        return f"{first}, and no longer at {utc(statement.ended_at)}."
    return f"{first}, and still so at the last reading, {utc(last_reading or statement.first_observed_at)}."


def _reason(note: str) -> str:
    return f", saying “{note.strip().rstrip('.')}”" if note.strip() else ""


def _cited(citation: str) -> str:
    return f" (source: {citation})" if citation else ""


def begins(price: Price) -> str:
    """What dates the beginning, and how exactly."""
    when = beginning(price.effective_from, price.precision, price.observed_after)
    if price.dated_by is not None:
        return f"{price.dated_by.source} dates the same move inside the window of the readings: {when}."
    if price.decision is not None:
        return f"The ruling holds from {when}."
    if price.observed_after is not None:
        return f"No source dates the beginning. It lies {when}: one reading did not show the price, the next did."
    return _begins_undated(price, when) if price.precision == "observed" else _begins_dated(price, when)


def _begins_dated(price: Price, when: str) -> str:
    is_own = price.statement is not None and price.statement.effective_from == price.effective_from
    return f"The source itself dates the beginning: {when}." if is_own else f"It begins: {when}."


def _begins_undated(price: Price, when: str) -> str:
    if _said_before(price):
        return (
            f"{price.source} said so before, but its word counts from {utc(price.effective_from)} on: "
            "until then a source before it in the order set the price."
        )
    return f"No source dates the beginning: it was in force {when}, when {price.source or 'it'} was first read."


def _said_before(price: Price) -> bool:
    statement = price.statement
    return (
        statement is not None
        and statement.effective_from is None
        and statement.first_observed_at < price.effective_from
    )


def ends(price: Price, withdrawal: Decision | None, follower: Price | None, now: datetime) -> str:
    """When and why it ends and what follows, or nothing."""
    if price.effective_until is None:
        return ""
    verb = "ended" if price.effective_until <= now else "ends"
    then = (
        f"; {plain(follower.amount)} {follower.currency} {'followed' if verb == 'ended' else 'follows'}"
        if follower
        else ""
    )
    if withdrawal is None:
        return f"It {verb} at {utc(price.effective_until)}{then}."
    who = withdrawal.made_by.get_username() if withdrawal.made_by else "somebody"
    return f"It {verb} at {utc(price.effective_until)}, because {who} withdrew the offering{_reason(withdrawal.note)}."


def because(price: Price, others: Sequence[Speaker]) -> str:
    """Why this one counts, and how many others there are."""
    if price.decision is not None:
        return "A person's ruling stands before every source."
    if not others:
        return "No other source states this tariff at that moment."
    agreeing = [v.source for v in others if v.verdict in ("agrees", "confirms")]
    differing = [v.source for v in others if v.verdict in ("differs", "elsewhere")]
    parts = [
        f"it is confirmed by {', '.join(agreeing)}" if agreeing else "",
        f"{', '.join(differing)} {'says' if len(differing) == 1 else 'say'} otherwise" if differing else "",
    ]
    return f"One source sets a tariff whole, the first in the order below; {'; '.join(filter(None, parts))}."


def known(price: Price) -> str:
    """Since when, and until when, the record believed it."""
    since = f"The record has it since {utc(price.known_from)}"
    if utc(price.recorded_at) != utc(price.known_from):
        since += f" (written {utc(price.recorded_at)})"
    if price.known_until is None:
        return f"{since}."
    return f"{since} and believed it until {utc(price.known_until)}; then what was learnt put another row in its place."


def money(value: Value) -> str:
    """Amount and currency."""
    return f"{plain(value[0])} {value[1]}"


def cell(line: Conditions) -> str:
    """What sets a line apart within its tariff."""
    words = [
        line.slot,
        f"above {line.above_input_tokens:,} input tokens" if line.above_input_tokens else "",
        line.layer if line.layer != LIST_LAYER else "",
    ]
    return " ".join(filter(None, words)) or "flat"
