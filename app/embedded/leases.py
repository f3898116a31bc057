"""Leases on files under construction: held by a process, found dead when it is.

Each process that writes holds a lock on a file of its own. The kernel drops the lock when the
process ends, however it ends, so any other process can tell and recover its leases.
"""

import fcntl
import os
import secrets
import weakref
from contextlib import suppress
from pathlib import Path
from threading import Lock


class LeaseHolder:
    """This process as the holder of leases; its name appears in the lease columns."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._creation = Lock()
        self._token = ""
        self._pid = 0
        self._descriptor = -1
        _holders.add(self)

    @property
    def token(self) -> str:
        """The name of this process's lease file, made on first use in the process."""
        if self._pid != os.getpid():
            with self._creation:
                if self._pid != os.getpid():
                    self._claim()
        return self._token

    def is_alive(self, token: str) -> bool:
        """Tell whether the process that holds the leases of `token` still runs."""
        if token == self._token and self._pid == os.getpid():
            return True
        with suppress(FileNotFoundError):
            descriptor = os.open(self._directory / token, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(descriptor)
        return False

    def remove_dead(self) -> None:
        """Remove the lease files of processes that have ended."""
        for path in list(self._directory.iterdir()):
            if not self.is_alive(path.name):
                path.unlink(missing_ok=True)

    def forget_parent(self) -> None:
        """Let go, in a forked child, of the lock that belongs to its parent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._creation = Lock()

    def _claim(self) -> None:
        while True:
            token = f"{os.getpid()}-{secrets.token_hex(8)}"
            # Locked before it has its name: nobody may see it unlocked while its process lives.
            hidden = self._directory / f".{token}"
            descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                hidden.rename(self._directory / token)
            except FileNotFoundError:
                os.close(descriptor)  # swept in the instant before it was locked
                continue
            self._descriptor, self._token, self._pid = descriptor, token, os.getpid()
            return


_holders: "weakref.WeakSet[LeaseHolder]" = weakref.WeakSet()


def _after_fork() -> None:
    for holder in list(_holders):
        holder.forget_parent()


os.register_at_fork(after_in_child=_after_fork)
