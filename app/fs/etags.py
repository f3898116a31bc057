"""ETags that one worker remembers, so that listings need not ask HDFS for each again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.model import FileStatus

_Version = tuple[str, int, int, int]


class EtagCache:
    """Up to `capacity` ETags, each of one version of a file as one Hadoop user may read it.

    A version's ETag never changes: its file id, length and modification time tell it apart.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._etags: dict[_Version, str] = {}

    def get(self, user: str, status: FileStatus) -> str | None:
        """Return the ETag, None where it is not known."""
        return self._etags.get(_version(user, status))

    def put(self, user: str, status: FileStatus, etag: str) -> None:
        """Remember the ETag; the one remembered first makes room."""
        if status.is_directory or not status.file_id or not self._capacity:
            return
        with self._lock:
            self._etags[_version(user, status)] = etag
            if len(self._etags) > self._capacity:
                del self._etags[next(iter(self._etags))]


def _version(user: str, status: FileStatus) -> _Version:
    return user, status.file_id, status.length, status.modification_time
