"""What a process keeps in memory: values by key up to a total weight, of which the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """A bounded memory that threads may share. What alone weighs more than the bound is not kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        """The value of a key, which then counts as used; None when it is not here."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        """Keep a value, and let go of others as far as there is no room for it."""
        with self._lock:
            self.weight -= self._held.pop(key, (None, 0))[1]
            if weight > self._most:
                return
            self._held[key] = (value, weight)
            self.weight += weight
            while self.weight > self._most:
                self.weight -= self._held.popitem(last=False)[1][1]
