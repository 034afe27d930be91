"""What is remembered of the rows of a feed's newest document, so that its next one is compared and not read anew.

A row counts as said again where its mark is that of the last reading, the code and the sellers' table are the same,
and its reference still leads where it led. Only what was told to the ledger as it stands is remembered: what a hold
keeps back of a document is read each time. Whenever anything else is in doubt, nothing is known of any row, and the
whole document is read. Losing what is remembered costs that much, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from django.db.models import Max
from django.utils import timezone

from companies.models import AIModel
from feeds.models import Feed, TakenRows
from feeds.rows import MARK_BYTES, code_mark
from feeds.sellers import Sellers
from pricing.models import Decision, Observation, Offering, Reference, RouteStatement

# A document of more rows than this, which none comes near, is read whole each time.
MOST_ROWS = 100_000


class GoesOn(NamedTuple):
    """A reference of which a document says what it said: its offering, who sells that, and whether it has prices."""

    offering: int
    seller: int
    is_priced: bool


@dataclass(slots=True)
class GoingOn:
    """The rows of a document that say what they said, by mark, and what they mean, by reference."""

    rows: dict[bytes, Row] = field(default_factory=dict)
    references: dict[int, GoesOn] = field(default_factory=dict)
    zeros_unknown: int = 0


class Row(NamedTuple):
    """A row as it was taken: where it led, how many of its zeros said nothing, and whether it has any price."""

    reference: int
    offering: int
    model: int
    zeros_unknown: int
    is_priced: bool


class _Content(msgspec.Struct):
    """All that is remembered, as it is stored."""

    circumstances: str
    observation: int
    digest: str
    sellers: dict[str, list[Any]]
    marks: bytes
    rows: tuple[list[int], list[int], list[int], list[int], list[bool]]


class Memory:
    """What is known of a feed's rows as a reading begins, and what is remembered as it ends.

    Must be made under the feed's lease and the ledger's lock, before anything of the reading is written.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._circumstances = _circumstances()
        self._providers: set[str] = set()

    def going_on(self, marks: Mapping[Any, bytes], sellers: Sellers) -> GoingOn:
        """The rows among these of which nothing new is said; none where anything is in doubt."""
        content = self._content()
        if content is None or self._is_in_doubt(content) or not _means_the_same(content, sellers):
            return GoingOn()
        self._providers = set(content.sellers)
        known = dict(zip(_split(content.marks), map(Row, *content.rows), strict=True))
        standing = _standing(self._feed)
        found = GoingOn()
        for mark in marks.values():
            row = known.get(mark)
            now = standing.get(row.reference) if row is not None else None
            if row is not None and now is not None and now[:2] == (row.offering, row.model):
                found.rows[mark] = row
                found.references[row.reference] = GoesOn(row.offering, now[2], row.is_priced)
                found.zeros_unknown += row.zeros_unknown
        return found

    def _content(self) -> _Content | None:
        stored = TakenRows.objects.filter(feed=self._feed).values_list("content", flat=True).first()
        try:
            return msgspec.msgpack.decode(bytes(stored), type=_Content) if stored is not None else None
        except msgspec.MsgspecError:
            return None

    def _is_in_doubt(self, content: _Content) -> bool:
        """Whether anything but the document's own rows may decide otherwise than it did."""
        if content.circumstances != self._circumstances:
            return True
        source = self._feed.source
        since = Observation.objects.filter(source=source, pk__gt=content.observation)
        if since.exclude(digest=content.digest).exists():
            return True
        return RouteStatement.objects.filter(source=source, ended_at__isnull=True).exists()

    def keep(self, rows: Mapping[bytes, Row], digest: str, providers: Iterable[str], sellers: Sellers) -> None:
        """Remember the rows that go on, and those that were taken in the reading that ends, of these providers."""
        if len(rows) > MOST_ROWS:
            forget(self._feed)
            return
        observation = Observation.objects.filter(source=self._feed.source).order_by("-observed_at").values_list("pk")[0]
        columns: Any = tuple(map(list, zip(*rows.values(), strict=True))) if rows else ([], [], [], [], [])
        content = _Content(
            circumstances=self._circumstances,
            observation=observation[0],
            digest=digest,
            sellers={provider: sellers.in_brief(provider) for provider in self._providers.union(providers)},
            marks=b"".join(rows),
            rows=columns,
        )
        TakenRows.objects.update_or_create(
            feed=self._feed, defaults={"content": msgspec.msgpack.encode(content), "written_at": timezone.now()}
        )


def is_remembered(feed: Feed) -> bool:
    """Whether anything is known of the rows of a feed's last document."""
    return TakenRows.objects.filter(feed=feed).exists()


def forget(feed: Feed) -> None:
    """Read the next document whole, since what the last one was taken to say is told anew."""
    TakenRows.objects.filter(feed=feed).delete()


def _circumstances() -> str:
    """What is the same only while nobody ruled on, edited or linked anything that rows lead to, by the same code."""
    edited = [_last(model.history.model, "history_id") for model in (Offering, AIModel, Reference)]
    return " ".join(map(str, (code_mark(), _last(Decision, "pk"), *edited)))


def _last(model: Any, number: str) -> int:
    return model.objects.aggregate(last=Max(number))["last"] or 0


def _means_the_same(content: _Content, sellers: Sellers) -> bool:
    """Whether each provider id means whom it meant, and its zeros what they did."""
    return all(sellers.in_brief(provider) == brief for provider, brief in content.sellers.items())


def _split(marks: bytes) -> list[bytes]:
    return [marks[start : start + MARK_BYTES] for start in range(0, len(marks), MARK_BYTES)]


def _standing(feed: Feed) -> dict[int, tuple[int, int, int]]:
    """The references that the last document named, with their offerings, those's models and sellers.

    Without those of a rename: what is sold under an old and a new id is compared each time. Plain queries: right after
    a first load PostgreSQL knows too little of the tables to join them well.
    """
    unmerged = Offering.objects.filter(merged_into=None).order_by().values_list("pk", "model_id", "seller_id")
    offerings = {pk: (pk, model or 0, seller) for pk, model, seller in unmerged}
    named = Reference.objects.filter(source=feed.source, absent_since=None).order_by()
    rows = named.values_list("pk", "offering_id")
    renames = Reference.objects.filter(source=feed.source, continues__isnull=False).order_by()
    renamed = {reference for pair in renames.values_list("pk", "continues_id") for reference in pair}
    return {pk: offerings[offering] for pk, offering in rows if offering in offerings and pk not in renamed}
