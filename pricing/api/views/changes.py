"""``changes/``: the stream of pricing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pricing.api.filters import ChangeFilters
from pricing.api.serializers import ChangeSerializer
from pricing.api.shapes.changes import change_shapes
from pricing.models import PricingChange
from tracker.api.views import NumberedView, StreamView

CHANGES = PricingChange.objects.select_related("offering__seller", "offering__model", "source")


class ChangeListView(StreamView):
    """Pricing changes, the newest first; with ``after_sequence`` those that came later, the oldest first.

    What was already so when a source was first read is left out, unless ``initial`` asks for it.
    """

    queryset = CHANGES
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilters
    cursor_key = "sequence"

    @property
    def newest_first(self) -> bool:  # type: ignore[override]
        """A reader that polls goes forward in time."""
        return "after_sequence" not in self.request.query_params

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return change_shapes(page)


class ChangeView(NumberedView):
    """One pricing change."""

    queryset = CHANGES
    serializer_class = ChangeSerializer

    def represent_one(self, row: Any) -> dict[str, Any]:
        return change_shapes([row])[0]
