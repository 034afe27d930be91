"""Whom a source means by a provider id: the curated table in data/companies, extended by admins."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.text import slugify

from companies.models import Company, CompanyAlias
from companies.record import tables
from companies.record.entries import CompanyEntry, read_company
from companies.record.files import files_of
from feeds.models import SellerAlias
from pricing.models import Source


@dataclass(frozen=True, slots=True)
class SellerTable:
    """The curated table: sellers by (source, provider), developers by vendor id, companies by slug."""

    sellers: dict[tuple[str, str], tables.Seller]
    developers: dict[str, str]
    companies: dict[str, CompanyEntry]


@lru_cache(maxsize=4)
def seller_table(folder: Path) -> SellerTable:
    """The table as the record in ``folder`` has it; read once in a process. Raises BadRecord."""
    companies = [read_company(*file) for file in files_of(folder, "companies")]
    return SellerTable(
        sellers=tables.seller_table(companies),
        developers=tables.developer_table(companies),
        companies={company.slug: company for company in companies},
    )


@dataclass(frozen=True, slots=True)
class Seller:
    """Whom a provider id means: the company, the listing, and what a zero price means there."""

    company: Company
    listing: str
    zeros: str

    def zero_means(self, external_id: str) -> str:
        """``free``, ``included`` or ``unknown`` for a price of 0 on this id."""
        if external_id.endswith(":free"):
            return "free"
        if self.zeros:
            return self.zeros
        return "free" if self.company.kind == Company.Kind.LAB else "unknown"


class Sellers:
    """Finds the seller of a provider id for one source; makes a company for review where nobody is known."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._table = seller_table(settings.RECORD_DIR)
        self._found: dict[str, Seller] = {}
        self._ruled = {
            alias.provider: alias for alias in SellerAlias.objects.filter(source=source).select_related("company")
        }
        self._companies = {company.slug: company for company in Company.objects.all()}
        self.made: list[Company] = []

    def find(self, provider: str, name: str = "") -> Seller:
        """The seller behind a provider id."""
        if provider not in self._found:
            self._found[provider] = self._look_up(provider, name)
        return self._found[provider]

    def in_brief(self, provider: str) -> list[object]:
        """Whom a provider id means and what its zeros do, in plain values; nothing where nobody is known yet."""
        ruled, curated = self._ruled.get(provider), self._table.sellers.get((self._source.slug, provider))
        slug = curated.company if curated is not None else _slug(provider)
        company = ruled.company if ruled is not None else self._companies.get(slug)
        if company is None:
            return []
        entry = ruled or curated
        return [company.pk, company.kind, entry.listing if entry else "", entry.zeros if entry else ""]

    def developer(self, vendor: str) -> Company | None:
        """The company that makes models under a vendor id such as ``anthropic``, if it is known."""
        slug = self._table.developers.get(vendor)
        return self._company(slug) if slug else None

    def _look_up(self, provider: str, name: str) -> Seller:
        ruled = self._ruled.get(provider)
        if ruled is not None:
            return Seller(ruled.company, ruled.listing, ruled.zeros)
        if self._source.kind == Source.Kind.CURATED:
            return Seller(self._company(provider), "", "free")
        curated = self._table.sellers.get((self._source.slug, provider))
        if curated is not None:
            return Seller(self._company(curated.company), curated.listing, curated.zeros)
        return Seller(self._unknown(provider, name), "", "")

    def _company(self, slug: str) -> Company:
        """A company of the curated table; its other facts follow when the curated record is loaded."""
        if slug not in self._companies:
            entry = self._table.companies[slug]
            self._companies[slug] = Company.objects.create(slug=slug, name=entry.name, kind=entry.kind)
            self.made.append(self._companies[slug])
        return self._companies[slug]

    def _unknown(self, provider: str, name: str) -> Company:
        slug = _slug(provider)
        if slug not in self._companies:
            company = Company.objects.create(slug=slug, name=(name or provider)[:200], needs_review=True)
            CompanyAlias.objects.create(company=company, name=provider[:200])
            self._companies[slug] = company
            self.made.append(company)
        return self._companies[slug]


def _slug(provider: str) -> str:
    """Of a company that nobody knows but by its provider id."""
    slug = slugify(provider.replace(".", "-").replace("/", "-"))[:100]
    return slug or f"seller-{hashlib.sha256(provider.encode()).hexdigest()[:12]}"
