"""Parsing archived documents again after an adapter was mended: what they were thought to say is corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db import transaction

from feeds.archive import BodyNotKept, body_of, reading_at
from feeds.identity import Identity
from feeds.kept_back import kept_back, without
from feeds.leases import lease
from feeds.models import Feed, Payload, Refresh
from feeds.refusals import RefreshRefused
from feeds.registry import known_feed
from feeds.reports import DRY_RUN, Report, document_report, finish, new_refresh, settled_counts
from feeds.taken_rows import forget
from pricing.claims import ParsedDocument, UnreadableDocument
from pricing.currencies.published import PublishedRates
from pricing.ledger import Reading, Retelling, Retold, observe_anew
from pricing.locks import lock_ledger
from pricing.models import Observation

Say = Callable[[str], None]


@dataclass(slots=True)
class _Told:
    """One reading that was told anew: its run, what the run reports, and whether it wrote anything besides claims."""

    run: Refresh
    report: Report
    made_anything: bool


def stretch_at(feed: Feed, moment: datetime | None = None) -> list[Observation]:
    """The reading that held at a moment (None: now), with those beside it that found the same document.

    They are replayed together: to mend the first alone would make the next ones look like a move.
    Raises RefreshRefused when the feed had not been read by then.
    """
    found = reading_at(feed, moment)
    if found is None:
        when = f" by {moment.isoformat()}" if moment is not None else " yet"
        raise RefreshRefused(f"{feed.slug} was not read{when}; there is nothing to replay")
    return next(same for same in _stretches(feed) if found in same)


def readings_since(feed: Feed, moment: datetime | None = None) -> list[Observation]:
    """The feed's readings from a moment on (None: all), with those before that found the first one's document.

    Raises RefreshRefused when there are none.
    """
    late = [same for same in _stretches(feed) if moment is None or same[-1].observed_at >= moment]
    if not late:
        since = f" since {moment.isoformat()}" if moment is not None else " yet"
        raise RefreshRefused(f"{feed.slug} was not read{since}; there is nothing to replay")
    return [reading for same in late for reading in same]


def _stretches(feed: Feed) -> list[list[Observation]]:
    """The feed's readings in order, those one after another that found the same document together."""
    readings = Observation.objects.filter(source=feed.source).order_by("observed_at")
    return [list(same) for _, same in groupby(readings, key=lambda reading: reading.digest)]


def replay(
    feed: Feed, readings: Sequence[Observation], *, dry_run: bool = False, say: Say = lambda _step: None
) -> list[Report]:
    """Parse the documents of readings with today's adapter and correct what they were taken to say.

    All in one transaction, so that a mistake in many documents is one correction. A reading whose document says
    what it was taken to say writes nothing; a document that is not kept, or that the adapter refuses, stays as it
    was taken, and its report says so. Raises FeedIsTaken.
    """
    with lease(feed), transaction.atomic():
        lock_ledger()
        reports = retell(feed, readings, say=say)
        if dry_run:
            transaction.set_rollback(True)
            for report in reports:
                report.refresh_id, report.note = None, report.note or DRY_RUN
    return reports


def retell(
    feed: Feed,
    readings: Sequence[Observation],
    *,
    as_correction: bool = True,
    seen_by: Reading | None = None,
    say: Say = lambda _step: None,
) -> list[Report]:
    """Parse the documents of readings and tell them again, but for what holds keep back of them.

    Must run under the feed's lease and the ledger's lock. What it moves is a correction of the record, unless the
    readings were right and only held back; ``seen_by`` is the reading that let them go.
    """
    forget(feed)
    replayed = _Replay(feed, reading_at(feed), say)
    retold = observe_anew(replayed.retellings(readings), as_correction=as_correction, seen_by=seen_by)
    return replayed.reports(retold)


@dataclass(slots=True)
class _Replay:
    """One replay of a feed under way."""

    feed: Feed
    newest: Observation | None
    say: Say
    told: list[_Told] = field(default_factory=list)
    skipped: list[Report] = field(default_factory=list)

    def retellings(self, readings: Sequence[Observation]) -> Iterator[Retelling]:
        """What each reading says now; a document is parsed once for the readings that found it one after another."""
        done = 0
        for digest, same in groupby(readings, key=lambda reading: reading.digest):
            together = list(same)
            done += len(together)
            self.say(f"replaying {together[0].observed_at:%Y-%m-%d %H:%M} ({done}/{len(readings)})")
            try:
                parsed = self._parsed(digest)
            except (BodyNotKept, UnreadableDocument) as error:
                self.skipped += [self._left(reading, str(error)) for reading in together]
                continue
            for reading in together:
                yield self._retelling(reading, parsed)

    def _parsed(self, digest: str) -> ParsedDocument:
        parsed = known_feed(self.feed.slug).parse(body_of(digest))
        if isinstance(parsed, PublishedRates):
            raise UnreadableDocument("it gives exchange rates, which are kept by their days and not told anew")
        return parsed

    def _left(self, reading: Observation, reason: str) -> Report:
        return Report(self.feed.slug, "skipped", reading.observed_at, reading.digest, note=f"left as taken: {reason}")

    def _retelling(self, reading: Observation, parsed: ParsedDocument) -> Retelling:
        at, digest = reading.observed_at, reading.digest
        run = new_refresh(self.feed, at, digest, "replay", Refresh.Status.DONE)
        run.payload = Payload.objects.filter(digest=digest).defer("compressed").first()
        is_newest = reading == self.newest
        identity = Identity(self.feed.source, known_feed(self.feed.slug), at, keep_presence=is_newest)
        held = frozenset(kept_back(self.feed.source, at))
        identified = without(identity.identify(parsed, covers=lambda _lacking: held), held)
        made_anything = bool(identified.new_offerings or identified.new_references)
        self.told.append(_Told(run, document_report(run, parsed, identified, {}), made_anything))
        return Retelling(Reading(self.feed.source, at, digest, run.pk), identified.told, identified.unreadable)

    def reports(self, retold: Retold) -> list[Report]:
        """What was done, reading by reading; the run of one that wrote nothing leaves no trace."""
        for told, put_in, taken_out in zip(self.told, retold.put_in, retold.taken_out, strict=True):
            told.report.counts |= {"statements_new": put_in, "statements_ended": taken_out}
        wrote = [told for told in self.told if told.made_anything or _has_claims(told.report)]
        if wrote:
            wrote[-1].report.counts |= settled_counts(retold.settled)
        for told in self.told:
            if told in wrote:
                finish(told.run, told.report)
            else:
                _take_back(told)
        reports = [*self.skipped, *(told.report for told in self.told)]
        return sorted(reports, key=lambda report: str(report.observed_at))


def _has_claims(report: Report) -> bool:
    return bool(report.counts["statements_new"] or report.counts["statements_ended"])


def _take_back(told: _Told) -> None:
    told.run.delete()
    told.report.status, told.report.refresh_id = "unchanged", None
    told.report.note = "it says what it was taken to say"
