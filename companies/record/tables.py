"""The record's two tables of ids: whose provider id this is in a source, and whose model name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from companies.record.entries import CompanyEntry, FeedId
from companies.record.files import BadRecord


@dataclass(frozen=True, slots=True)
class Seller:
    """The company behind a provider id, and what sets this listing of it apart."""

    company: str
    listing: str
    zeros: str


def seller_table(companies: Iterable[CompanyEntry]) -> dict[tuple[str, str], Seller]:
    """The seller behind each (source, provider id). Raises BadRecord when two companies claim one id."""
    table: dict[tuple[str, str], Seller] = {}
    for company in companies:
        for feed_id in company.feed_ids:
            _enter(table, company.slug, feed_id)
    return table


def developer_table(companies: Iterable[CompanyEntry]) -> dict[str, str]:
    """The company behind the vendor part of a model id, in lower case: ``meta-llama`` is meta.

    Raises BadRecord when two companies claim one.
    """
    table: dict[str, str] = {}
    for company in companies:
        for name in company.developer_ids:
            owner = table.setdefault(name.lower(), company.slug)
            if owner != company.slug:
                raise BadRecord(f"developer id {name} stands for {owner} and {company.slug}, but it means one of them")
    return table


def _enter(table: dict[tuple[str, str], Seller], company: str, feed_id: FeedId) -> None:
    place = feed_id.source, feed_id.provider
    if place in table:
        both = f"{table[place].company} and {company}"
        raise BadRecord(f"{feed_id.source} provider id {feed_id.provider} stands for {both}, but it means one seller")
    table[place] = Seller(company, feed_id.listing, feed_id.zeros)
