"""How long a worker's connections wait for the head of a request: one clock for all of them.

A timeout of gevent's own is a timer that is made, started and stopped for each request.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gevent import get_hub, getcurrent

if TYPE_CHECKING:
    from types import TracebackType

_LOOK_SECONDS = 0.25


class _Late(BaseException):
    """Raised in a greenlet that has waited for too long; like gevent's Timeout no Exception."""


class Patience:
    """`with patience:` ends without an error when it has taken `seconds`, or a moment more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[Any, float] = {}
        self._clock: Any = None

    def start(self) -> None:
        """Watch, from now on; call in the process that waits."""
        self._clock = get_hub().loop.timer(_LOOK_SECONDS, _LOOK_SECONDS, ref=False)
        self._clock.start(self._look)

    def __enter__(self) -> None:
        self._waiting[getcurrent()] = time.monotonic() + self._seconds

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        del self._waiting[getcurrent()]
        return kind is _Late

    def _look(self) -> None:
        """Wake who has waited for too long; all wait equally long, so the first have been here."""
        now = time.monotonic()
        for waiting, end in list(self._waiting.items()):
            if end > now:
                return
            # In the hub, so that nothing comes between the look and the throw but what was woken
            # before: that is in the list no more.
            if waiting in self._waiting:
                waiting.throw(_Late)
