"""What a request is told that names a provider or a model id which nobody has: the nearest that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from pricing.models import Alias, Offering, Reference
from tracker.api.nearest import nearest_in
from tracker.api.problems import Fault, InvalidParameters, parameter_fault


def refuse_unknown(asked: Mapping[str, Any]) -> None:
    """Raise InvalidParameters where no reference has the ``source``, ``provider`` and ``external_id`` asked for.

    An id that a seller only routes to another is known, and a source that has no reference yet is no mistake.
    """
    known = Reference.objects.filter(source__in=asked["source"]) if "source" in asked else Reference.objects.all()
    if "provider" in asked:
        named = known.filter(provider__in=asked["provider"])
        if not named.exists():
            raise InvalidParameters([_fault("provider", known, asked)])
        known = named
    if "external_id" in asked and not Alias.objects.filter(external_id__in=asked["external_id"]).exists():
        raise InvalidParameters([_fault("external_id", known, asked)])


def _fault(name: str, known: QuerySet[Reference], asked: Mapping[str, Any]) -> Fault:
    wanted = asked[name][0]
    choices = nearest_in(known, name, wanted)
    if name == "external_id" and not choices:
        choices = nearest_in(Offering.objects.all(), name, wanted)
    return parameter_fault(name, f"nothing is known by {wanted[:100]!r}; the nearest are named", choices)
