"""changes.atom and changes.jsonfeed: the stream of changes as feed readers take it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import feedparser
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pricing.models import PricingChange, Source
from tests.api import factories as make
from tests.api.contract import fault_of
from tests.api.subscriptions import SubscriptionContract
from tests.api.test_change_endpoints import TestChanges, record

__all__ = ["record"]

ATOM, JSON_FEED = "/api/v1/changes.atom", "/api/v1/changes.jsonfeed"
JUNE = make.moment("2026-06-01")
_ATOM = "{http://www.w3.org/2005/Atom}"


def read_atom(client: Client, **query: Any) -> Any:
    """The feed as feedparser reads it, after the rules of RFC 4287 that it does not look at."""
    response = client.get(ATOM, query)
    assert response.status_code == 200, response.content
    check_atom(ElementTree.fromstring(response.content))
    parsed = feedparser.parse(response.content)
    assert not parsed.bozo, parsed.bozo_exception
    return parsed


def check_atom(feed: ElementTree.Element) -> None:
    """What RFC 4287 asks of a feed and its entries (sections 4.1.1 and 4.1.2)."""
    for element in [feed, *feed.iter(f"{_ATOM}entry")]:
        for name in ("id", "title", "updated"):
            (found,) = element.findall(_ATOM + name)
            assert found.text
        assert re.fullmatch(r"[-\d]{10}T[:\d]{8}(\.\d+)?Z", element.findtext(f"{_ATOM}updated", ""))
        assert all(author.findtext(f"{_ATOM}name") for author in element.findall(f"{_ATOM}author"))
        assert element.find(f"{_ATOM}author") is not None
        links = [link.attrib for link in element.findall(f"{_ATOM}link")]
        alternates = [(link.get("type"), link.get("hreflang")) for link in links if link["rel"] == "alternate"]
        assert len(alternates) == len(set(alternates)) > 0
    ids = [entry.findtext(f"{_ATOM}id", "") for entry in feed.iter(f"{_ATOM}entry")]
    assert len(set(ids)) == len(ids)
    assert all(UUID(each.removeprefix("urn:uuid:")) for each in ids)


def check_json_feed(feed: dict[str, Any]) -> None:
    """What the specification of JSON Feed 1.1 asks of a feed and its items."""
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] and isinstance(feed["items"], list)
    for name in ("home_page_url", "feed_url", "next_url"):
        assert feed.get(name, "http://").startswith("http://")
    for item in feed["items"]:
        assert isinstance(item["id"], str) and item["id"]
        assert item["content_html"] and item["content_text"]
        assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
        assert all(author["name"] for author in item["authors"])
        assert all(isinstance(tag, str) for tag in item["tags"])
    own = {name for each in (feed, *feed["items"]) for name in each if name.startswith("_")}
    assert own <= {"_tracker"}


def read_json(client: Client, **query: Any) -> dict[str, Any]:
    feed: dict[str, Any] = client.get(JSON_FEED, query).json()
    check_json_feed(feed)
    return feed


def titles(feed: Any) -> list[str]:
    return [entry.title for entry in feed.entries]


class TestAtom(SubscriptionContract):
    path = ATOM
    template = ATOM
    media_type = "application/atom+xml"
    record = record


class TestJSONFeed(SubscriptionContract):
    path = JSON_FEED
    template = JSON_FEED
    media_type = "application/feed+json"
    record = record


@pytest.mark.django_db
class TestEntries:
    def test_every_filter_of_changes_selects_the_same(self, client: Client, record: dict[str, Any]) -> None:
        for name, examples in TestChanges.filters.items():
            pairs = examples(record) if callable(examples) else examples
            for value, _ in pairs if isinstance(pairs, list) else [pairs]:
                rows = client.get("/api/v1/changes/", {name: value}).json()["results"]
                assert titles(read_atom(client, **{name: value})) == [row["headline"] for row in rows], name
                changes = [item["_tracker"]["change"] for item in read_json(client, **{name: value})["items"]]
                assert changes == rows, name

    def test_a_value_that_a_filter_cannot_read_is_named(self, client: Client, record: dict[str, Any]) -> None:
        assert "increase" in fault_of(client.get(ATOM, {"kind": "incrase"}), "kind")["choices"]
        fault_of(client.get(JSON_FEED, {"limit": "1001"}), "limit")

    def test_an_entry_tells_the_change(self, client: Client, record: dict[str, Any]) -> None:
        Source.objects.filter(slug="models-dev").update(name="models.dev", homepage="https://models.dev", licence="MIT")
        PricingChange.objects.filter(headline="up").update(
            source=make.source(), observed_after=make.MAY - timedelta(hours=6)
        )
        (entry,) = read_atom(client, kind="increase").entries
        assert (entry.title, entry.author, entry.updated) == ("up", "models.dev", "2026-05-01T00:00:00Z")
        assert entry.published == entry.updated
        assert {tag.term for tag in entry.tags} == {"increase", "market", "deepseek", "deepseek-v4"}
        assert entry.rights == "Data of models.dev, licence: MIT"
        for part in ("0.435 USD", "0.66 USD", "+51.72%", "per 1M tokens", "Confirmed by: nobody else yet"):
            assert part in entry.content[0].value
        assert "Effective: between 2026-04-30 18:00 UTC and 2026-05-01 00:00 UTC" in entry.summary

    def test_links_lead_to_the_change_the_offering_and_the_company(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        (entry,) = read_atom(client, kind="increase").entries
        assert [link.rel for link in entry.links] == ["alternate", "related", "related"]
        for link in entry.links:
            assert client.get(link.href).status_code == 200

    def test_ids_stay_whatever_the_host_is_called(self, client: Client, record: dict[str, Any], settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["one.example", "two.example"]
        first, second = (
            feedparser.parse(client.get(ATOM, headers={"Host": host}).content)
            for host in ("one.example", "two.example")
        )
        assert [entry.id for entry in first.entries] == [entry.id for entry in second.entries]
        assert first.entries[0].link.startswith("http://one.example/")
        assert [entry.id for entry in first.entries] == [item["id"] for item in self.items(client, settings)]

    def items(self, client: Client, settings: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.get(JSON_FEED, headers={"Host": "one.example"}).json()["items"]
        return found

    def test_a_correction_is_an_entry_that_says_what_it_supersedes(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        up = record["up"]
        mended = make.change(record["line"], "0.66", "0.6", nature="correction", kind="corrected", headline="mended")
        entries = {entry.title: entry.content[0].value for entry in read_atom(client).entries}
        assert (
            f'Supersedes: <a href="http://testserver/api/v1/changes/{up.pk}/">change {up.pk}</a>' in entries["mended"]
        )
        assert "Superseded by: <a" in entries["up"] and f"change {mended.pk}" in entries["up"]
        assert "upersede" not in entries["down"]

    def test_a_source_that_does_not_allow_republishing_is_said_to(self, client: Client, record: dict[str, Any]) -> None:
        source = make.source("openrouter", name="OpenRouter", may_republish=False)
        PricingChange.objects.filter(headline="up").update(source=source)
        (entry,) = read_atom(client, kind="increase").entries
        assert "OpenRouter does not allow its data to be republished" in entry.rights
        assert "OpenRouter does not allow its data to be republished" in entry.content[0].value
        assert "0.66" in entry.content[0].value

    def test_what_was_read_from_old_documents_is_no_news(self, client: Client, record: dict[str, Any]) -> None:
        make.change(record["line"], "0.66", "0.7", JUNE, headline="old", backfilled=True)
        assert "old" not in titles(read_atom(client))
        assert {"old", "listed"} <= set(titles(read_atom(client, initial="true")))

    def test_changes_without_lines_are_told(self, client: Client, record: dict[str, Any]) -> None:
        hours = {"old": {"peak": "daily 01:00–04:00 UTC"}, "new": {"peak": "Mon–Fri 01:00–04:00 UTC"}}
        offering = record["line"].offering
        change = make.change(record["line"], "1", "1", kind="restructured", headline="hours", calendar=hours)
        change.lines.all().delete()
        to = make.offering("deepseek-next")
        moved = make.change(record["line"], "1", "1", kind="rerouted", headline="route", routed_to_offering=to)
        moved.lines.all().delete()
        assert offering.pk
        told = {entry.title: entry.content[0].value for entry in read_atom(client).entries}
        assert "<td>peak</td><td>daily 01:00–04:00 UTC</td><td>Mon–Fri 01:00–04:00 UTC</td>" in told["hours"]
        assert "<li>Leads to: deepseek-next</li>" in told["route"]


@pytest.mark.django_db
class TestFeed:
    def test_title_says_the_filters_in_words(self, client: Client, record: dict[str, Any]) -> None:
        make.company("deepseek").__class__.objects.filter(slug="deepseek").update(name="DeepSeek")
        assert read_atom(client).feed.title == "Pricing changes"
        asked = {"seller": "deepseek", "kind": "increase"}
        assert read_atom(client, **asked).feed.title == "Pricing changes of DeepSeek: increases"
        asked = {"model": "deepseek-v4", "seller": "azure", "min_percent": "10", "meter": "input_tokens"}
        title = "Pricing changes of deepseek-v4 at Azure: by 10% or more, meter input"
        assert read_json(client, **asked)["title"] == title

    def test_self_link_has_the_filters(self, client: Client, record: dict[str, Any]) -> None:
        feed = read_atom(client, kind="increase", seller="deepseek").feed
        (own,) = [link.href for link in feed.links if link.rel == "self"]
        assert own == f"http://testserver{ATOM}?kind=increase&seller=deepseek"

    def test_updated_is_when_the_newest_was_detected(self, client: Client, record: dict[str, Any]) -> None:
        assert read_atom(client).feed.updated == "2026-06-01T06:00:00Z"
        make.observation(at=make.moment("2026-06-02T06:00"))
        assert read_atom(client, kind="withdrawn").feed.updated == "2026-06-02T06:00:00Z"

    def test_a_feed_without_entries_is_a_feed(self, client: Client, db: None) -> None:
        assert read_atom(client).entries == []
        assert read_json(client)["items"] == []

    def test_pages_lead_to_each_other(self, client: Client, record: dict[str, Any]) -> None:
        walked, address = [], f"{ATOM}?limit=2"
        while address:
            page = feedparser.parse(client.get(address).content)
            walked += titles(page)
            links = {link.rel: link.href for link in page.feed.links}
            assert links["first"].endswith(f"{ATOM}?limit=2")
            address = links.get("next", "")
        assert walked == ["paid", "fixed", "down", "up"]
        assert titles(feedparser.parse(client.get(links["previous"]).content)) == ["paid", "fixed"]
        first = read_json(client, limit=3)
        assert [item["title"] for item in client.get(first["next_url"]).json()["items"]] == ["up"]

    def test_new_change_is_seen_at_once(self, client: Client, record: dict[str, Any]) -> None:
        tag = client.get(ATOM).headers["ETag"]
        make.change(record["line"], "0.66", "0.7", JUNE, headline="new")
        response = client.get(ATOM, headers={"If-None-Match": tag})
        assert titles(feedparser.parse(response.content))[0] == "new"

    def test_formats_have_tags_of_their_own(self, client: Client, record: dict[str, Any]) -> None:
        tag = client.get(ATOM).headers["ETag"]
        assert client.get(JSON_FEED, headers={"If-None-Match": tag}).status_code == 200

    @pytest.mark.parametrize("path", [ATOM, JSON_FEED])
    def test_number_of_queries_does_not_grow_with_the_page(
        self, client: Client, record: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries, path: str
    ) -> None:
        source = make.source()
        for number in range(40):
            line = make.line(make.offering(f"model-{number}"))
            make.change(line, "1", "2", source=source)
            make.change(line, "2", "1.5", nature="correction", kind="corrected", source=source)
        # State, changes, sources, what corrections take back (5), and the seven of changes/.
        with django_assert_num_queries(15):
            response = client.get(path)
        assert response.content.count(b"Supersedes") >= 40


class Marks(HTMLParser):
    """The elements of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.django_db
class TestHostileNames:
    HOSTILE = "<script>alert(1)</script> & \"]]> \x00\x08\x1b\x7f\ufffe\n\r\tend'"

    def test_nothing_of_a_name_is_markup(self, client: Client) -> None:
        name = self.HOSTILE.replace("\x00", "")  # PostgreSQL keeps no NUL
        source = make.source("bad", name=name, homepage="javascript:alert(1)", licence=name)
        line = make.line(make.offering("bad"), variant=name, region="a<b>c</b>")
        make.change(line, "1", "2", source=source, headline=name)
        (entry,) = read_atom(client).entries
        assert entry.title_detail.type == "text/plain"
        assert "<script>" in entry.title
        (item,) = read_json(client)["items"]
        marks = Marks(item["content_html"])
        assert marks.tags <= {"table", "thead", "tbody", "tr", "th", "td", "ul", "li", "a"}
        assert marks.addresses == []
        assert "url" not in item["authors"][0]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ufffe]", item["title"] + item["content_html"])
        assert "\n" not in item["title"]
