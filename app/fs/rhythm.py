"""Background work that is done every so often, by one of all workers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Store

UNFINISHED: Final = object()
"""What work returns that has more to do: its next time is at once."""
_SPACE = "rhythm"


class Rhythm:
    """Does `work` when it is called, but at most once in `seconds`.

    With a `store`, that is once among all who share it and use this `name`: whoever comes first.
    """

    def __init__(
        self, seconds: float, work: Callable[[], object], *, store: Store | None = None,
        name: str = "", clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._work = work
        self._store = store
        self._name = name
        self._clock = clock
        self._next = 0.0

    def __call__(self) -> None:
        """Do the work if it is time."""
        now = self._clock()
        if now < self._next:
            return
        if self._store and not self._store.add(_SPACE, self._name, {}, ttl=self._seconds):
            return
        self._next = now + self._seconds
        if self._work() is UNFINISHED:
            self._next = now
            if self._store:
                self._store.delete(_SPACE, self._name)
