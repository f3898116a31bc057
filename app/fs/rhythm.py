"""Background work that is done every so often, by one of all workers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Store

UNFINISHED: Final = object()
"""What work returns that has more to do: its next time is at once."""
PATIENCE = 3
"""How many intervals those who may not do the work see it undone before they do it all the same."""
LEAST_PATIENCE = 60.0
"""Seconds of patience at least: to choose another who may takes a moment, too."""
_SPACE = "rhythm"
_DONE = "rhythm-done"


class Rhythm:
    """Does `work` when it is called, but at most once in `seconds`.

    With a `store`, that is once among all who share it and use this `name`: whoever comes first
    of those who `may_work`, or `each` of them. The others look whether it succeeds, and do it
    themselves where it did not for long: whoever was chosen may hang, or fail where they would
    not, and it must go on.
    """

    def __init__(
        self, seconds: float, work: Callable[[], object], *, store: Store | None = None,
        name: str = "", may_work: Callable[[], bool] = lambda: True, each: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._work = work
        self._store = store
        self._name = name
        self._may_work = may_work
        self._each = each
        self._clock = clock
        self._next = 0.0
        self._patience = max(PATIENCE * seconds, LEAST_PATIENCE)
        self._undone_since: float | None = None

    def __call__(self) -> None:
        """Do the work if it is time."""
        now = self._clock()
        if now < self._next or not self._is_mine(now):
            return
        if self._store and not self._each and not self._store.add(
                _SPACE, self._name, {}, ttl=self._seconds):
            return
        self._next = now + self._seconds
        unfinished = self._work() is UNFINISHED
        if self._store:
            self._store.put(_DONE, self._name, {}, ttl=self._patience)
        if unfinished:
            self._next = now
            if self._store and not self._each:
                self._store.delete(_SPACE, self._name)

    def _is_mine(self, now: float) -> bool:
        """Tell whether to do it here, also because those who should leave it undone too long."""
        if self._store is None or self._may_work():
            self._undone_since = None
            return True
        if self._store.get(_DONE, self._name) is not None:
            self._undone_since = None
            return False
        if self._undone_since is None:
            self._undone_since = now
        return now - self._undone_since >= self._patience
