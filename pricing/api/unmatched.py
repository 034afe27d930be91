"""What a request is told that names a provider or a model id which nobody has: the nearest that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pricing.models import Alias, Offering, Reference
from tracker.api.nearest import nearest_in
from tracker.api.problems import InvalidParameters, parameter_fault


def refuse_unknown(asked: Mapping[str, Any]) -> None:
    """Raise InvalidParameters where a provider or model id is asked for that no reference has, nor ever had.

    What is known, but not together with the rest that is asked, is no mistake: nothing matches it. Nor is an id that
    a seller only routes to another.
    """
    for name in ("provider", "external_id"):
        unknown = next((value for value in asked.get(name, ()) if not _is_known(name, value)), None)
        if unknown is not None:
            reason = f"nothing is or was known as {unknown[:100]!r}"
            raise InvalidParameters([parameter_fault(name, reason, _nearest(name, unknown))])


def _is_known(name: str, value: str) -> bool:
    if Reference.objects.filter(**{name: value}).exists():
        return True
    if name == "provider":
        return False
    named = Offering.objects.filter(external_id=value).exists()
    return named or Alias.objects.filter(external_id=value).exists()


def _nearest(name: str, value: str) -> list[str]:
    alike = nearest_in(Reference.objects.all(), name, value)
    return alike or (nearest_in(Offering.objects.all(), name, value) if name == "external_id" else [])
