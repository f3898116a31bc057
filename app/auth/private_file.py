"""Files that only their owner may read, replaced as a whole or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Keep other writers of `target` away, in this process and others."""
    lock = os.open(f"{target}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replace(target: Path, text: str, check: Callable[[Path], object]) -> None:
    """Put `text`, mode 0600, into the place of `target` once `check` took it and it is on disk.

    `check` gets the file that the text is in so far. Raises what it raises, ConfigError, OSError.
    """
    descriptor, name = tempfile.mkstemp(
        prefix=f"{target.name}.", suffix=".new", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            _keep_owner(target, descriptor)
            os.fsync(descriptor)
        check(fresh)
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_directory(target.parent)


def _keep_owner(target: Path, descriptor: int) -> None:
    """Give the new file the old one's owner: with mode 0600 no other could read it."""
    if not target.exists():
        return
    old, new = target.stat(), os.fstat(descriptor)
    if old.st_uid != new.st_uid:
        try:
            os.fchown(descriptor, old.st_uid, -1)
        except PermissionError as error:
            raise ConfigError(
                target, 0, f"belongs to the user with the id {old.st_uid}; change it as that"
                " user or as root") from error
    if old.st_gid != new.st_gid:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except PermissionError:
            return  # the group has no rights to the file anyway


def sync_directory(directory: Path) -> None:
    """Have the names in `directory` survive a crash of the host."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
