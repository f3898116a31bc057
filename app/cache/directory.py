"""A mountpath's directory: that it is ours alone, and stays the one that it was.

A file marks it. Without the mark a directory with anything in it is somebody else's, and one that
loses it is no longer there: what is below a mount point that was unmounted is another disk.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from app.cache.index import FILE
from app.core.cache_errors import MountpathUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "httpfs-proxy-cache"
CHUNKS = "chunks"
_LOCK = "lock"
_LOCK_TRIES = 200
_LOCK_PAUSE = 0.005
_GONE = "gone-"
_FOREIGN_BUT_FINE = frozenset({"lost+found"})
_MADE_HERE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Directory:
    """The directory at `path`; methods raise OSError where nothing else is said."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None

    def prepare(self) -> None:
        """Make the directory ready, unless it is. Raises MountpathUnusable.

        It is made once; one that this process has seen and that is gone is not made again.
        """
        try:
            if self._seen is None:
                self._make()
            self.check()
            if not os.path.exists(f"{self.path}/{FILE}"):
                self.start_over()
        except OSError as error:
            raise MountpathUnusable(self.path, error.strerror or str(error)) from error

    def check(self) -> None:
        """Return if the directory is still the one that was prepared."""
        found = os.lstat(f"{self.path}/{MARK}")
        if self._seen is None:
            self._seen = found.st_dev, found.st_ino
        if self._seen != (found.st_dev, found.st_ino):
            raise FileNotFoundError(f"{self.path} is another directory than it was")

    def make_for(self, file: str) -> None:
        """Make the directories that `file`, a chunk's, lies in; never the mountpath itself."""
        self.check()
        inner = os.path.dirname(file)
        for directory in (f"{self.path}/{CHUNKS}", os.path.dirname(inner), inner):
            with suppress(FileExistsError):
                os.mkdir(directory, 0o700)

    def start_over(self, inode: int = 0) -> None:
        """Let go of all chunks and of the index, if that is still the one of this number.

        The files go with `remove_gone`.
        """
        with self._locked() as mine:
            file = f"{self.path}/{FILE}"
            if not mine or _inode(file) != inode:
                return
            with suppress(FileNotFoundError):
                os.rename(f"{self.path}/{CHUNKS}",
                          f"{self.path}/{_GONE}{secrets.token_hex(8)}")
            os.mkdir(f"{self.path}/{CHUNKS}", 0o700)
            for name in (f"{file}-wal", f"{file}-shm", file):
                with suppress(FileNotFoundError):
                    os.unlink(name)
            if not inode:
                os.close(os.open(file, _MADE_HERE, 0o600))

    def remove_gone(self) -> None:
        """Remove what was let go of."""
        for name in os.listdir(self.path):
            if name.startswith(_GONE):
                shutil.rmtree(f"{self.path}/{name}", ignore_errors=True)

    def free(self) -> int:
        """Return the bytes that are free on the disk."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def _make(self) -> None:
        os.makedirs(self.path, 0o700, exist_ok=True)
        found = os.stat(self.path)
        if found.st_uid != os.geteuid():
            raise MountpathUnusable(self.path, "it belongs to another user")
        if not os.path.lexists(f"{self.path}/{MARK}"):
            others = sorted(set(os.listdir(self.path)) - _FOREIGN_BUT_FINE)
            if others and MARK not in os.listdir(self.path):
                raise MountpathUnusable(self.path, f"it holds other files, like {others[0]}")
            os.close(os.open(f"{self.path}/{MARK}", _MADE_HERE, 0o600))
        if found.st_mode & 0o077:
            os.chmod(self.path, 0o700)

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the mountpath's lock; tell False where another held it all the time."""
        descriptor = os.open(f"{self.path}/{_LOCK}", _MADE_HERE, 0o600)
        try:
            yield any(_is_locked(descriptor) for _ in range(_LOCK_TRIES))
        finally:
            os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Lock, or pause for a moment where another has the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_LOCK_PAUSE)
        return False
    return True


def _inode(file: str) -> int:
    try:
        return os.stat(file).st_ino
    except FileNotFoundError:
        return 0
