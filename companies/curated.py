"""Loading the curated record: companies, events and metrics, once each, without undoing a person's edits."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from companies.models import BusinessMetric, Company, CompanyAlias, MonetizationEvent
from companies.record.entries import CompanyEntry, EventEntry, MetricEntry
from companies.record.fields import Citation
from companies.record.reading import CuratedRecord, read_record

OUTCOMES = ("created", "updated", "unchanged", "edited", "dropped")

Entry = CompanyEntry | EventEntry | MetricEntry
Row = Company | MonetizationEvent | BusinessMetric


@dataclass(slots=True)
class LoadReport:
    """How many entries of each kind had which outcome.

    ``edited`` rows were changed by a person since and were left alone; ``dropped`` rows stand in
    the tables from an earlier load, but no longer in the files, and were left alone as well.
    """

    companies: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    metrics: Counter[str] = field(default_factory=Counter)

    @property
    def written(self) -> int:
        """How many rows this load wrote."""
        return sum(tally["created"] + tally["updated"] for tally in (self.companies, self.events, self.metrics))

    def __str__(self) -> str:
        kinds = (("companies", self.companies), ("events", self.events), ("metrics", self.metrics))
        return "; ".join(f"{name}: {_outcomes(tally)}" for name, tally in kinds)


def load(folder: Path) -> LoadReport:
    """Bring the tables in line with the record in a folder.

    Everything is read and checked first, and all is written in one transaction: a record with a
    mistake in any file raises BadRecord and changes nothing.
    """
    record = read_record(folder)
    with transaction.atomic():
        return _write(record)


def _write(record: CuratedRecord) -> LoadReport:
    report = LoadReport()
    companies = _write_companies(record.companies, report.companies)
    _write_owned(record.events, MonetizationEvent, _event_values, companies, report.events)
    _write_owned(record.metrics, BusinessMetric, _metric_values, companies, report.metrics)
    return report


def _write_companies(entries: Iterable[CompanyEntry], tally: Counter[str]) -> dict[str, Company]:
    rows = {company.slug: company for company in Company.objects.all()}
    known = _alias_names()
    listed = set()
    for entry in _parents_first(entries):
        listed.add(entry.slug)
        row = rows.setdefault(entry.slug, Company(slug=entry.slug))
        values = _company_values(entry, rows)
        if _put(row, entry, values, tally):
            _add_aliases(row, entry, known.get(row.pk, set()))
    tally["dropped"] = sum(1 for slug, row in rows.items() if row.curated_digest and slug not in listed)
    return rows


def _write_owned(
    entries: Iterable[Any], model: Any, values_of: Any, companies: Mapping[str, Company], tally: Counter[str]
) -> None:
    rows = {(row.company_id, row.key): row for row in model.objects.all()}
    listed = set()
    for entry in entries:
        company = companies[entry.company]
        place = company.pk, entry.key
        listed.add(place)
        _put(rows.get(place) or model(company=company, key=entry.key), entry, values_of(entry), tally)
    tally["dropped"] = sum(1 for place, row in rows.items() if row.curated_digest and place not in listed)


def _put(row: Row, entry: Entry, values: Mapping[str, Any], tally: Counter[str]) -> bool:
    """Write one entry to its row where that is due; whether it was written."""
    digest = digest_of(entry)
    if row.edited or row.curated_digest == digest:
        tally["edited" if row.edited else "unchanged"] += 1
        return False
    tally["updated" if row.pk else "created"] += 1
    for name, value in values.items():
        setattr(row, name, value)
    row.curated_digest = digest
    row.save()
    return True


def digest_of(entry: Entry) -> str:
    """The digest of an entry as it stands in the record; equal content gives an equal digest."""
    text = json.dumps(asdict(entry), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _parents_first(entries: Iterable[CompanyEntry]) -> list[CompanyEntry]:
    waiting = {entry.slug: entry for entry in entries}
    ordered: list[CompanyEntry] = []
    while waiting:
        for entry in [entry for entry in waiting.values() if entry.parent not in waiting]:
            ordered.append(waiting.pop(entry.slug))
    return ordered


def _company_values(entry: CompanyEntry, rows: Mapping[str, Company]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "country": entry.country,
        "founded": entry.founded,
        "website": entry.website,
        "parent": rows[entry.parent] if entry.parent else None,
        "summary": entry.summary,
        "needs_review": False,
    }


def _event_values(entry: EventEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "title": entry.title,
        "summary": entry.summary,
        "announced_on": entry.announced_on,
        "effective_on": entry.effective_on,
        "effective_at": entry.effective_at,
        "precision": entry.precision,
        "affected": list(entry.affected),
        "cross_model": entry.cross_model,
        "extra_sources": [{"url": url, "title": title} for url, title in entry.extra_sources],
        **_citation_values(entry.citation),
    }


def _metric_values(entry: MetricEntry) -> dict[str, Any]:
    return {
        "metric": entry.metric,
        "value": entry.value,
        "currency": entry.currency,
        "as_of": entry.as_of,
        "precision": entry.precision,
        "kind": entry.kind,
        "scope": entry.scope,
        **_citation_values(entry.citation),
    }


def _citation_values(citation: Citation) -> dict[str, str]:
    return {
        "source_url": citation.url,
        "source_title": citation.title,
        "source_class": citation.source_class,
        "confidence": citation.confidence,
    }


def _alias_names() -> dict[int, set[str]]:
    names: dict[int, set[str]] = {}
    for company, name in CompanyAlias.objects.values_list("company_id", "name"):
        names.setdefault(company, set()).add(name.lower())
    return names


def _add_aliases(row: Company, entry: CompanyEntry, known: set[str]) -> None:
    """Add the names, vendor parts and provider ids that the company does not have yet; none is taken away."""
    wanted = [*entry.aliases, *entry.developer_ids, *(feed_id.provider for feed_id in entry.feed_ids)]
    for name in wanted:
        if name.lower() not in known:
            known.add(name.lower())
            CompanyAlias.objects.create(company=row, name=name)


def _outcomes(tally: Mapping[str, int]) -> str:
    return ", ".join(f"{tally[outcome]} {outcome}" for outcome in OUTCOMES if tally[outcome]) or "none"
