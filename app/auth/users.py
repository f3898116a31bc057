"""The users of this process: the last good state of the users file."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app.auth.offload import Offload
from app.auth.users_file import User, read_users
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["User", "UserDirectory"]

LOOK_SECONDS = 1.0
"""How often the file is looked at, at most."""

READABLE_BY_ALL = 0o004

log = logging.getLogger(__name__)

Signature = tuple[int, int, int, int]


class UserDirectory:
    """The users of `file`, read again when it changes; a broken file changes nothing.

    Raises ConfigError when the file cannot be used at the start. `clock` tells seconds that only
    grow. A user whose entry stays the same stays the same object.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self._clock = clock
        self._offload = Offload(1)
        self._reading = threading.Lock()
        self._look_at = clock() + LOOK_SECONDS
        self._seen = _signature(file)
        if self._seen is None:
            raise ConfigError(
                file, 0, "there is no such users file; make it, with its first user, by"
                " `httpfs-proxy users add NAME` (setting auth.users_file)")
        self._users = read_users(file)
        self._warn_of_readers()

    def find(self, name: str) -> User | None:
        """Return the user of this name, active or not; costs well under a microsecond."""
        if self._clock() >= self._look_at:
            self._look()
        return self._users.get(name)

    def __len__(self) -> int:
        return len(self._users)

    def _look(self) -> None:
        # While one request reads the file again the others go on with the users they have.
        if not self._reading.acquire(blocking=False):
            return
        try:
            self._look_at = self._clock() + LOOK_SECONDS
            signature = _signature(self.file)
            if signature != self._seen:
                self._seen = signature
                self._read_again()
        finally:
            self._reading.release()

    def _read_again(self) -> None:
        try:
            fresh = self._offload.run(read_users, self.file)
        except ConfigError as error:
            log.error(  # noqa: TRY400 the message says it all, a traceback would bury it
                "THE USERS FILE CANNOT BE USED, its last good state with %d users stays in"
                " force: %s", len(self._users), error)
            return
        old = self._users
        self._users = {
            name: old[name] if old.get(name) == user else user for name, user in fresh.items()}
        log.info("%s was read again: %d users", self.file, len(self._users))
        self._warn_of_readers()

    def _warn_of_readers(self) -> None:
        try:
            mode = self.file.stat().st_mode
        except OSError:
            return
        if mode & READABLE_BY_ALL:
            log.warning("%s, with its password hashes, can be read by everyone on this host",
                        self.file)


def _signature(file: Path) -> Signature | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
