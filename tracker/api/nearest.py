"""The names nearest to one that matched nothing, so that an error can say what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from django.db.models import Q, QuerySet

COUNT = 5
# How much text is compared, and with how many names: a misspelt id may not cost more than a page of results.
_LONGEST = 100
_POOL = 1000


def nearest(wanted: str, names: Iterable[str], count: int = COUNT) -> list[str]:
    """Up to ``count`` of the names that look most like the wanted one, the best first."""
    return get_close_matches(wanted[:_LONGEST], list(names), n=count, cutoff=0.4)


def nearest_in(queryset: QuerySet[Any], column: str, wanted: str, count: int = COUNT) -> list[str]:
    """Up to ``count`` values of a column that look most like the wanted one, compared with a bounded number of rows."""
    wanted = wanted[:_LONGEST].replace("\0", "")
    words = re.findall(r"[a-z0-9]{3,}", wanted.lower())[:4]
    alike = Q(**{f"{column}__istartswith": wanted[:2]})
    for word in words:
        alike |= Q(**{f"{column}__icontains": word})
    names = queryset.order_by().values_list(column, flat=True).distinct()
    return nearest(wanted, names.filter(alike)[:_POOL], count) or nearest(wanted, names[:_POOL], count)
