"""What a comparison found, counted by kind and reason, in tables for people and as one JSON object."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.against_truth.accounts import FOUND, NOT_FOUND, Comparison, compare
from benchmarks.against_truth.evidence import gather
from benchmarks.against_truth.fields import Documents
from benchmarks.against_truth.reverse import TOLD, Told, tell
from benchmarks.against_truth.rows import COST, TruthRow, open_truth, read_truth
from benchmarks.against_truth.stream import Stream, read_changes

KINDS = (
    "increase",
    "decrease",
    "became_paid",
    "became_free",
    "price_added",
    "price_dropped",
    "introduced",
    "removed",
)
Table = dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Findings:
    """Both directions of a comparison, counted, with everything that was not found."""

    changes: int
    lines: int
    truth: Table
    missing: list[str]
    ours: Table
    unexplained: list[str]

    def as_json(self) -> dict[str, Any]:
        """The counts and the rows not found in plain values."""
        return {
            "changes": self.changes,
            "lines": self.lines,
            "truth": {kind: dict(counts) for kind, counts in self.truth.items()},
            "not_found": self.missing,
            "ours": {nature: dict(counts) for nature, counts in self.ours.items()},
            "ours_not_found": self.unexplained,
        }


def findings(documents: Documents, rows: Iterable[TruthRow]) -> Findings:
    """Compare the changes that the API shows with truth rows, both ways, and count."""
    return counted(*both_ways(documents, rows))


def both_ways(documents: Documents, rows: Iterable[TruthRow]) -> tuple[Stream, Comparison, list[Told]]:
    """The changes as the API shows them, an account for every truth row, and one for every line of ours."""
    stream, evidence = read_changes(documents.slug), gather(documents.slug)
    comparison = compare(rows, documents, stream, evidence)
    return stream, comparison, tell(documents, stream, evidence, comparison)


def findings_of_file(documents: Documents, truth: Path, until: str = "") -> Findings:
    """The findings of a truth file up to a date."""
    return findings(documents, read_truth(open_truth(truth), until))


def counted(stream: Stream, comparison: Comparison, told: Sequence[Told]) -> Findings:
    """Count accounts by kind, and list what has none."""
    truth: Table = defaultdict(Counter)
    ours: Table = defaultdict(Counter)
    for row, account in comparison.accounts:
        if row.scope == COST:
            truth[row.kind][account.label] += 1
    for one in told:
        ours[one.line.nature][one.account.label] += 1
    missing = [(r, a) for r, a in comparison.accounts if a.label == NOT_FOUND and r.scope == COST]
    return Findings(
        changes=stream.changes,
        lines=len(stream.lines),
        truth=truth,
        missing=[f"{row} ({account.proof})" for row, account in missing],
        ours=ours,
        unexplained=[_shown(one) for one in told if one.account.label == NOT_FOUND],
    )


def tables(found: Findings) -> Iterator[str]:
    """The findings as lines of text."""
    yield f"read over the API: {found.changes:,} changes with {found.lines:,} lines"
    yield ""
    yield "truth rows of scope cost"
    yield f"  {'kind':14} {'rows':>6} {'found':>6} {'accounted':>9} {'NOT FOUND':>9}"
    for kind in (*KINDS, *sorted(found.truth.keys() - set(KINDS))):
        if kind in found.truth:
            yield _kind_line(kind, found.truth[kind])
    for kind, counts in _in_order(found.truth):
        yield from _reasons(f"{kind}, accounted for otherwise", counts, FOUND)
    yield ""
    yield from _our_tables(found)
    yield ""
    yield f"NOT FOUND: {len(found.missing)}"
    yield from (f"  {line}" for line in found.missing)
    yield f"NOT FOUND among the truth rows, of our lines: {len(found.unexplained)}"
    yield from (f"  {line}" for line in found.unexplained)


def _our_tables(found: Findings) -> Iterator[str]:
    for nature, title in (("market", "our market lines"), ("correction", "our lines of corrections")):
        counts = found.ours.get(nature, Counter())
        yield f"{title} that are not initial: {counts.total():,}; with their truth row {counts[TOLD]:,}"
        yield from _reasons("", counts, TOLD)


def _kind_line(kind: str, counts: Counter[str]) -> str:
    rows, hit, lost = counts.total(), counts[FOUND], counts[NOT_FOUND]
    return f"  {kind:14} {rows:6,} {hit:6,} {rows - hit - lost:9,} {lost:9,}"


def _in_order(table: Table) -> list[tuple[str, Counter[str]]]:
    return sorted(table.items(), key=lambda item: KINDS.index(item[0]) if item[0] in KINDS else len(KINDS))


def _reasons(title: str, counts: Counter[str], plain: str) -> Iterator[str]:
    others = [(label, count) for label, count in counts.most_common() if label not in (plain, NOT_FOUND)]
    if others and title:
        yield f"  {title}"
    yield from (f"    {count:6,}  {label}" for label, count in others)


def _shown(told: Told) -> str:
    line = told.line
    moved = f"{line.line.meter}: {line.old} -> {line.new}"
    return f"{line.date} {line.kind} change {line.change} {moved} ({told.account.proof})"
