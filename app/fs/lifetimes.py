"""Lifetimes kept with files and directories: an xattr that moves with them, a note in the store.

The xattr says how long; the state store says when to look, and as whom. Neither counts without
the other: a record that an HDFS user wrote or copied into an xattr is in no store, and a note whose
record is no longer on the very file (by inode number and by the record's own random key) is
dropped. Who changes a lifetime and who ends one take turns at the file.

Notes have their due times at the front of their keys. They are written before the xattr and removed
after it was changed: a worker that dies in between leaves a note too many, never one too few.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import (
    AttributeNotFound,
    FileBusy,
    GatewayError,
    PathError,
    UpstreamError,
)
from app.core.lifetimes import RECORD, Lifetime, decode, encode
from app.fs.content import inode
from app.fs.ruled_file_system import learn
from app.fs.turns import taken

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.workers import Workers
    from app.state.store import Store, Value

NOTES = "lifetimes"
_TURNS = "lifetime-turns"
_LEASE_SECONDS = 300.0
"""After which a turn ends by itself: longer than what is done in one takes on a slow cluster."""
PATIENCE_SECONDS = 20.0
"""How long who sets a lifetime waits for whoever is ending the old one."""


class Lifetimes:
    """Sets lifetimes."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store = store
        self._workers = workers

    def keep(
        self, fs: FileSystem, path: HdfsPath, status: FileStatus, lifetime: Lifetime,
        *, owner: str, known_as: HdfsPath | None = None,
    ) -> None:
        """Keep `lifetime` with the file or directory that `status` was asked of at `path`.

        `owner` is the gateway's user, by whose path rules it will end; `known_as` is the path that
        it is about to get. Raises PathNotFound where it is gone,
        AccessDenied, FileBusy while its old lifetime is being ended.
        """
        target = found_by(path, status.file_id)
        learn(fs, path, status.file_id)
        try:
            with turn(self._store, self._workers, target, PATIENCE_SECONDS) as mine:
                if not mine:
                    raise FileBusy(path)
                self._replace(fs, target, lifetime, {
                    "user": fs.user, "owner": owner, "path": known_as or path,
                    "id": status.file_id})
        except PathError as error:
            error.path = path if error.path == target else error.path
            raise

    def _replace(
        self, fs: FileSystem, target: HdfsPath, lifetime: Lifetime, note: Value,
    ) -> None:
        """Note the new lifetime, set its xattr or remove it, and drop the old one's note."""
        old = fs.xattrs(target).get(RECORD)
        if lifetime == Lifetime():
            if old is not None:
                with suppress(AttributeNotFound):
                    fs.remove_xattr(target, RECORD)
        else:
            self._set(fs, target, lifetime, note)
        self._drop(old, note["id"])

    def _set(
        self, fs: FileSystem, target: HdfsPath, lifetime: Lifetime, note: Value,
    ) -> None:
        key = secrets.token_hex(8)
        record = encode(lifetime, key)
        if lifetime.due is not None:
            self._store.put(
                NOTES, note_key(lifetime.due, key), {**note, "record": record.decode()})
        try:
            fs.set_xattr(target, RECORD, record, exists=None)
        except UpstreamError:
            raise  # it may have been set all the same
        except GatewayError:
            self._drop(record, note["id"])
            raise

    def _drop(self, old: bytes | None, file_id: int) -> None:
        """Drop the note of a record that is no longer there; it may be a forged one."""
        lifetime, key = decode(old)
        if lifetime.due is None:
            return
        name = note_key(lifetime.due, key)
        note = self._store.get(NOTES, name)
        if note is not None and note["id"] == file_id:
            self._store.delete(NOTES, name)


def found_by(path: HdfsPath, file_id: int) -> HdfsPath:
    """Return what leads to the very file, by its number where the server tells one."""
    return inode(file_id) if file_id else path


def note_key(due: int, key: str) -> str:
    """Return the key of a note, in the order of the due times (epoch milliseconds)."""
    return f"{due:020d}-{key}"


def due_of(name: str) -> int:
    """Return the due time that a note's key begins with."""
    return int(name.partition("-")[0])


def turn(
    store: Store, workers: Workers, target: HdfsPath, patience: float,
) -> AbstractContextManager[bool]:
    """Have the turn at a file; False if another has had it for `patience` seconds."""
    return taken(store, workers, _TURNS, target, patience, lease=_LEASE_SECONDS)
