"""A stream of pricing changes as Atom 1.0 (RFC 4287), in pages (RFC 5005)."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from pricing.syndication.contents import Speaker
from pricing.syndication.streams import DESCRIPTION, SITE, Entry, Stream
from pricing.syndication.texts import legible, one_line
from tracker.api.moments import moment_text

MEDIA_TYPE = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_JSON = "application/json"


def atom(stream: Stream) -> bytes:
    """The whole document in UTF-8."""
    feed = Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "en"})
    _text(feed, "id", stream.id)
    _text(feed, "title", one_line(stream.title))
    _text(feed, "subtitle", DESCRIPTION)
    _text(feed, "updated", str(moment_text(stream.updated_at)))
    _author(feed, Speaker(SITE))
    _link(feed, "self", stream.address, MEDIA_TYPE)
    _link(feed, "alternate", stream.home, "text/html")
    _link(feed, "alternate", stream.listing, _JSON)
    for relation, address in (("first", stream.first), ("previous", stream.previous), ("next", stream.following)):
        if address:
            _link(feed, relation, address, MEDIA_TYPE)
    for entry in stream.entries:
        _write_entry(SubElement(feed, "entry"), entry)
    document: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _write_entry(parent: Element, entry: Entry) -> None:
    detected = str(moment_text(entry.detected_at))
    _text(parent, "id", entry.id)
    _text(parent, "title", one_line(entry.title))
    _text(parent, "updated", detected)
    _text(parent, "published", detected)
    _author(parent, entry.author)
    # Without its type: readers follow a link to what is not said to be something else than a page.
    SubElement(parent, "link", {"rel": "alternate", "href": entry.address})
    _link(parent, "related", entry.offering_address, _JSON)
    _link(parent, "related", entry.timeline_address, _JSON)
    for scheme, term in entry.terms:
        SubElement(parent, "category", {"term": legible(term), "label": f"{scheme}: {legible(term)}"})
    if entry.author.rights:
        _text(parent, "rights", one_line(entry.author.rights))
    _text(parent, "summary", entry.content.summary)
    _text(parent, "content", entry.content.html, type="html")


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text


def _author(parent: Element, speaker: Speaker) -> None:
    person = SubElement(parent, "author")
    _text(person, "name", one_line(speaker.name))
    if speaker.homepage.startswith(("https://", "http://")):
        _text(person, "uri", one_line(speaker.homepage))


def _link(parent: Element, relation: str, address: str, media_type: str) -> None:
    SubElement(parent, "link", {"rel": relation, "type": media_type, "href": address})
