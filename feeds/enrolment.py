"""Giving each known feed its rows, once; what an operator changed since stays."""

from __future__ import annotations

from typing import Any

from feeds.models import Feed
from feeds.registry import FEEDS, KnownFeed
from pricing.models import Source
from pricing.rulings import editors


def enrol_feeds(**_signal: Any) -> None:
    """Make the source and feed rows that are missing; runs after every migration."""
    editors()
    enrolled = set(Feed.objects.values_list("source__slug", flat=True))
    for known in FEEDS.values():
        if known.slug not in enrolled:
            _enrol(known)


def _enrol(known: KnownFeed) -> Feed:
    source, _ = Source.objects.get_or_create(
        slug=known.slug,
        defaults={
            "name": known.name,
            "kind": known.kind,
            "precedence": known.precedence,
            "homepage": known.homepage,
            "licence": known.licence,
            "may_republish": known.may_republish,
        },
    )
    feed, _ = Feed.objects.get_or_create(
        source=source, defaults={"adapter": known.adapter, "address": known.address, "every": known.every}
    )
    return feed


def feed_named(slug: str) -> Feed:
    """The row of a known feed, made if it is missing. Raises UnknownFeed."""
    from feeds.registry import known_feed

    known = known_feed(slug)
    feed = Feed.objects.select_related("source").filter(source__slug=slug).first()
    return feed or _enrol(known)
