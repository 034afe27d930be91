"""Loads the newest document of every feed into one record and counts how its sources bear each other out.

Run it as ``python benchmarks/all_feeds.py --documents DIR``, where DIR has a folder of dated documents
for each feed (``models-dev``, ``litellm``, ``openrouter``, ``llm-prices``); the curated record and
genai-prices are taken from the project itself. It loads into a new temporary folder, or with
``--data-dir`` into that empty one. It measures and does not judge.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.truth import BadCall, configure, migrate_empty_database  # noqa: E402 - its folder comes first

if TYPE_CHECKING:
    from feeds.reading import Document

EMBEDDED = "genai-prices"
FROM_FILES = ("models-dev", "litellm", "openrouter", "llm-prices")
CHAT = ("chat", "completion", "responses")
MOST = 4
Table = list[tuple[str, int, int]]


def main() -> int:
    """Load, count, print."""
    asked = _arguments()
    try:
        if asked.data_dir is not None:
            return _run(asked.documents, asked.data_dir, asked.list)
        with tempfile.TemporaryDirectory(prefix="tracker-feeds-") as folder:
            return _run(asked.documents, Path(folder), asked.list)
    except BadCall as error:
        print(f"all_feeds: {error}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--documents", type=Path, required=True, help="a folder with a folder of documents per feed")
    parser.add_argument("--data-dir", type=Path, help="keep the record in this empty folder")
    parser.add_argument("--list", action="store_true", help="also list every open disagreement and hold")
    return parser.parse_args()


def _run(folder: Path, data_dir: Path, list_all: bool) -> int:
    configure(data_dir)
    newest = {slug: newest_document(folder / slug) for slug in FROM_FILES}
    migrate_empty_database()
    load(newest)
    print("\n".join(tables()))
    if list_all:
        print("\n".join(doubts()))
    return 0


def newest_document(folder: Path) -> Path:
    """The newest of a feed's dated documents. Raises BadCall where there is none."""
    from benchmarks.against_truth.fields import dated_files

    files = dated_files(folder) if folder.is_dir() else {}
    if not files:
        raise BadCall(f"{folder} holds no file named like 2026-02-17.json or 2026-02-17.json.gz")
    return files[max(files)]


def load(newest: dict[str, Path]) -> None:
    """Take each feed's document as a refresh does, in the order in which they were read."""
    from feeds.curation import load_curated
    from feeds.enrolment import feed_named
    from feeds.refreshing import refresh

    print(load_curated().record)
    documents = _documents(newest)
    for slug in sorted(documents, key=lambda slug: documents[slug].observed_at):
        report = refresh(feed_named(slug), document=documents[slug], trigger="file")
        seen, rejected = report.counts.get("seen", 0), report.counts.get("rejected", 0)
        print(f"{documents[slug].observed_at:%Y-%m-%d}  {slug:13} {seen:6,} rows  {rejected:4,} rejected", flush=True)


def _documents(newest: dict[str, Path]) -> dict[str, Document]:
    from benchmarks.against_truth.rows import moment
    from feeds.embedded import EMBEDDED as MADE
    from feeds.reading import Document, from_file

    found = {slug: from_file(file, moment(file.name[:10])) for slug, file in newest.items()}
    return found | {EMBEDDED: Document(*MADE[EMBEDDED]())}


def tables() -> Iterator[str]:
    """The counts as lines of text: all offerings of APIs with a price in force, and those for chat."""
    witnesses, linked, chat = _witnesses(), _linked(), _chat()
    priced = witnesses.keys()
    yield f"  {'':40} {'all':>7} {'chat':>7}"
    yield _row("offerings of APIs that a source prices", priced, chat)
    for count in range(1, MOST + 1):
        seen = {pk for pk, slugs in witnesses.items() if min(len(slugs), MOST) == count}
        yield _row(f"priced by {count}{' or more' if count == MOST else ''} of the sources", seen, chat)
    yield _row("linked to an AI model", linked & priced, chat)
    yield _share("linked, in percent", linked & priced, priced, chat)
    yield ""
    yield from _counted("disagreements open", _disagreements())
    yield from _counted("offerings with a disagreement, by who disagrees with whom", _opponents())
    yield from _counted("holds open", _holds())


def _row(title: str, offerings: Iterable[int], chat: set[int]) -> str:
    found = set(offerings)
    return f"  {title:40} {len(found):7,} {len(found & chat):7,}"


def _share(title: str, part: set[int], of: Iterable[int], chat: set[int]) -> str:
    whole = set(of)
    shares = [(len(part), len(whole)), (len(part & chat), len(whole & chat))]
    return f"  {title:40} " + " ".join(f"{100 * some / all_ if all_ else 0:7.1f}" for some, all_ in shares)


def _counted(title: str, counts: Counter[str]) -> Iterator[str]:
    yield f"  {title}: {counts.total():,}"
    yield from (f"    {count:7,}  {name}" for name, count in counts.most_common())


def _witnesses() -> dict[int, set[str]]:
    """By offering, the sources that state a price of it now."""
    from pricing.models import Offering, Statement

    rows = Statement.objects.filter(ended_at=None, line__offering__kind=Offering.Kind.API)
    found: dict[int, set[str]] = {}
    for offering, slug in rows.values_list("line__offering_id", "source__slug").distinct():
        found.setdefault(offering, set()).add(slug)
    return found


def _linked() -> set[int]:
    from pricing.models import Offering

    return set(Offering.objects.filter(model__isnull=False).values_list("pk", flat=True))


def _chat() -> set[int]:
    """Offerings for chat: a source says so, or none says what for and both directions are priced by the token."""
    from pricing.models import Offering, PriceLine

    said = set(Offering.objects.filter(mode__in=CHAT).values_list("pk", flat=True))
    silent = set(Offering.objects.filter(mode="").values_list("pk", flat=True))
    ways = (
        set(PriceLine.objects.filter(meter=meter).values_list("offering_id", flat=True))
        for meter in ("input_tokens", "output_tokens")
    )
    return said | silent.intersection(*ways)


def _disagreements() -> Counter[str]:
    from pricing.models import Disagreement

    return Counter(row.get_kind_display() for row in Disagreement.objects.filter(closed_at=None))


def _opponents() -> Counter[str]:
    from pricing.models import Disagreement

    rows = Disagreement.objects.filter(closed_at=None)
    pairs = rows.order_by().values_list("offering", "source__slug", "believed_source__slug").distinct()
    return Counter(f"{source} with {believed}" for _, source, believed in pairs)


def _holds() -> Counter[str]:
    from pricing.models import Hold

    rows = Hold.objects.filter(closed_at=None).select_related("source")
    return Counter(f"{hold.reason} ({hold.source.slug})" for hold in rows)


def doubts() -> Iterator[str]:
    """Every open disagreement and hold, one a line, for who judges them by hand."""
    from pricing.models import Disagreement, Hold
    from tracker.amounts import plain

    rows = Disagreement.objects.filter(closed_at=None).select_related("offering__seller", "line", "source")
    for row in rows.select_related("offering__seller", "line", "source", "believed_source").order_by("offering"):
        believed = "nothing" if row.believed_amount is None else plain(row.believed_amount)
        about = f"{row.offering.external_id} at {row.offering.seller.name}: {row.line}"
        yield f"{row.kind}: {about}: {row.source.slug} {plain(row.amount)}, {row.believed_source} {believed}"
    for hold in Hold.objects.filter(closed_at=None).select_related("source", "offering", "line", "seller"):
        amount = "" if hold.amount is None else f" {plain(hold.amount)} {hold.currency}"
        yield f"held, {hold.reason}: {hold.offering or hold.seller} {hold.line or ''}: {hold.source.slug}{amount}"


if __name__ == "__main__":
    sys.exit(main())
