"""How many streams a user may have open, without counting them each time.

Each process lets a user open as many as there is room for, and counts what is there only when it
has given all of that away: what others opened meanwhile is seen then, and what has ended or expired
without a word. At the limit it counts once a second at most.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.stream_errors import TooManyStreams
from app.fs.stream_records import SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.state.store import Store

_AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class _Share:
    """What a user may still open before the streams are counted, and when they were last."""

    left: int
    counted: float = float("-inf")


class StreamRoom:
    """Room for `most` streams of each user; 0 is no limit. `clock` tells seconds that only grow."""

    def __init__(
        self, store: Store, most: int, *, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}

    def enter(self, owner: str) -> None:
        """Make room for one more stream of `owner`. Raises TooManyStreams, StorageFault."""
        if not self._most or self._taken(owner):
            return
        if self._is_to_count(owner):
            is_open = sum(value["owner"] == owner for _, value in self._store.scan(SPACE))
            with self._lock:
                self._shares[owner].left = max(0, self._most - is_open)
            if self._taken(owner):
                return
        raise TooManyStreams(self._most)

    def leave(self, owner: str) -> None:
        """Note that a stream of `owner` has ended."""
        with self._lock:
            share = self._shares.get(owner)
            if share:
                share.left = min(share.left + 1, self._most)

    def _taken(self, owner: str) -> bool:
        with self._lock:
            share = self._shares.setdefault(owner, _Share(self._most))
            if share.left < 1:
                return False
            share.left -= 1
            return True

    def _is_to_count(self, owner: str) -> bool:
        with self._lock:
            share, now = self._shares[owner], self._clock()
            due = now - share.counted >= _AGAIN_SECONDS
            if due:
                share.counted = now
            return due
