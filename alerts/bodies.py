"""What messages say, as webhooks send it: plain JSON made of changes as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from alerts.channels.answers import one_line
from tracker.amounts import plain
from tracker.api.fields import percent_text

Shape = Mapping[str, Any]
LONGEST_SUBJECT = 500
# A message stays readable, and far below what receivers take: the rest is counted and can be read from the API.
MOST_CHANGES = 100
MOST_REASONS = 10


@dataclass(frozen=True)
class Letter:
    """A subject and a body, ready to be kept."""

    subject: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Watching:
    """A watch that caught what a message tells, and what that means for its bill, if it has a profile."""

    id: int
    name: str
    money: Shape | None = None

    def shape(self) -> dict[str, Any]:
        """As it stands in a body."""
        return {"id": self.id, "name": self.name, "money": self.money}


@dataclass(frozen=True)
class Gathered:
    """Changes of one message: the first of them, how many there are, and when the message was made."""

    changes: Sequence[Shape]
    count: int
    at: str


def change_letter(change: Shape, watches: Sequence[Watching], corrects: Shape | None = None) -> Letter:
    """One change. ``corrects`` is the earlier message that a correction takes back, if this channel got one."""
    body = {
        "type": "pricing.change",
        "timestamp": change["detected_at"],
        "data": change,
        **_watched(watches),
        "corrects": corrects,
    }
    return Letter(_subject(titled(change)), body)


def bulk_letter(told: Gathered, watches: Sequence[Watching], offerings: int, sellers: Sequence[str]) -> Letter:
    """Many changes of one cause, on so many offerings of the sellers named."""
    title = f"{_counted(offerings, 'offering')} of {_listed(sellers)} changed"
    return Letter(_subject(title), _gathering("pricing.digest", title, told, watches, digest="bulk"))


def digest_letter(told: Gathered, watch: Watching, cadence: str) -> Letter:
    """What a watch caught since its last digest."""
    title = f"{watch.name}: {_counted(told.count, 'pricing change')}, {cadence} digest"
    return Letter(_subject(title), _gathering("pricing.digest", title, told, [watch], digest=cadence))


def bill_letter(told: Gathered, watch: Watching) -> Letter:
    """A month's bill that moved, with the changes that moved it."""
    title = bill_sentence(watch.money) or f"{watch.name}: the bill has moved"
    return Letter(_subject(title), _gathering("pricing.bill", title, told, [watch]))


def ping_letter(channel_id: int, at: str) -> Letter:
    """A test of a channel."""
    text = "This is a test: pricing alerts can reach this address."
    return Letter(text, {"type": "ping", "timestamp": at, "data": {"channel": channel_id, "text": text}})


def disabled_letter(channel_id: int, name: str, shown_address: str, reason: str, at: str) -> Letter:
    """Told to an owner by another way than the channel that was disabled."""
    subject = f"Your channel {name} gets no alerts any more"
    said = {"channel": channel_id, "name": name, "address": shown_address, "reason": reason}
    return Letter(_subject(subject), {"type": "alerts.channel_disabled", "timestamp": at, "data": said})


def titled(change: Shape) -> str:
    """A change's headline, which says of a correction that it is one."""
    return f"Correction: {change['headline']}" if change["nature"] == "correction" else str(change["headline"])


def bill_sentence(money: Shape | None) -> str:
    """What a change means for a bill, such as ``Your month: 100 -> 105.20 USD, +5.20%``; empty if nothing is known."""
    if not money:
        return ""
    percent = f", {money['percent']}%" if money["percent"] else ""
    old, new = money_text(money["old"]), money_text(money["new"])
    if old == new:
        old, new = money["old"], money["new"]
    return f"Your month: {old} -> {new} {money['currency']}{percent}"


def money_text(amount: str) -> str:
    """An amount of a bill for people: thousands apart, and two places, or more where it is less than one.

    Such as ``1,266.50`` for 1266.4987, ``100`` for 100 and ``0.0043`` for 0.00431.
    """
    exact = Decimal(amount)
    if exact == exact.to_integral_value():
        return f"{exact:,f}"
    places = 2 if abs(exact) >= 1 else 1 - exact.adjusted()
    return f"{exact:,.{places}f}"


def money_together(first: Shape | None, later: Shape | None) -> Shape | None:
    """What two moves of one bill mean together: the bill after the later of them, and by how much both moved it.

    Where changes came at one moment each of them is weighed with the other made, so the bill before
    the first is not the bill before both.
    """
    if not first or not later:
        return later or first
    new, amount = Decimal(later["new"]), Decimal(first["amount"]) + Decimal(later["amount"])
    old = new - amount
    together = {
        **later,
        "old": plain(old),
        "amount": plain(amount),
        "percent": percent_text(amount / old * 100) if old else None,
        "because": list(dict.fromkeys([*first.get("because", ()), *later.get("because", ())]))[:MOST_REASONS],
    }
    if "changes" in first or "changes" in later:
        together["changes"] = list(dict.fromkeys([*first.get("changes", ()), *later.get("changes", ())]))[:MOST_REASONS]
    return together


def _gathering(type_: str, title: str, told: Gathered, watches: Sequence[Watching], **more: Any) -> dict[str, Any]:
    gathered = {"title": title, "count": told.count, "changes": list(told.changes), **more}
    return {"type": type_, "timestamp": told.at, "data": gathered, **_watched(watches)}


def _watched(watches: Sequence[Watching]) -> dict[str, Any]:
    """The first watch and its money stand beside the data; all of them in ``watches``."""
    shapes = [watch.shape() for watch in watches]
    money = next((watch.money for watch in watches if watch.money), None)
    first = {"id": watches[0].id, "name": watches[0].name} if watches else None
    return {"watch": first, "money": money, "watches": shapes}


def _subject(text: str) -> str:
    return one_line(text, LONGEST_SUBJECT)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{len(names)} sellers"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
