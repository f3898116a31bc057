"""What files say, read again when they change; what cannot be used changes nothing."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from app.offload import Offload
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOOK_SECONDS = 1.0
"""How often the files are looked at, at most."""

T = TypeVar("T")
Signature = tuple[int, int, int, int]


class Watched(Generic[T]):
    """The last good `value` that `read` made of the files.

    What `read` raises at the start goes up. Later `renewed` makes the next value of the one so far
    and the fresh one, or `failed` gets the ConfigError and the value stays. `clock` tells seconds
    that only grow. Only `read` may run in another thread.
    """

    def __init__(
        self, files: tuple[Path, ...], read: Callable[[], T], *,
        renewed: Callable[[T, T], T], failed: Callable[[T, ConfigError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._read = read
        self._renewed = renewed
        self._failed = failed
        self._clock = clock
        self._offload = Offload(1)
        self._reading = threading.Lock()
        self._look_at = clock() + LOOK_SECONDS
        self._seen = self._signatures()
        self.value = read()

    def current(self) -> T:
        """Return the value; costs well under a microsecond unless it is time for a look."""
        if self._clock() >= self._look_at:
            self._look()
        return self.value

    def latest(self) -> T:
        """Return the value after a look at the files, or after the look that is under way.

        For what `current` does not know: who has just been added need not wait for the next look.
        """
        self._look(wait=True)
        return self.value

    def _look(self, *, wait: bool = False) -> None:
        # While one request reads the files again the others go on with what they have.
        if not self._reading.acquire(blocking=wait):
            return
        try:
            self._look_at = self._clock() + LOOK_SECONDS
            signatures = self._signatures()
            if signatures != self._seen:
                self._seen = signatures
                self.value = self._renewed(self.value, self._offload.run(self._read))
        except ConfigError as error:
            self._failed(self.value, error)
        finally:
            self._reading.release()

    def _signatures(self) -> list[Signature | None]:
        return [signature(file) for file in self._files]


def signature(file: Path) -> Signature | None:
    """Return what changes when the file does; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
