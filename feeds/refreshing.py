"""One run over a feed: read, archive, parse, find the offerings, tell the ledger, report."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from feeds import budgets
from feeds.archive import archive
from feeds.document_holds import Weighing, let_go, weigh_again
from feeds.identity import Identity
from feeds.leases import lease
from feeds.models import Feed, Refresh
from feeds.reading import Document, NetworkNotAllowed, Unchanged, newest
from feeds.refusals import CouldNotFetch, RefreshRefused
from feeds.registry import Parsed, known_feed
from feeds.reports import DRY_RUN, Report, document_report, finish, ledger_counts, new_refresh, rates_report
from feeds.row_reading import RowsToTake, rows_to_take
from feeds.sellers import Sellers
from pricing.claims import ParsedDocument, UnreadableDocument
from pricing.costing.garbage import without_collections
from pricing.currencies.published import PublishedRates
from pricing.currencies.recording import record_rates
from pricing.ledger import LedgerError, Reading, StaleObservation, observe, observe_again
from pricing.locks import lock_ledger
from pricing.models import Observation, Reference
from tracker.outbound.errors import OutboundError

logger = logging.getLogger(__name__)
FIRST_BACKOFF = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(days=1)
CLOCK_TOLERANCE = timedelta(minutes=1)
# A document that was fetched and has so many times as many rows as its source is known for needs a person's look.
LARGEST_GROWTH = 5
GROWTH_FROM = 1_000


def refresh(
    feed: Feed,
    *,
    document: Document | Unchanged | None = None,
    trigger: str = "command",
    backfilled: bool = False,
    dry_run: bool = False,
    in_full: bool = False,
    say: Callable[[str], None] = lambda _step: None,
) -> Report:
    """Refresh a feed from its newest document, or from the one given.

    All or nothing: a document that cannot be taken whole changes nothing. ``dry_run`` does the
    work and takes it back. ``in_full`` reads every row, also those that say what they said.
    Raises FeedIsTaken, CouldNotFetch, RefreshRefused.
    """
    with lease(feed):
        feed.refresh_from_db()
        try:
            found = document or _read(feed, trigger, dry_run, say)
            with without_collections():
                report = _take(feed, found, trigger, backfilled, dry_run, in_full, say)
        except (UnreadableDocument, LedgerError) as error:
            if document is None and not dry_run:
                _note_failure(feed, trigger, Refresh.Status.REFUSED, str(error))
            raise RefreshRefused(f"{feed.slug}: {error}") from error
        except (CouldNotFetch, RefreshRefused):
            raise
        except Exception as error:
            # What nobody foresaw must not come back at every tick: it waits as any other failure does.
            if document is None and not dry_run:
                _note_failure(feed, trigger, Refresh.Status.FAILED, f"{type(error).__name__}: {error}")
            raise
        if not dry_run:
            _note_success(feed) if document is None else _note_given(feed, found)
        return report


def check_moment(observed_at: datetime) -> None:
    """Refuse a naive or future moment of observation. Raises RefreshRefused."""
    if observed_at.tzinfo is None:
        raise RefreshRefused(
            f"{observed_at.isoformat()} has no time zone; say when it was observed as {observed_at.isoformat()}Z"
        )
    if observed_at > timezone.now() + CLOCK_TOLERANCE:
        raise RefreshRefused(
            f"{observed_at.isoformat()} lies ahead; a document is observed at a moment that has passed"
        )


def _read(feed: Feed, trigger: str, dry_run: bool, say: Callable[[str], None]) -> Document | Unchanged:
    say(f"reading {feed.slug}")
    try:
        return newest(feed)
    except NetworkNotAllowed as error:
        raise CouldNotFetch(f"{feed.slug}: {error}") from error
    except OutboundError as error:
        if not dry_run:
            _note_failure(feed, trigger, Refresh.Status.FAILED, str(error))
        raise CouldNotFetch(f"{feed.slug}: could not fetch {feed.address}: {error}") from error


def _take(
    feed: Feed,
    found: Document | Unchanged,
    trigger: str,
    backfilled: bool,
    dry_run: bool,
    in_full: bool,
    say: Callable[[str], None],
) -> Report:
    digest = found.digest if isinstance(found, Document) else feed.current_digest
    if _was_read(feed, found, digest):
        return Report(feed.slug, "unchanged", found.observed_at, digest, note="this document was taken before")
    if digest == feed.current_digest and not _is_old(feed, found.observed_at):
        return _take_unchanged(feed, found, digest, trigger, dry_run)
    if isinstance(found, Unchanged):
        raise StaleObservation("the server says that nothing changed, but a later reading was taken meanwhile")
    if found.is_outdated:
        return Report(feed.slug, "unchanged", found.observed_at, digest, note="a newer document was taken before")
    say(f"parsing {len(found.body):,} bytes")
    rows = rows_to_take(feed, found.body, in_full)
    parsed = rows if rows is not None else known_feed(feed.slug).parse(found.body)
    if found.from_network:
        _check_growth(feed, parsed)
    say(_what_follows(parsed))
    with transaction.atomic():
        # Offerings are found or made under the same lock as prices: two feeds may meet one at the same time.
        lock_ledger()
        if isinstance(parsed, PublishedRates):
            report = _write_rates(feed, found, digest, parsed, trigger, backfilled)
        else:
            report = _write(feed, found, digest, parsed, trigger, backfilled)
        if dry_run:
            transaction.set_rollback(True)
            report.refresh_id, report.note = None, DRY_RUN
    return report


def _what_follows(parsed: Parsed | RowsToTake) -> str:
    if isinstance(parsed, PublishedRates):
        return f"recording {len(parsed.rates):,} rates"
    if isinstance(parsed, RowsToTake):
        return f"reconciling {len(parsed):,} rows"
    return f"reconciling {len(parsed.offerings):,} offerings"


def _check_growth(feed: Feed, parsed: Parsed | RowsToTake) -> None:
    """Refuse what outgrew its source by far, unless an operator gives it by hand. Raises UnreadableDocument."""
    if isinstance(parsed, PublishedRates):
        return
    rows = len(parsed) if isinstance(parsed, RowsToTake) else len(parsed.offerings)
    known = Reference.objects.filter(source=feed.source, absent_since=None).count()
    if known and rows > max(GROWTH_FROM, LARGEST_GROWTH * known):
        raise UnreadableDocument(
            f"the document has {rows:,} rows, and its source had {known:,} when it was last read; where that is right, "
            f"save it and give it by hand: manage.py refresh {feed.slug} --file FILE"
        )


def _was_read(feed: Feed, found: Document | Unchanged, digest: str) -> bool:
    """Whether this very document was taken at this very moment: running again changes nothing."""
    if isinstance(found, Unchanged) or found.from_network:
        return False
    return Observation.objects.filter(source=feed.source, digest=digest, observed_at=found.observed_at).exists()


def _is_old(feed: Feed, observed_at: datetime) -> bool:
    return Observation.objects.filter(source=feed.source, observed_at__gt=observed_at).exists()


def _take_unchanged(feed: Feed, found: Document | Unchanged, digest: str, trigger: str, dry_run: bool) -> Report:
    """Nothing new was said; that it was said again is kept, since it may end what was missing."""
    with transaction.atomic():
        run = new_refresh(feed, found.observed_at, digest, trigger, Refresh.Status.UNCHANGED)
        lock_ledger()
        reading = Reading(feed.source, found.observed_at, digest, run.pk)
        outcome = observe_again(reading)
        let_go(feed, weigh_again(feed.source, found.observed_at), reading)
        report = Report(feed.slug, "unchanged", found.observed_at, digest, run.pk, counts=ledger_counts(outcome))
        finish(run, report)
        if dry_run:
            transaction.set_rollback(True)
            report.refresh_id, report.note = None, DRY_RUN
    return report


def _write(
    feed: Feed,
    document: Document,
    digest: str,
    rows: ParsedDocument | RowsToTake,
    trigger: str,
    backfilled: bool,
) -> Report:
    run = new_refresh(feed, document.observed_at, digest, trigger, Refresh.Status.DONE)
    run.payload = archive(document, digest)
    is_old = _is_old(feed, document.observed_at)
    sellers = Sellers(feed.source)
    parsed, going_on = rows.begin(sellers, is_old) if isinstance(rows, RowsToTake) else (rows, None)
    known = known_feed(feed.slug)
    reading = Reading(feed.source, document.observed_at, digest, run.pk, backfilled)
    identity = Identity(
        feed.source, known, document.observed_at, keep_presence=not is_old, sellers=sellers, reading=reading
    )
    weighing = Weighing(feed.source, document.observed_at, run.pk)
    identified = identity.identify(parsed, going_on, weighing.cover)
    if not is_old:
        weighing.weigh(identified)
    outcome = observe(
        reading,
        identified.told,
        routes=identified.routes,
        unreadable=identified.unreadable,
        going_on=identified.going_on,
    )
    if not is_old:
        _hold_document(feed, document, digest)
        if isinstance(rows, RowsToTake):
            rows.end(identified, digest)
    let_go(feed, weighing.insisted, reading)
    report = document_report(run, parsed, identified, ledger_counts(outcome))
    finish(run, report)
    return report


def _write_rates(
    feed: Feed, document: Document, digest: str, published: PublishedRates, trigger: str, backfilled: bool
) -> Report:
    """A document of exchange rates: an observation like any other, which states no price."""
    run = new_refresh(feed, document.observed_at, digest, trigger, Refresh.Status.DONE)
    run.payload = archive(document, digest)
    is_old = _is_old(feed, document.observed_at)
    reading = Reading(feed.source, document.observed_at, digest, run.pk, backfilled)
    observe(reading, ())
    recorded = record_rates(reading, published.rates)
    if not is_old:
        _hold_document(feed, document, digest)
    report = rates_report(run, published, recorded)
    finish(run, report)
    return report


def _hold_document(feed: Feed, document: Document, digest: str) -> None:
    """Remember which body is held, so that validators are trusted for this body only."""
    feed.current_digest = digest
    feed.etag, feed.last_modified = document.etag[:500], document.last_modified[:200]
    feed.validated_digest = digest if document.from_network else ""
    feed.save(update_fields=["current_digest", "etag", "last_modified", "validated_digest"])


def _note_success(feed: Feed) -> None:
    now = timezone.now()
    Feed.objects.filter(pk=feed.pk).update(failures=0, last_success_at=now, next_due_at=now + feed.every)
    budgets.judge(feed)


def _note_given(feed: Feed, document: Document | Unchanged) -> None:
    """A document given by hand is a success of the moment at which it was observed: an old one makes nothing fresh."""
    later = Q(last_success_at=None) | Q(last_success_at__lt=document.observed_at)
    Feed.objects.filter(later, pk=feed.pk).update(last_success_at=document.observed_at)
    budgets.judge(feed)


def _note_failure(feed: Feed, trigger: str, status: Refresh.Status, error: str) -> None:
    """Write the failure down and come back later: twice as late each time, within a day."""
    now = timezone.now()
    wait = min(FIRST_BACKOFF * 2 ** min(feed.failures, 12), LONGEST_BACKOFF, max(feed.every, FIRST_BACKOFF))
    Feed.objects.filter(pk=feed.pk).update(failures=feed.failures + 1, next_due_at=now + wait)
    Refresh.objects.create(feed=feed, trigger=trigger, status=status, finished_at=now, error=error)
    if trigger != "command":  # who called the command is told by it
        logger.warning("%s: %s", feed.slug, error)
    budgets.judge(feed)


__all__ = ["CouldNotFetch", "RefreshRefused", "Report", "StaleObservation", "check_moment", "refresh"]
