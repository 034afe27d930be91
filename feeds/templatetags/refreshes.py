"""How the state of a refresh is shown."""

from __future__ import annotations

from django import template

from feeds.models import Refresh

register = template.Library()
_COLOURS = {Refresh.Status.RUNNING: "info", Refresh.Status.FAILED: "danger", Refresh.Status.REFUSED: "danger"}


@register.filter
def colour(status: str) -> str:
    """The theme's name of the colour for a refresh's status."""
    return _COLOURS.get(Refresh.Status(status), "success")
