"""Says in words, for people, what a message's body says for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.bodies import bill_sentence, money_text, titled
from alerts.links import change_url, changes_url
from pricing.claims import Conditions
from pricing.headlines import label
from pricing.meters import METERS
from tracker.moments import beginning, utc

Shape = Mapping[str, Any]
_METERS = {meter: place for place, meter in enumerate(METERS)}
_LINE_FIELDS = (
    "meter", "service_tier", "region", "variant", "commitment", "above_input_tokens", "slot", "layer",
)  # fmt: skip


@dataclass(frozen=True)
class PriceRow:
    """One line of a change: what it counts and in which unit, the price before and after, and by how much it moved."""

    what: str
    unit: str
    old: str
    new: str
    percent: str

    @property
    def colour(self) -> str:
        """Red for dearer, green for cheaper, both dark enough to be read on white."""
        return {"+": "#b3261e", "-": "#1b7f3b"}.get(self.percent[:1], "inherit")


@dataclass(frozen=True)
class Story:
    """One change as people read it."""

    title: str
    when: str
    rows: Sequence[PriceRow]
    link: str


@dataclass(frozen=True)
class Words:
    """One message as people read it: what leads, the changes told, what it means for a bill, and what else is said.

    ``cheaper`` names where the same could be had for less; none of ``money`` repeats the title.
    """

    title: str
    stories: Sequence[Story]
    money: Sequence[str]
    notes: Sequence[str]
    cheaper: Sequence[str] = ()


def words_of(subject: str, body: Shape) -> Words:
    """The words of a message of any kind."""
    told = body["data"]
    changes = _changes_of(body)
    title = titled(told) if body["type"] == "pricing.change" else subject
    money = [sentence for sentence in _money_of(body) if sentence != title]
    stories = [story_of(change) for change in changes]
    return Words(title, stories, money, list(_notes_of(body)), list(_cheaper_of(body)))


def story_of(change: Shape) -> Story:
    """The words of one change."""
    rows = [row_of(line) for line in sorted(change["lines"], key=_place)]
    return Story(titled(change), when_of(change), rows, change_url(change["id"]))


def row_of(line: Shape) -> PriceRow:
    """The words of one line."""
    what = label(Conditions(**{name: line[name] for name in _LINE_FIELDS}))
    old_currency = line.get("old_currency") or line["currency"]
    # Both amounts are read together: the currency stands once, unless it is what changed or nothing follows.
    told_once = old_currency == line["currency"] and line["new"] is not None
    old = _amount(line["old"], "" if told_once else old_currency)
    percent = f"{line['percent']}%" if line["percent"] else ""
    return PriceRow(what, line["unit"], old, _amount(line["new"], line["currency"]), percent)


def _place(line: Shape) -> int:
    """Input and output first, as price pages have them."""
    return _METERS.get(line["meter"], len(_METERS))


def when_of(change: Shape) -> str:
    """When it holds, as exactly as that is known: a moment, a day, or a window between two readings."""
    observed_after = change["observed_after"]
    at = beginning(
        _moment(change["effective_at"]), change["precision"], _moment(observed_after) if observed_after else None
    )
    if change["announced_for"]:
        return f"announced for {utc(_moment(change['announced_for']))}"
    return f"effective {at}"


def _changes_of(body: Shape) -> Sequence[Shape]:
    if body["type"] == "pricing.change":
        return [body["data"]]
    return list(body["data"].get("changes", ()))


def _money_of(body: Shape) -> list[str]:
    """What it means for each bill; where it means different things, each says for which watch."""
    told = {watch["name"]: bill_sentence(watch.get("money")) for watch in body.get("watches", ())}
    sentences = list(dict.fromkeys(filter(None, told.values())))
    if len(sentences) < 2:
        return sentences
    return [f"{name}: {sentence}" for name, sentence in told.items() if sentence]


def _cheaper_of(body: Shape) -> Iterator[str]:
    for each in (body.get("money") or {}).get("cheaper", ()):
        own, currency = each["instead_of"], body["money"]["currency"]
        yield (
            f"Cheaper: {each['name']} would come to {money_text(each['amount'])} {currency}"
            f" instead of {money_text(own['amount'])} at {own['name'].rpartition(' at ')[2]}"
        )


def _notes_of(body: Shape) -> Iterator[str]:
    told = body["data"]
    if body["type"] == "ping":
        yield told["text"]
    if body["type"] == "alerts.channel_disabled":
        yield f"{told['address']}: {told['reason']}. Mend it, then enable the channel again."
    if corrects := body.get("corrects"):
        told_at = utc(_moment(corrects["told_at"]))
        yield f"This corrects the alert of {told_at}: {corrects['headline']} ({corrects['message_id']})."
    if told.get("count", 0) > len(told.get("changes", ())):
        yield f"The first {len(told['changes'])} of {told['count']:,} are shown; all are at {changes_url()}"


def _amount(text: str | None, currency: str) -> str:
    return "no price" if text is None else f"{text} {currency}".strip()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
