"""The outbound client as this installation's settings describe it."""

from __future__ import annotations

from django.conf import settings

from tracker.outbound.client import Client, user_agent


def from_settings() -> Client:
    """Return a client that may reach OUTBOUND_ALLOW_NETS and names SITE_URL, if there is one, in its User-Agent."""
    return Client(
        allowed_nets=settings.OUTBOUND_ALLOW_NETS,
        agent=user_agent(getattr(settings, "SITE_URL", "")),
    )
