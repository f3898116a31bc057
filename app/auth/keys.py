"""The access keys of this process: the last good state of the keys file."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.auth.keys_file import AccessKey, read_keys
from app.auth.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.strict_yaml import ConfigError

__all__ = ["AccessKey", "KeyDirectory"]

READABLE_BY_ALL = 0o004

log = logging.getLogger(__name__)


class KeyDirectory:
    """The keys of `file`, read again when it or the master key changes.

    A broken file changes nothing; a missing one has no keys. Raises ConfigError when the files
    cannot be used at the start. `clock` tells seconds that only grow.
    """

    def __init__(
        self, file: Path, master_key_file: Path, *, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.file = file
        self.master_key_file = master_key_file
        self._watched = Watched(
            (file, master_key_file), lambda: read_keys(file, master_key_file),
            renewed=self._renewed, failed=self._failed, clock=clock)
        self._warn_of_readers()

    def find(self, key_id: str) -> AccessKey | None:
        """Return the key of this id, active or not; costs well under a microsecond if there is one.

        A key works as soon as it is made: the files are looked at again for an unknown one.
        """
        return self._watched.current().get(key_id) or self._watched.latest().get(key_id)

    def __len__(self) -> int:
        return len(self._watched.value)

    def _renewed(
        self, _: dict[str, AccessKey], fresh: dict[str, AccessKey],
    ) -> dict[str, AccessKey]:
        log.info("%s was read again: %d access keys", self.file, len(fresh))
        self._warn_of_readers()
        return fresh

    def _failed(self, old: dict[str, AccessKey], error: ConfigError) -> None:
        log.error("THE ACCESS KEYS CANNOT BE USED, their last good state with %d keys stays in"
                  " force: %s", len(old), error)

    def _warn_of_readers(self) -> None:
        try:
            mode = self.master_key_file.stat().st_mode
        except OSError:
            return
        if mode & READABLE_BY_ALL:
            log.warning("%s, which opens all access keys, can be read by everyone on this host",
                        self.master_key_file)
