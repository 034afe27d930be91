"""A stream of pricing changes as JSON Feed 1.1 (jsonfeed.org), each item with the change as the API writes it."""

from __future__ import annotations

from typing import Any

from pricing.syndication.contents import Speaker
from pricing.syndication.streams import DESCRIPTION, SITE, Entry, Stream
from pricing.syndication.texts import legible, one_line
from tracker.api.moments import moment_text

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(stream: Stream) -> dict[str, Any]:
    """The whole document. ``_tracker`` is our extension: of the feed how fresh it is, of an item its change."""
    feed = {
        "version": VERSION,
        "title": one_line(stream.title),
        "home_page_url": stream.home,
        "feed_url": stream.address,
        "description": DESCRIPTION,
        "language": "en",
        "authors": [{"name": SITE, "url": stream.home}],
        "_tracker": {"about": stream.listing, "record_as_of": moment_text(stream.as_of)},
        "items": [_item(entry) for entry in stream.entries],
    }
    return {**feed, "next_url": stream.following} if stream.following else feed


def _item(entry: Entry) -> dict[str, Any]:
    detected = moment_text(entry.detected_at)
    return {
        "id": entry.id,
        "url": entry.address,
        "title": one_line(entry.title),
        "summary": entry.content.summary,
        "content_html": entry.content.html,
        "content_text": entry.content.text,
        "date_published": detected,
        "date_modified": detected,
        "authors": [_author(entry.author)],
        "tags": [legible(term) for _, term in entry.terms],
        "language": "en",
        "_tracker": {"rights": entry.author.rights, "change": dict(entry.change)},
    }


def _author(speaker: Speaker) -> dict[str, str]:
    author = {"name": one_line(speaker.name)}
    return {**author, "url": speaker.homepage} if speaker.homepage.startswith(("https://", "http://")) else author
