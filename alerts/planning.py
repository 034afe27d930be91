"""Which notices of one channel make which messages: plain rules without a database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

CHANGE, BULK, DIGEST, BILL = "change", "bulk", "digest", "bill"


@dataclass(frozen=True)
class DueNotice:
    """A notice that is to be told now.

    ``cause`` names what made its change (a refresh, a decision) and is None where nothing is known.
    """

    id: int
    change_id: int
    sequence: int
    watch_id: int
    cause: Hashable | None = None
    in_digest: bool = False
    on_bill: bool = False


@dataclass(frozen=True)
class PlannedMessage:
    """One message: its kind and the notices that it tells, in the order of their changes."""

    kind: str
    notices: tuple[DueNotice, ...]

    @property
    def change_ids(self) -> tuple[int, ...]:
        """Its changes, each once, in order."""
        return tuple(dict.fromkeys(notice.change_id for notice in self.notices))


def plan(notices: Iterable[DueNotice], bulk_above: int) -> list[PlannedMessage]:
    """The messages of one channel, in the order of their first changes; each notice is in exactly one.

    A watch's digest and a watch's bill are one message each. Of the rest, a change is one message
    however many watches caught it, unless its cause brought more than ``bulk_above`` changes here.
    """
    ordered = sorted(notices, key=lambda notice: (notice.sequence, notice.watch_id, notice.id))
    bills = [notice for notice in ordered if notice.on_bill]
    digests = [notice for notice in ordered if notice.in_digest and not notice.on_bill]
    instants = [notice for notice in ordered if not (notice.in_digest or notice.on_bill)]
    messages = [
        *(PlannedMessage(BILL, group) for group in _groups(bills, lambda notice: notice.watch_id)),
        *(PlannedMessage(DIGEST, group) for group in _groups(digests, lambda notice: notice.watch_id)),
        *_told_at_once(instants, bulk_above),
    ]
    return sorted(messages, key=lambda message: message.notices[0].sequence)


def _told_at_once(notices: Sequence[DueNotice], bulk_above: int) -> Iterator[PlannedMessage]:
    for group in _groups(notices, _cause_of):
        whole = PlannedMessage(BULK, group)
        if len(whole.change_ids) > bulk_above:
            yield whole
        else:
            yield from (PlannedMessage(CHANGE, same) for same in _groups(group, lambda notice: notice.change_id))


def _cause_of(notice: DueNotice) -> Hashable:
    return ("change", notice.change_id) if notice.cause is None else ("cause", notice.cause)


def _groups(notices: Iterable[DueNotice], key: Callable[[DueNotice], Hashable]) -> Iterator[tuple[DueNotice, ...]]:
    grouped: dict[Hashable, list[DueNotice]] = {}
    for notice in notices:
        grouped.setdefault(key(notice), []).append(notice)
    return (tuple(group) for group in grouped.values())
