"""The one step that shows what was staged: RENAME, on servers that can replace and that cannot.

A RENAME whose connection broke may have happened, or may happen yet. Where it is of a hidden name,
which nobody else knows, that can be found out: as long as the name is there it has not happened,
and asking again does it once, whichever of the two comes first.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from requests import exceptions

from app.core.errors import (
    AlreadyExists,
    Conflict,
    GatewayError,
    IsADirectory,
    NotADirectory,
    PathError,
    PathNotFound,
    UpstreamUnavailable,
)
from app.core.paths import HIDDEN_MARK, child_of, is_inside, name_of, parent_of
from app.fs.http_faults import NotSent
from app.fs.port import Rename

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.staging import Stage


def status_or_none(fs: FileSystem, path: HdfsPath) -> FileStatus | None:
    """Return the status of `path`, None where nothing is there."""
    try:
        return fs.status(path)
    except PathNotFound:
        return None


def refusal_of_rename(fs: FileSystem, source: HdfsPath, destination: HdfsPath) -> GatewayError:
    """Return the error that says why HDFS answered `false` to a rename."""
    if status_or_none(fs, source) is None:
        return PathNotFound(source)
    parent = status_or_none(fs, parent_of(destination))
    if parent is None:
        return PathNotFound(parent_of(destination))
    if not parent.is_directory:
        return NotADirectory(parent_of(destination))
    if is_inside(destination, source):
        return Conflict(destination, "it lies inside what is to be renamed")
    if status_or_none(fs, destination) is not None:
        return AlreadyExists(destination)
    return Conflict(destination, "HDFS refused the rename")


class Placing:
    """Puts staged files, and directories, where they belong."""

    def __init__(self, fs: FileSystem) -> None:
        self._fs = fs

    def put(
        self, stage: Stage, path: HdfsPath, replaces: Callable[[], bool],
        source: HdfsPath | None = None,
    ) -> None:
        """Make the staged file (or a hidden `source`) `path`.

        `replaces` says whether something may be replaced there. Raises AlreadyExists, IsADirectory,
        PathNotFound for the parent, and what `replaces` does.
        """
        source = source or stage.path
        try:
            if self._fs.flavor_of(path).rename_options:
                self._put_at_once(source, path, replaces)
            else:
                self._put_in_steps(stage, source, path, replaces)
        except PathError as error:
            error.path = path if error.path == stage.path else error.path
            raise

    def move_new(self, source: HdfsPath, destination: HdfsPath) -> None:
        """Rename to a name that nothing has. Raises AlreadyExists, IsADirectory."""
        if self._fs.flavor_of(destination).rename_options:
            self._fs.rename(source, destination, Rename.NEW)
            return
        if status_or_none(self._fs, destination):
            raise AlreadyExists(destination)
        self._move(source, destination)

    def _put_at_once(
        self, source: HdfsPath, path: HdfsPath, replaces: Callable[[], bool],
    ) -> None:
        def rename() -> None:
            self._fs.rename(source, path, Rename.REPLACE if replaces() else Rename.NEW)

        try:
            rename()
        except UpstreamUnavailable as broken:
            staged = self._still_staged(source, broken)
            if staged is None:
                raise
            try:
                rename()
            except GatewayError:
                if not self._is_at(path, staged.file_id):
                    raise broken from None

    def _still_staged(
        self, source: HdfsPath, broken: UpstreamUnavailable,
    ) -> FileStatus | None:
        """Return the status of a hidden file whose RENAME broke, None where it is not known."""
        cause = broken.__cause__
        cut = isinstance(cause, exceptions.ConnectionError) and not isinstance(
            cause, NotSent | exceptions.ConnectTimeout)
        if not cut or HIDDEN_MARK not in source:
            return None
        with suppress(GatewayError):
            return self._fs.status(source)
        return None

    def _is_at(self, path: HdfsPath, file_id: int) -> bool:
        with suppress(GatewayError):
            return self._fs.status(path).file_id == file_id > 0
        return False

    def _put_in_steps(
        self, stage: Stage, source: HdfsPath, path: HdfsPath, replaces: Callable[[], bool],
    ) -> None:
        """Put in place on a server that cannot replace; a second time if another was quicker."""
        try:
            self._put_once(stage, source, path, replace=replaces())
        except AlreadyExists:
            if not replaces():
                raise
            # What the first time moved aside has been replaced by another.
            self._fs.delete(stage.backup)
            self._put_once(stage, source, path, replace=True)

    def _put_once(
        self, stage: Stage, source: HdfsPath, path: HdfsPath, *, replace: bool,
    ) -> None:
        """Move the staged file in place, the old one aside before; never lose the old file."""
        if not replace:
            self._move(source, path)
            return
        stage.uses_backup()
        # Another may have moved or removed it at this very moment: nothing to replace then.
        with suppress(PathNotFound):
            self._move(path, stage.backup)
        self._move(source, path)
        self._fs.delete(stage.backup)

    def _move(self, source: HdfsPath, destination: HdfsPath) -> None:
        """Rename without options, and see to it that nothing was moved into a directory."""
        if not self._fs.rename(source, destination):
            raise refusal_of_rename(self._fs, source, destination)
        inside = child_of(destination, name_of(source))
        there = status_or_none(self._fs, destination)  # by now another may have moved it aside
        if there and there.is_directory and status_or_none(self._fs, inside):
            self._fs.rename(inside, source)
            raise IsADirectory(destination)
