"""Taking the rows of a document: those that are new to its feed are read, those that say what they said go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from feeds.identity import Identified
from feeds.models import Feed
from feeds.registry import known_feed
from feeds.rows import ReadRows, SplitDocument
from feeds.sellers import Sellers
from feeds.taken_rows import GoingOn, Memory, Row, is_remembered
from pricing.claims import ParsedDocument


def rows_to_take(feed: Feed, body: bytes, in_full: bool = False) -> RowsToTake | None:
    """A document's rows, read already where all must be read; None where the feed's documents are read whole.

    Raises UnreadableDocument.
    """
    document = known_feed(feed.slug).split(body)
    if document is None:
        return None
    rows = RowsToTake(feed, document)
    if in_full or not is_remembered(feed):
        rows.read = document.read()
    return rows


@dataclass(slots=True)
class RowsToTake:
    """The rows of one document on their way into the record: ``begin`` says which were read, ``end`` remembers them.

    Both must be called under the feed's lease and the ledger's lock, the first before anything of the reading is
    written. ``read`` holds what all rows say, where they had to be read anyway.
    """

    feed: Feed
    document: SplitDocument
    read: ReadRows | None = None
    _sellers: Sellers | None = None
    _memory: Memory | None = None
    _going_on: GoingOn = field(default_factory=GoingOn)

    def __len__(self) -> int:
        return len(self.document.rows)

    def begin(self, sellers: Sellers, is_old: bool) -> tuple[ParsedDocument, GoingOn]:
        """What the rows say that must be heard, and those that go on; an old document is heard whole."""
        self._sellers, self._memory = sellers, Memory(self.feed)
        if self.read is None and not is_old:
            self._going_on = self._memory.going_on(self.document.marks, sellers)
        self.read = self.read or self.document.read(self._going_on.rows)
        if self._going_on.rows and any(row.routes for row in self.read.document.offerings):
            # Where an id leads is looked up among all that the document names.
            self._going_on, self.read = GoingOn(), self.document.read()
        return self.read.document, self._going_on

    def end(self, identified: Identified, digest: str) -> None:
        """Remember what was taken of the newest document as it stands, for the next one."""
        assert self.read is not None and self._memory is not None and self._sellers is not None
        taken = _taken(self.read, identified)
        providers = {row.provider for row in self.read.document.offerings}
        self._memory.keep(self._going_on.rows | taken, digest, providers, self._sellers)


def _taken(read: ReadRows, identified: Identified) -> dict[bytes, Row]:
    """The plain rows that were told of as they stand, and lead to an offering that stands."""
    stated = {(row.provider, row.model): len(row.claims) for row in read.document.offerings}
    found = {}
    for told in identified.told:
        key = identified.keys[told.reference]
        mark, offering = read.plain.get(key), identified.offerings[key]
        if mark is not None and offering.merged_into_id is None:
            zeros_unknown = stated[key] - len(told.claims)
            found[mark] = Row(told.reference, offering.pk, offering.model_id or 0, zeros_unknown, bool(told.claims))
    return found
