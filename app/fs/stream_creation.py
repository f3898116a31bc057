"""The beginning of a write stream: all that forbids it is found out before its id is told."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import (
    AlreadyExists,
    GatewayError,
    InvalidParameter,
    IsADirectory,
    NotADirectory,
    PathNotFound,
)
from app.core.paths import ROOT, is_inside, parent_of
from app.fs.attributes import Attributes
from app.fs.placing import status_or_none
from app.fs.stream_claims import now
from app.fs.stream_index import StreamIndex
from app.fs.stream_records import SPACE, Writer, hidden_path, writer_of
from app.fs.stream_removal import remove
from app.fs.stream_writing import shown

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.stream_claims import Claims
    from app.fs.stream_records import NewFile, OpenedFile

FILE_PERMISSION = "644"
_CHECKSUM_CHUNK = 512
"""A block has to be a multiple of this number of bytes (dfs.bytes-per-checksum)."""


class StreamCreation(Attributes):
    """Begins write streams of one principal, and gives them up."""

    def __init__(
        self, principal: Principal, fs: FileSystem, staging: Staging, claims: Claims,
    ) -> None:
        super().__init__(principal, fs)
        self._staging = staging
        self._store = staging.store
        self._claims = claims
        self._index = StreamIndex(staging.store)

    def create(self, path: str, new: NewFile) -> int:
        """Return the id of a new stream that writes `path`; what forbids it is raised now.

        Raises AlreadyExists (also while another stream writes it), IsADirectory, PathNotFound for
        a missing parent, NotADirectory, AccessDenied, InvalidParameter, InvalidRequest.
        """
        real = self._writable(path)
        _check_values(new)
        self._check_place(real, new)
        if new.overwrite:
            self._end_own(real)
        directory, missing = self._parents(real, recursive=new.recursive)
        self._fs.check_access(parent_of(missing[0]) if missing else parent_of(real), "-wx")
        record = self._record(real, new, missing, directory)
        if not missing and not _is_special(new):
            return self._listed(record, directory.group)
        return self._prepared(record, new)

    def discard(self, path: str) -> bool:
        """Give up this user's stream that writes `path`, if there is one; nothing of it stays.

        Raises StreamBusy while a request is writing to it.
        """
        return self._end_own(self._writable(path))

    # --- inside

    def _check_place(self, real: HdfsPath, new: NewFile) -> None:
        current = status_or_none(self._fs, real)
        if current and current.is_directory and new.overwrite:
            raise IsADirectory(real)
        if real == ROOT or (current and not new.overwrite):
            raise AlreadyExists(real)

    def _parents(self, real: HdfsPath, *, recursive: bool) -> tuple[FileStatus, list[HdfsPath]]:
        """Return the nearest directory above that exists, and those missing, the topmost first."""
        missing: list[HdfsPath] = []
        directory = parent_of(real)
        while (status := status_or_none(self._fs, directory)) is None:
            missing.insert(0, directory)
            directory = parent_of(directory)
        if not status.is_directory:
            raise NotADirectory(directory)
        if missing and not recursive:
            raise PathNotFound(missing[0])
        return status, missing

    def _record(
        self, real: HdfsPath, new: NewFile, missing: list[HdfsPath], directory: FileStatus,
    ) -> Writer:
        created = now()
        return Writer(
            owner=self._principal.name, user=self._fs.user, path=real,
            hidden=hidden_path(real, secrets.token_hex(8)), made=missing,
            parent_id=0 if missing else directory.file_id,
            permission=new.permission or FILE_PERMISSION, replication_min=new.replication_min,
            replication_max=new.replication_max, block_size=new.block_size,
            overwrite=new.overwrite, lifetime=new.lifetime, created=created, used=created)

    def _listed(self, record: Writer, group: str) -> int:
        """Write the record and its index entry; the file is being written from now on."""
        stream_id = self._claims.add(record)
        try:
            self._forget_lost(record.path)
            self._index.add(stream_id, record, group)
        except BaseException:
            self._claims.drop(stream_id, record.owner)
            raise
        return stream_id

    def _prepared(self, record: Writer, new: NewFile) -> int:
        """Make the directories, and have HDFS judge what was asked for, before the id is told."""
        with self._claims.opening(record) as ours:
            stream_id = self._listed(ours, "")
            try:
                with shown(ours):
                    parent = self._directory(ours, new)
                    if _is_special(new):
                        self._try(ours)
                ready = ours._replace(parent_id=parent.file_id)
                self._index.tell(stream_id, ready, parent.group)
                self._claims.opened(stream_id, ready)
            except BaseException:
                with suppress(GatewayError):
                    remove(self._fs, self._staging, stream_id, ours._replace(dirty=True))
                    self._claims.drop(stream_id, ours.owner)
                raise
        return stream_id

    def _directory(self, record: Writer, new: NewFile) -> FileStatus:
        directory = parent_of(record.path)
        if record.made:
            self._fs.mkdirs(directory, new.directory_permission)
        return self._fs.status(directory)

    def _try(self, record: Writer) -> None:
        """Make an empty file of these values and remove it: only HDFS knows its limits."""
        self._fs.create(record.hidden, (), permission="600",
                        replication=record.replication_min or None,
                        block_size=record.block_size or None)
        self._fs.delete(record.hidden)

    def _end_own(self, real: HdfsPath) -> bool:
        """End this user's stream that writes `real`, if there is one."""
        opened = self._index.at(real)
        record = opened and writer_of(self._store.get(SPACE, str(opened.stream_id)))
        if opened is None or record is None or not self._may_write(record):
            return False
        with self._claims.claimed(opened.stream_id, self._may_write) as claim:
            claim.touched = True
            remove(self._fs, self._staging, opened.stream_id, claim.record)
            claim.ended = True
        return True

    def _forget_lost(self, real: HdfsPath) -> None:
        """Let go of a name that was being written in a directory which is no more."""
        opened = self._index.at(real)
        if opened and not self._has_directory(opened):
            self._index.remove(opened.stream_id, real)

    def _has_directory(self, opened: OpenedFile) -> bool:
        """Tell whether a file's directory is still the one that it is being written in.

        Another of the same name may be there: what is being written went with the old one.
        """
        if not opened.parent_id:
            return True
        directory = status_or_none(self._fs, parent_of(opened.path))
        return directory is not None and directory.file_id in (0, opened.parent_id)

    def _may_write(self, record: Writer) -> bool:
        """Tell whether this is a stream of ours. Raises ReadOnlyPrincipal."""
        mine = self._is_own(record.owner, record.path) and not record.over
        if mine:
            self._principal.require_write(record.path)
        return mine

    def _is_own(self, owner: str, path: HdfsPath) -> bool:
        return owner == self._principal.name and is_inside(path, self._principal.root)


def _is_special(new: NewFile) -> bool:
    """Tell whether HDFS may find something wrong with the values."""
    return bool(new.block_size or new.replication_min)


def _check_values(new: NewFile) -> None:
    if new.block_size < 0 or new.block_size % _CHECKSUM_CHUNK:
        raise InvalidParameter("blockSizeBytes", str(new.block_size),
                               f"a multiple of {_CHECKSUM_CHUNK}, 0 for the cluster's own")
    if new.replication_max and new.replication_min > new.replication_max:
        raise InvalidParameter("replicationMin", str(new.replication_min),
                               f"at most replicationMax, {new.replication_max}")
