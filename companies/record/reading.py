"""Reading a whole record: every file of companies, events and metrics, and what holds between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from companies.record.entries import (
    Caveat,
    CompanyEntry,
    EventEntry,
    MetricEntry,
    read_caveat,
    read_company,
    read_events,
    read_metrics,
)
from companies.record.fields import Fields
from companies.record.files import BadRecord, files_of, read_yaml
from companies.record.tables import developer_table, seller_table

SCHEMA = "1"


@dataclass(frozen=True, slots=True)
class Description:
    """What ``record.yaml`` says of the record: the day it was compiled, its licence, its open contradictions."""

    compiled_on: date
    licence: str
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True, slots=True)
class CuratedRecord:
    """All that is loaded into the companies' tables, in the order of the files."""

    description: Description
    companies: tuple[CompanyEntry, ...]
    events: tuple[EventEntry, ...]
    metrics: tuple[MetricEntry, ...]


def read_record(folder: Path) -> CuratedRecord:
    """The companies, events and metrics of a record's folder. Raises BadRecord at the first mistake."""
    record = CuratedRecord(
        description=read_description(folder),
        companies=tuple(read_company(*file) for file in files_of(folder, "companies")),
        events=tuple(event for file in files_of(folder, "events") for event in read_events(*file)),
        metrics=tuple(metric for file in files_of(folder, "metrics") for metric in read_metrics(*file)),
    )
    seller_table(record.companies)
    developer_table(record.companies)
    _check_parents(folder.name, record)
    _check_owners(folder.name, record)
    return record


def read_description(folder: Path) -> Description:
    """What ``record.yaml`` says. Raises BadRecord."""
    place = f"{folder.name}/record.yaml"
    fields = Fields.of(place, read_yaml(folder / "record.yaml", place))
    fields.choice("schema", (SCHEMA,))
    compiled_on = fields.day("compiled_on", required=True)
    assert compiled_on is not None
    caveats = tuple(read_caveat(entry) for entry in fields.entries("notes", required=False))
    description = Description(compiled_on, fields.text("licence", required=True), caveats)
    fields.close()
    return description


def _check_parents(name: str, record: CuratedRecord) -> None:
    parents = {company.slug: company.parent for company in record.companies}
    for company in record.companies:
        place = f"{name}/companies/{company.slug}.yaml"
        if company.parent and company.parent not in parents:
            raise BadRecord(f"{place}: parent is {company.parent}, which has no file of its own")
        above, seen = company.parent, {company.slug}
        while above:
            if above in seen:
                raise BadRecord(f"{place}: parent is {company.parent}, which makes {above} its own parent")
            seen.add(above)
            above = parents[above]


def _check_owners(name: str, record: CuratedRecord) -> None:
    slugs = {company.slug for company in record.companies}
    owned = [(f"{name}/events/{event.company}.yaml", event.company) for event in record.events]
    owned += [(f"{name}/metrics/{metric.company}.yaml", metric.company) for metric in record.metrics]
    owned += [(f"{name}/record.yaml, notes", slug) for note in record.description.caveats for slug in note.about]
    for place, slug in owned:
        if slug not in slugs:
            raise BadRecord(f"{place}: {slug} has no file in {name}/companies, which every company needs")
