"""The users of this process: the last good state of the users file."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.auth.users_file import User, UsersFile, read_all
from app.auth.watched import Watched, signature
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.auth.roles import Roles
    from app.core.paths import HdfsPath

__all__ = ["User", "UserDirectory"]

READABLE_BY_ALL = 0o004

log = logging.getLogger(__name__)


class UserDirectory:
    """The users of `file`, read again when it changes; a broken file changes nothing.

    Raises ConfigError when the file cannot be used at the start. `clock` tells seconds that only
    grow. A user whose entry stays the same stays the same object.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        if signature(file) is None:
            raise ConfigError(
                file, 0, "there is no such users file; make it, with its first user, by"
                " `httpfs-proxy users add NAME` (setting auth.users_file)")
        self._watched = Watched(
            (file,), lambda: read_all(file), renewed=self._renewed, failed=self._failed,
            clock=clock)
        self._warn_of_readers()

    def find(self, name: str) -> User | None:
        """Return the user of this name, active or not; costs well under a microsecond."""
        return self._watched.current().users.get(name)

    def roles(self) -> Roles:
        """Return what the file says of roles, the same object until that changes."""
        return self._watched.current().roles

    def rooms(self) -> set[HdfsPath]:
        """Return the directories that are the root, or hold the buckets, of a user."""
        return {place for user in self._watched.current().users.values()
                for place in (user.principal.root, user.principal.bucket_root)}

    def __len__(self) -> int:
        return len(self._watched.value.users)

    def _renewed(self, old: UsersFile, fresh: UsersFile) -> UsersFile:
        log.info("%s was read again: %d users", self.file, len(fresh.users))
        self._warn_of_readers()
        users = {name: old.users[name] if old.users.get(name) == user else user
                 for name, user in fresh.users.items()}
        return UsersFile(users, old.roles if old.roles == fresh.roles else fresh.roles)

    def _failed(self, old: UsersFile, error: ConfigError) -> None:
        log.error("THE USERS FILE CANNOT BE USED, its last good state with %d users stays in"
                  " force: %s", len(old.users), error)

    def _warn_of_readers(self) -> None:
        try:
            mode = self.file.stat().st_mode
        except OSError:
            return
        if mode & READABLE_BY_ALL:
            log.warning("%s, with its password hashes, can be read by everyone on this host",
                        self.file)
