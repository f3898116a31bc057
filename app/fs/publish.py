"""Atomic changes of content: upload, append, concatenate (house rule: all or nothing).

Upload: the body goes to a hidden sibling, one RENAME puts it in place. Append: the body goes to a
hidden sibling, one CONCAT moves its blocks to the end of the file; where CONCAT is impossible
(the caller may not write the directory, an encryption or erasure-coding zone), the staged and
checked content is appended in place, and truncated away again if that breaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    FileBusy,
    GatewayError,
    InvalidRequest,
    IsADirectory,
    NotADirectory,
    NotAFile,
    PathError,
    Unsupported,
    UpstreamFault,
)
from app.core.mounts import check_named
from app.core.paths import ROOT, check_name, child_of, parent_of
from app.fs.documents import Document
from app.fs.placing import Placing, status_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import ByteSource, FileSystem
    from app.fs.staging import Stage, Staging

COPY_CHUNK = 256 * 1024


def no_precondition(_status: FileStatus | None) -> None:
    """Allow whatever is there."""


def file_status(fs: FileSystem, path: HdfsPath) -> FileStatus:
    """Return the status of a regular file. Raises PathNotFound, NotAFile."""
    status = fs.status(path)
    if status.is_directory:
        raise NotAFile(path)
    return status


def pieces(source: ByteSource, length: int, name: str) -> Iterator[bytes]:
    """Yield exactly `length` bytes of `source`. Raises UpstreamFault when it ends early."""
    rest = length
    while rest:
        piece = source.read(min(COPY_CHUNK, rest))
        if not piece:
            raise UpstreamFault(f"{name.rpartition('/')[2]} ended {rest} bytes early")
        rest -= len(piece)
        yield piece


class Counted:
    """An iterable of bytes that remembers how many it gave."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.total = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.total += len(chunk)
            yield chunk


class Publisher:
    """Changes of content of one user's files."""

    def __init__(self, fs: FileSystem, staging: Staging) -> None:
        self._fs = fs
        self._staging = staging
        self._placing = Placing(fs)

    def upload(
        self, path: HdfsPath, body: Iterable[bytes], *, overwrite: bool,
        permission: str | None, replication: int | None,
        precondition: Callable[[FileStatus | None], None], early: bool,
        block_size: int | None = None, unmasked: str | None = None,
    ) -> None:
        """Make `body` the content of `path`.

        All that can be known to forbid it is raised before `body` is touched; `early` says that
        the client waits for that, so that rights are asked for too. `precondition` sees the
        present file's status, or None; before the body, and again when it is about to be replaced.
        """
        current = status_or_none(self._fs, path) if path != ROOT else self._fs.status(path)
        if current and current.is_directory:
            raise IsADirectory(path)
        precondition(current)
        if current and not overwrite:
            raise AlreadyExists(path)

        def look() -> list[HdfsPath]:
            made = [] if current else self._missing_parents(path)
            if early:
                self._fs.check_access(parent_of(made[0] if made else path), "-w-")
            return made

        with self._staging.stage(self._fs, parent_of(path), path) as stage:
            stage.will_make(look)
            self._create(stage, path, body, permission=permission, replication=replication,
                         block_size=block_size, unmasked=unmasked)
            self._placing.put(
                stage, path, lambda: overwrite and self._replaces(path, precondition))
            stage.done()

    def append(
        self, path: HdfsPath, body: Iterable[bytes],
        precondition: Callable[[FileStatus | None], None],
    ) -> None:
        """Append `body`, whole or not at all (but see the module's words on CONCAT)."""
        status = file_status(self._fs, path)
        precondition(status)
        self._fs.check_access(path, "-w-")
        directory = parent_of(path)
        try:
            self._fs.check_access(directory, "-wx")
        except AccessDenied:
            directory = self._elsewhere(path, status)
        with self._staging.stage(self._fs, directory, path) as stage:
            counted = Counted(body)
            self._create(stage, path, counted, permission="600",
                         replication=status.replication, block_size=status.block_size)
            if counted.total and not self._concat_stage(stage, path):
                self._append_in_place(path, stage)

    def _elsewhere(self, path: HdfsPath, status: FileStatus) -> HdfsPath:
        """Return where the user may stage what they may not stage beside `path`.

        In an encryption zone that is their trash there: in their home it would lie in the clear.
        """
        if not status.encrypted:
            return self._fs.home()
        trash = self._fs.trash_root(path)
        self._fs.mkdirs(trash, "700")
        return trash

    def concat(
        self, path: HdfsPath, names: Sequence[str],
        precondition: Callable[[FileStatus | None], None],
    ) -> None:
        """Move the content of the siblings `names` to the end of `path`; they vanish."""
        precondition(file_status(self._fs, path))
        directory = parent_of(path)
        sources = [check_named(child_of(directory, check_name(name))) for name in names]
        if path in sources or len(set(sources)) < len(sources):
            raise InvalidRequest("sources must be different files, and not the target")
        full = {source: self._is_full(source) for source in sources}
        if any(full.values()):
            self._fs.concat(path, [source for source in sources if full[source]])
        for source in sources:
            if not full[source]:
                self._fs.delete(source)

    def _is_full(self, source: HdfsPath) -> bool:
        """Tell whether a file has content. Raises FileBusy if its content is being written.

        HDFS tells the length 0 of a file whose first block a writer has open, and refuses CONCAT
        of empty files: appending nothing is how to ask whether it is closed. To one that is
        erasure-coded nothing can be appended; there the NameNode tells.
        """
        status = file_status(self._fs, source)
        if status.length:
            return True
        if status.erasure_coded:
            blocks = self._fs.document(source, Document.LOCATED_BLOCKS)
            if blocks.get("isUnderConstruction", True):
                raise FileBusy(source)
        else:
            self._fs.append(source, ())
        return file_status(self._fs, source).length > 0

    def _create(
        self, stage: Stage, path: HdfsPath, body: Iterable[bytes], *, permission: str | None,
        replication: int | None, block_size: int | None = None, unmasked: str | None = None,
    ) -> None:
        try:
            self._fs.create(stage.path, body, permission=permission, replication=replication,
                            block_size=block_size, unmasked=unmasked)
        except PathError as error:
            error.path = path if error.path == stage.path else error.path
            raise

    def _missing_parents(self, path: HdfsPath) -> list[HdfsPath]:
        """Return the directories above `path` that do not exist yet, the topmost first."""
        missing: list[HdfsPath] = []
        directory = parent_of(path)
        while True:
            status = status_or_none(self._fs, directory)
            if status:
                break
            missing.insert(0, directory)
            directory = parent_of(directory)
        if not status.is_directory:
            raise NotADirectory(directory)
        return missing

    def _replaces(
        self, path: HdfsPath, precondition: Callable[[FileStatus | None], None],
    ) -> bool:
        """Tell whether something may be there to be replaced, now that the body is complete."""
        if precondition is no_precondition and self._fs.flavor_of(path).rename_options:
            return True
        current = status_or_none(self._fs, path)
        if current and current.is_directory:
            raise IsADirectory(path)
        precondition(current)
        return current is not None

    def _concat_stage(self, stage: Stage, path: HdfsPath) -> bool:
        if parent_of(stage.path) != parent_of(path):
            return False
        try:
            self._fs.concat(path, [stage.path])
        except (AccessDenied, Unsupported, InvalidRequest):
            return False
        stage.done()
        return True

    def _append_in_place(self, path: HdfsPath, stage: Stage) -> None:
        before = file_status(self._fs, path)
        try:
            self._fs.append(path, self._content(stage.path))
        except GatewayError:
            if file_status(self._fs, path).length > before.length:
                self._fs.truncate(path, before.length)
            raise

    def _content(self, path: HdfsPath) -> Iterator[bytes]:
        status = file_status(self._fs, path)
        source = self._fs.open(path, 0, status.length, status.file_id)
        try:
            yield from pieces(source, status.length, path)
        finally:
            source.close()
