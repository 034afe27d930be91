"""What an entry of a feed says of one pricing change: its facts and tables, as HTML and as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from pricing.claims import Conditions
from pricing.headlines import day_in_words, label
from pricing.syndication.texts import legible, one_line
from tracker.moments import beginning, utc

Shape = Mapping[str, Any]
_COORDINATES = (
    "meter",
    "service_tier",
    "region",
    "variant",
    "commitment",
    "above_input_tokens",
    "slot",
    "layer",
)
_PRICES = ("Price", "Old", "New", "Change", "Unit")
_HOURS = ("Slot", "Hours before", "Hours from then on")


@dataclass(frozen=True, slots=True)
class Speaker:
    """A source as readers need to know it."""

    name: str
    homepage: str = ""
    licence: str = ""
    may_republish: bool = True

    @property
    def rights(self) -> str:
        """Under which terms its data may be passed on."""
        if not self.may_republish:
            return f"{self.name} does not allow its data to be republished: for your own reading."
        return f"Data of {self.name}, licence: {self.licence}" if self.licence else ""


EDITORS = Speaker("Editors")
Speakers = Mapping[str, Speaker]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a change; ``address`` leads to it, if anything does."""

    label: str
    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under their columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Content:
    """All that an entry says below its title."""

    facts: Sequence[Fact]
    tables: Sequence[Table]

    @property
    def summary(self) -> str:
        """The facts in one line of text."""
        return one_line(". ".join(f"{fact.label}: {fact.text.rstrip('.')}" for fact in self.facts)) + "."

    @property
    def text(self) -> str:
        """Facts and tables as lines of plain text."""
        rows = [", ".join(filter(None, row)) for table in self.tables for row in table.rows]
        return legible("\n".join([*rows, *(f"{fact.label}: {fact.text}" for fact in self.facts)]))

    @property
    def html(self) -> str:
        """Tables and facts as HTML in which nothing but our own elements is markup."""
        return legible("".join([*map(_table_html, self.tables), "<ul>", *map(_fact_html, self.facts), "</ul>"]))


def content_of(change: Shape, speakers: Speakers, related: Iterable[Fact] = ()) -> Content:
    """What a change says, from its shape in the API. ``related`` are facts about other changes."""
    lines, calendar = change["lines"], change["calendar"]
    tables = [Table(_PRICES, [_price_row(line) for line in lines])] if lines else []
    if calendar:
        tables.append(Table(_HOURS, _hour_rows(calendar)))
    facts = [*_route_facts(change["route"]), *_time_facts(change), *_source_facts(change, speakers), *related]
    return Content(facts, tables)


def _price_row(line: Shape) -> list[str]:
    conditions = Conditions(*(line[name] for name in _COORDINATES))
    old, new = _amount(line["old"], line["old_currency"]), _amount(line["new"], line["currency"])
    return [label(conditions), old, new, f"{line['percent']}%" if line["percent"] else "", line["unit"]]


def _amount(amount: str | None, currency: str) -> str:
    return "none" if amount is None else f"{amount} {currency}"


def _hour_rows(calendar: Shape) -> list[list[str]]:
    old, new = calendar.get("old") or {}, calendar.get("new") or {}
    return [[slot, old.get(slot, ""), new.get(slot, "")] for slot in sorted({*old, *new})]


def _route_facts(route: Shape | None) -> Iterable[Fact]:
    for words, end in (("Led to", "from"), ("Leads to", "to")):
        if route:
            yield Fact(words, route[end]["name"] if route[end] else "nothing")


def _time_facts(change: Shape) -> Iterable[Fact]:
    after = _moment(change["observed_after"])
    yield Fact("Effective", beginning(datetime.fromisoformat(change["effective_at"]), change["precision"], after))
    announced_for = _moment(change["announced_for"])
    if announced_for is not None:
        yield Fact("Announced for", day_in_words(announced_for))
    yield Fact("Detected", utc(datetime.fromisoformat(change["detected_at"])))


def _source_facts(change: Shape, speakers: Speakers) -> Iterable[Fact]:
    speaker = speaker_of(change, speakers)
    yield Fact("Source", speaker.name, speaker.homepage)
    confirming = [speakers[slug].name if slug in speakers else slug for slug in change["confirmed_by"]]
    yield Fact("Confirmed by", ", ".join(confirming) or "nobody else yet")
    if not speaker.may_republish:
        yield Fact("Terms", speaker.rights)


def speaker_of(change: Shape, speakers: Speakers) -> Speaker:
    """Whose statement moved it; the editors for a person's ruling."""
    return speakers.get(change["source"] or "", EDITORS)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _table_html(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _fact_html(fact: Fact) -> str:
    text = escape(fact.text)
    if fact.address.startswith(("https://", "http://")):
        text = f'<a href="{escape(fact.address)}">{text}</a>'
    return f"<li>{escape(fact.label)}: {text}</li>"
