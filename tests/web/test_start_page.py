"""The start page as a visitor gets it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from pricing.models import PricingChange
from tests.web.small_market import START, WEEK, SmallMarket, costs

pytestmark = pytest.mark.django_db


class Outline(HTMLParser):
    """The parts of a page that assistive software and the content policy care about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labelled_by: list[str] = []
        self.inline: list[str] = []
        self.outside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.links += [values["href"]] if tag == "a" else []
        self.ids += [values["id"]] if "id" in values else []
        self.labelled_by += values.get("aria-labelledby", "").split()
        self.inline += [tag] if tag in ("script", "style") else []
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        loaded = values.get("src", "") + (values.get("href", "") if tag == "link" else "")
        self.outside += [loaded] if "//" in loaded else []


def read(client: Client) -> str:
    response = client.get("/")
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_record_says_so_and_what_helps(client: Client) -> None:
    page = read(client)

    assert "Nothing is recorded yet" in page
    assert "manage.py refresh" in page
    assert "No source has been read yet" in page


def test_the_page_says_what_this_is_and_links_on(client: Client) -> None:
    links = Outline(read(client)).links

    assert {"/api/v1/", "/api/v1/docs/", "/admin/", "/api/v1/prices/", "/api/v1/feeds/"} <= set(links)


def test_feed_readers_find_what_to_subscribe_to(client: Client) -> None:
    page = read(client)

    for media_type, path in (
        ("application/atom+xml", "/api/v1/changes.atom"),
        ("application/feed+json", "/api/v1/changes.jsonfeed"),
        ("text/calendar", "/api/v1/upcoming.ics"),
    ):
        assert f'<link rel="alternate" type="{media_type}"' in page
        assert path in Outline(page).links
        assert client.get(path).headers["Content-Type"].startswith(media_type)


def test_a_first_load_is_explained_and_what_moved_before_it_is_headed_as_history(client: Client) -> None:
    moved = datetime(2026, 1, 20, tzinfo=UTC)
    dated = [costs("4", effective_from=START - 20 * WEEK, effective_until=moved), costs("3", effective_from=moved)]
    SmallMarket().read(START, {"one": dated})

    page = read(client)

    assert "A first load is not news" in page
    assert page.index("A first load is not news") < page.index('id="history"') < page.index("input 4 -&gt; 3 USD")


def test_a_change_shows_company_headline_window_and_leads_to_the_api(client: Client) -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("6")]})
    change = PricingChange.objects.get(kind="increase")

    page = read(client)

    assert "one at Acme AI: input 3 -&gt; 6 USD per 1M tokens, +100.00%" in page
    assert "between 2026-03-01 00:00 UTC and 2026-03-08 00:00 UTC" in page
    assert "As of the newest reading, 2026-03-08 00:00 UTC" in page
    assert f'href="/api/v1/changes/{change.pk}/"' in page
    assert 'href="/api/v1/companies/acme/timeline/"' in page
    assert "A first load is not news" not in page


def test_every_link_of_the_page_leads_somewhere(client: Client) -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3"), costs("9", effective_from=datetime(2099, 1, 1, tzinfo=UTC))]})
    market.read(START + WEEK, {"one": [costs("6"), costs("9", effective_from=datetime(2099, 1, 1, tzinfo=UTC))]})
    market.event("Cuts prices", announced_on=date(2026, 4, 1), source_url="https://example.org/", source_title="A page")

    outline = Outline(read(client))
    own = {link for link in outline.links if link.startswith("/")}

    assert len(own) > 10
    assert {link: status for link in own if (status := client.get(link, follow=True).status_code) != 200} == {}
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)


def test_an_event_shows_its_date_and_its_source(client: Client) -> None:
    SmallMarket().event(
        "Begins to charge",
        announced_on=date(2026, 4, 1),
        precision="month",
        source_url="https://example.org/news",
        source_title="The news",
        source_class="official",
        confidence="high",
    )

    page = read(client)

    assert "April 2026" in page
    assert '<a href="https://example.org/news" rel="noopener nofollow">The news</a>' in page
    assert "official, high confidence" in page


def test_what_feeds_and_people_write_stays_text(client: Client) -> None:
    market = SmallMarket()
    market.read(START, {"<script>alert(1)</script>": [costs("3")]})
    market.read(START + WEEK, {"<script>alert(1)</script>": [costs("6")]})
    market.event("<img src=x onerror=alert(1)>", announced_on=date(2026, 4, 1))

    outline = Outline(read(client))

    assert outline.inline == []


def test_the_page_needs_no_script_no_inline_style_and_nothing_from_outside(client: Client) -> None:
    outline = Outline(read(client))

    assert outline.inline == []
    assert outline.outside == []


def test_the_page_has_landmarks_one_heading_and_labelled_regions(client: Client) -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("6")], "two": [costs("1")]})

    outline = Outline(read(client))

    assert [outline.tags.count(tag) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    assert outline.links[0] == "#content"
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.labelled_by) <= set(outline.ids)


@pytest.mark.parametrize("file", ["web/site.css", "web/favicon.svg"])
def test_the_pages_own_files_are_served(client: Client, file: str) -> None:
    assert client.get(f"/static/{file}").status_code == 200


def test_the_page_follows_the_record_at_once(client: Client) -> None:
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    before = read(client)
    market.read(START + WEEK, {"one": [costs("6")]})
    again = read(client)

    assert "3 -&gt; 6" not in before
    assert "3 -&gt; 6" in again


def test_closed_reading_closes_the_record_here_too(client: Client, settings: Any) -> None:
    settings.API_REQUIRE_AUTH = True
    market = SmallMarket()
    market.read(START, {"one": [costs("3")]})
    market.read(START + WEEK, {"one": [costs("6")]})

    page = read(client)

    assert "Reading is closed" in page
    assert "Acme AI" not in page
    client.force_login(get_user_model().objects.create_user("reader"))
    assert "Acme AI" in read(client)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_page_is_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)(reverse("start-page")).status_code == 405
