"""What the record says of companies: who they are, what happened to their prices, their figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from companies.record.fields import PRECISIONS, Citation, Fields
from companies.record.files import BadRecord

KINDS = ("lab", "cloud", "reseller", "application", "other")
FEED_SOURCES = ("models-dev", "litellm", "genai-prices", "llm-prices", "openrouter")
ZEROS = ("free", "included", "unknown")


@dataclass(frozen=True, slots=True)
class FeedId:
    """A provider id that stands for a company in one source.

    ``listing`` keeps apart what the company sells twice under one model id: on a site for China,
    under a plan, through a gateway. ``zeros`` says what a price of 0 means there; empty follows
    the default.
    """

    source: str
    provider: str
    listing: str = ""
    zeros: str = ""


@dataclass(frozen=True, slots=True)
class CompanyEntry:
    """One file of ``companies/``. ``developer_ids`` are the vendor parts of model ids: ``meta-llama``."""

    slug: str
    name: str
    kind: str
    country: str
    founded: int | None
    founded_source_url: str
    website: str
    parent: str
    aliases: tuple[str, ...]
    summary: str
    developer_ids: tuple[str, ...]
    feed_ids: tuple[FeedId, ...]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One event of a company. ``precision`` belongs to the dates; a coarse one does not show the day."""

    company: str
    key: str
    kind: str
    title: str
    summary: str
    announced_on: date | None
    effective_on: date | None
    effective_at: datetime | None
    precision: str
    affected: tuple[str, ...]
    cross_model: bool
    citation: Citation
    extra_sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MetricEntry:
    """One figure of a company, as of a day of the given precision."""

    company: str
    key: str
    metric: str
    value: Decimal
    currency: str
    as_of: date
    precision: str
    kind: str
    scope: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Caveat:
    """A contradiction that stays visible, and the companies it is about."""

    about: tuple[str, ...]
    text: str


def read_caveat(fields: Fields) -> Caveat:
    """One note of the record. Raises BadRecord, as all of these."""
    caveat = Caveat(fields.texts("about"), fields.prose("text"))
    fields.close()
    return caveat


def read_company(place: str, slug: str, content: object) -> CompanyEntry:
    """One file of ``companies/``."""
    fields = Fields.of(place, content)
    zeros = fields.mapping("zeros")
    entry = CompanyEntry(
        slug=fields.owner("slug", slug),
        name=fields.text("name", required=True, longest=200),
        kind=fields.choice("kind", KINDS),
        country=fields.country("country"),
        founded=fields.number("founded"),
        founded_source_url=fields.url("founded_source_url"),
        website=fields.url("website"),
        parent=fields.slug("parent", required=False),
        aliases=fields.texts("aliases"),
        summary=fields.prose("summary"),
        developer_ids=fields.texts("developer_ids"),
        feed_ids=tuple(_feed_ids(fields, _zeros(zeros))),
    )
    if entry.founded and not entry.founded_source_url:
        fields.refuse("founded_source_url", "is missing, but the year of foundation needs a citation")
    fields.close()
    return entry


def _zeros(fields: Fields | None) -> dict[str, str]:
    if fields is None:
        return {}
    meanings = {source: fields.choice(source, ZEROS) for source in FEED_SOURCES if source in fields.values}
    fields.known.update(FEED_SOURCES)
    fields.close()
    return meanings


def _feed_ids(company: Fields, zeros: dict[str, str]) -> Iterable[FeedId]:
    sources = company.mapping("feed_ids")
    if sources is None:
        return
    for source in FEED_SOURCES:
        for value in sources.items(source):
            yield _feed_id(sources, source, value, zeros.get(source, ""))
    sources.close()


def _feed_id(sources: Fields, source: str, value: object, zeros: str) -> FeedId:
    if isinstance(value, str) and value.strip():
        return FeedId(source, value, zeros=zeros)
    fields = Fields.of(f"{sources.place}, {source}", value)
    found = FeedId(
        source,
        fields.text("id", required=True, longest=200),
        listing=fields.slug("listing", required=False),
        zeros=fields.choice("zeros", ("", *ZEROS), zeros),
    )
    fields.close()
    return found


def read_events(place: str, slug: str, content: object) -> list[EventEntry]:
    """One file of ``events/``."""
    file = Fields.of(place, content)
    company = file.owner("company", slug)
    events = [_event(company, fields) for fields in file.entries("events")]
    file.close()
    _refuse_twice(place, (event.key for event in events))
    return events


def _event(company: str, fields: Fields) -> EventEntry:
    event = EventEntry(
        company=company,
        key=fields.slug("key"),
        kind=fields.kind("kind"),
        title=fields.text("title", required=True),
        summary=fields.prose("summary"),
        announced_on=fields.day("announced_on"),
        effective_on=fields.day("effective_on"),
        effective_at=fields.instant("effective_at"),
        precision=fields.choice("precision", PRECISIONS),
        affected=fields.texts("affected"),
        cross_model=fields.flag("cross_model"),
        citation=fields.citation(),
        extra_sources=tuple(_extra_source(extra) for extra in fields.entries("extra_sources", required=False)),
    )
    if not (event.announced_on or event.effective_on):
        fields.refuse("announced_on", "is missing, and so is effective_on; an event needs one of them")
    if (event.precision == "exact") != (event.effective_at is not None):
        fields.refuse("precision", "is exact if and only if effective_at is given")
    fields.close()
    return event


def _extra_source(fields: Fields) -> tuple[str, str]:
    source = fields.url("url", required=True), fields.text("title", required=True, longest=500)
    fields.close()
    return source


def read_metrics(place: str, slug: str, content: object) -> list[MetricEntry]:
    """One file of ``metrics/``."""
    file = Fields.of(place, content)
    company = file.owner("company", slug)
    metrics = [_metric(company, fields) for fields in file.entries("metrics")]
    file.close()
    _refuse_twice(place, (metric.key for metric in metrics))
    return metrics


def _metric(company: str, fields: Fields) -> MetricEntry:
    as_of = fields.day("as_of", required=True)
    assert as_of is not None
    metric = MetricEntry(
        company=company,
        key=fields.slug("key"),
        metric=fields.kind("metric"),
        value=fields.amount("value"),
        currency=fields.currency("currency", required=False),
        as_of=as_of,
        precision=fields.choice("precision", PRECISIONS),
        kind=fields.kind("kind"),
        scope=fields.text("scope"),
        citation=fields.citation(),
    )
    fields.close()
    return metric


def _refuse_twice(place: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise BadRecord(f"{place}: the key {key} stands twice, but a key names one entry of a company")
        seen.add(key)
