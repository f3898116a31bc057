"""Long computations in real threads, so that a gevent hub goes on serving meanwhile."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

P = ParamSpec("P")
R = TypeVar("R")


class Offload:
    """Runs functions, at most `width` at a time in this process.

    Where gevent has replaced threads they run in native ones while other greenlets go on, else in
    the calling thread. What that needs is made at first use, as a worker may be forked (and
    patched by gevent) only after this object was made.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._pid = 0
        self._slots: Any = None
        self._pool: Any = None

    def slot(self) -> AbstractContextManager[Any]:
        """Return what to hold around `run`; it waits until fewer than `width` others are held."""
        self._prepare()
        slots: AbstractContextManager[Any] = self._slots
        return slots

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `function` returns, or raise what it raises."""
        self._prepare()
        if self._pool is None:
            return function(*args, **kwargs)
        # What is raised there gevent prints, too, however well it is caught here.
        result: R | _Raised = self._pool.apply(_outcome, (function, args, kwargs))
        if isinstance(result, _Raised):
            raise result.error
        return result

    def _prepare(self) -> None:
        if self._pid == os.getpid():
            return
        if has_green_threads():
            from gevent.lock import Semaphore  # noqa: PLC0415 only where gevent rules already
            from gevent.threadpool import ThreadPool  # noqa: PLC0415
            self._slots, self._pool = Semaphore(self._width), ThreadPool(self._width)
        else:
            self._slots, self._pool = threading.Semaphore(self._width), None
        self._pid = os.getpid()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _outcome(function: Callable[..., R], args: Any, kwargs: Any) -> R | _Raised:
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - raised again where it was called
        return _Raised(error)


def has_green_threads() -> bool:
    """Tell whether gevent has replaced the threads of this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
