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

OPEN_TO_OTHERS = 0o077

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
            (file, master_key_file), self._read, self._complain, clock=clock)

    def find(self, key_id: str) -> AccessKey | None:
        """Return the key of this id, active or not; costs well under a microsecond."""
        return self._watched.current().get(key_id)

    def __len__(self) -> int:
        return len(self._watched.value)

    def _read(self, old: dict[str, AccessKey] | None) -> dict[str, AccessKey]:
        fresh = read_keys(self.file, self.master_key_file)
        if old is not None:
            log.info("%s was read again: %d access keys", self.file, len(fresh))
        if old and not fresh:
            log.warning("%s has no access keys any more", self.file)
        if fresh:
            self._warn_of_readers()
        return fresh

    def _complain(self, error: ConfigError, old: dict[str, AccessKey]) -> None:
        log.error("THE ACCESS KEYS CANNOT BE USED, their last good state with %d keys stays in"
                  " force: %s", len(old), error)

    def _warn_of_readers(self) -> None:
        try:
            mode = self.master_key_file.stat().st_mode
        except OSError:
            return
        if mode & OPEN_TO_OTHERS:
            log.warning("%s, which opens all access keys, is open to others on this host: its"
                        " mode should be 0600", self.master_key_file)
