"""What was found out about names a short while ago, so that others need not ask again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple, overload

from app.core.auth_errors import WayUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.users import User

MAX_ENTRIES = 10_000


class _Entry(NamedTuple):
    user: User | None
    found: float


class Lookups:
    """A bounded memory in front of `fetch`, which says who a name is now (None: nobody).

    What is younger than `fresh` seconds is told as it is. For what is older one caller asks, while
    others are told what was; it also counts while `fetch` raises WayUnavailable, up to the age of
    `stale` seconds. `clock` tells seconds that only grow.
    """

    def __init__(
        self, fetch: Callable[[str], User | None], *, fresh: float, stale: float,
        size: int = MAX_ENTRIES, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._fresh = fresh
        self._stale = max(fresh, stale)
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._asking: set[str] = set()
        self._lock = threading.Lock()

    def find(self, name: str) -> User | None:
        """Return who `name` is. Raises WayUnavailable where nothing is known that still counts."""
        now = self._clock()
        with self._lock:
            entry = self._entries.get(name)
            known = entry is not None and now - entry.found < self._stale
            if entry and known and (now - entry.found < self._fresh or name in self._asking):
                return entry.user
            self._asking.add(name)
        try:
            return self.put(name, self._fetch(name))
        except WayUnavailable:
            if entry and known:
                return entry.user
            raise
        finally:
            with self._lock:
                self._asking.discard(name)

    @overload
    def put(self, name: str, user: User) -> User: ...

    @overload
    def put(self, name: str, user: User | None) -> User | None: ...

    def put(self, name: str, user: User | None) -> User | None:
        """Remember what was just found out, and return it; an equal user stays the same object."""
        with self._lock:
            entry = self._entries.get(name)
            if entry and entry.user == user:
                user = entry.user
            self._entries[name] = _Entry(user, self._clock())
            self._entries.move_to_end(name)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return user

    def known(self) -> list[User]:
        """Return the users that are remembered."""
        with self._lock:
            return [entry.user for entry in self._entries.values() if entry.user]
