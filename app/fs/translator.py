"""UserFileSystem: what a principal says, done to HDFS. Every dialect stands on this one class.

It resolves paths as the principal writes them, keeps read-only principals from writing, hides the
gateway's own staged files, and owns the compound operations (with `app.fs.publish`,
`app.fs.listing` and `app.fs.archive`). It raises `app.core.errors` with real paths in them; the
dialects show them as the principal knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import (
    AlreadyExists,
    DirectoryNotEmpty,
    InvalidParameter,
    PathNotFound,
)
from app.core.paths import HdfsPath, child_of, name_of
from app.fs.archive import Archive
from app.fs.attributes import Attributes, refuse_reserved
from app.fs.listing import Listing
from app.fs.placing import refusal_of_rename, status_or_none
from app.fs.port import Rename
from app.fs.publish import Publisher, file_status, no_precondition
from app.fs.trash import move_to_trash, trash_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.core.identity import Principal
    from app.core.model import ByteRange, ContentSummary, FileChecksum, FileStatus
    from app.fs.port import ByteSource, FileSystem
    from app.fs.staging import Staging


class UserFileSystem(Attributes):
    """The file system of one principal.

    Methods take paths as the user writes them (`path: str`); `real` gives the HDFS path.
    """

    def __init__(self, principal: Principal, fs: FileSystem, staging: Staging) -> None:
        super().__init__(principal, fs)
        self._publisher = Publisher(fs, staging)

    # --- reading

    def home(self) -> str:
        """Return the home directory as the user sees it."""
        return self._principal.visible(self._home())

    def status(self, path: str) -> FileStatus:
        """Return the status of a file or directory."""
        return self._fs.status(self.real(path))

    def file_status(self, path: str) -> FileStatus:
        """Return the status of a regular file. Raises NotAFile for a directory."""
        return file_status(self._fs, self.real(path))

    def check_read(self, path: str) -> None:
        """Return if the user may read the file, else AccessDenied."""
        self._fs.check_access(self.real(path), "r--")

    def listing(self, path: str, start_after: str | None = None,
                limit: int | None = None) -> Listing:
        """Return the entries of a directory, its first page already read."""
        return Listing(self._fs, self.real(path), start_after, limit)

    def summary(self, path: str) -> ContentSummary:
        """Return what a subtree holds."""
        return self._fs.content_summary(self.real(path))

    def checksum(self, path: str) -> FileChecksum:
        """Return HDFS's checksum of a regular file."""
        real = self.real(path)
        file_status(self._fs, real)
        return self._fs.checksum(real)

    def open(self, path: str, status: FileStatus, wanted: ByteRange) -> ByteSource:
        """Open `wanted` (at least one byte) of the very file that `status` was asked of."""
        return self._fs.open(self.real(path), wanted.offset, wanted.length, status.file_id)

    def datanode_url(self, path: str, status: FileStatus, wanted: ByteRange) -> str:
        """Return the URL at which a DataNode gives `wanted` of that file, "" for none."""
        return self._fs.datanode_url(
            self.real(path), wanted.offset, wanted.length, status.file_id)

    def archive(self, path: str) -> Archive:
        """Return what streams a directory as tar or zip, its first page already read."""
        real = self.real(path)
        # A confined user's root has no name: the real one is none of theirs.
        name = "" if real == self._principal.root else name_of(real)
        return Archive(self._fs, real, name or "root")

    # --- names

    def mkdirs(self, path: str, permission: str) -> None:
        """Make a directory and its parents; one that exists is left as it is."""
        real = self._writable(path)
        sticky = len(permission.lstrip("0")) > 3  # noqa: PLR2004
        in_two_steps = (sticky and not self._fs.flavor_of(real).sticky_mkdirs
                        and status_or_none(self._fs, real) is None)
        self._fs.mkdirs(real, permission)
        if in_two_steps:
            self._fs.set_permission(real, permission)

    def rename(
        self, source: str, destination: str,
        precondition: Callable[[FileStatus | None], None] = no_precondition,
    ) -> str:
        """Rename, into `destination` if that is a directory; return the new path (visible).

        `precondition` sees the status of the source.
        """
        old, new = self._writable(source), self._writable(destination)
        self._keep_root(old)
        if precondition is not no_precondition:
            precondition(self._fs.status(old))
        there = status_or_none(self._fs, new)
        if there and not there.is_directory:
            self._fs.status(old)
            raise AlreadyExists(new)
        if there:
            new = child_of(new, name_of(old))
            if status_or_none(self._fs, new):
                self._fs.status(old)
                raise AlreadyExists(new)
        mode = Rename.NEW if self._fs.flavor_of(new).rename_options else Rename.MOVE
        if not self._fs.rename(old, new, mode):
            raise refusal_of_rename(self._fs, old, new)
        return self._principal.visible(new)

    def delete(
        self, path: str, *, recursive: bool, skip_trash: bool = True,
        precondition: Callable[[FileStatus | None], None] = no_precondition,
    ) -> None:
        """Remove a file or directory for good, or move it to the user's trash."""
        real = self._removable(path)
        self._keep_root(real)
        if precondition is not no_precondition:
            precondition(self._fs.status(real))
        if not skip_trash:
            self._move_to_trash(real, recursive=recursive)
        elif not self._fs.delete(real, recursive=recursive):
            raise PathNotFound(real)

    # --- content

    def upload(
        self, path: str, body: Iterable[bytes], *, overwrite: bool = False,
        permission: str | None = None, replication: int | None = None,
        precondition: Callable[[FileStatus | None], None] = no_precondition,
        early: bool = False, block_size: int | None = None, unmasked: str | None = None,
    ) -> None:
        """Create or replace a file, atomically; see Publisher.upload."""
        self._publisher.upload(
            self._writable(path), body, overwrite=overwrite, permission=permission,
            replication=replication, precondition=precondition, early=early,
            block_size=block_size, unmasked=unmasked)

    def append(
        self, path: str, body: Iterable[bytes],
        precondition: Callable[[FileStatus | None], None] = no_precondition,
    ) -> None:
        """Append to a file, whole or not at all; see Publisher.append."""
        self._publisher.append(self._writable(path), body, precondition)

    def concat(
        self, path: str, names: Sequence[str],
        precondition: Callable[[FileStatus | None], None] = no_precondition,
    ) -> None:
        """Move the content of siblings to the end of a file; they vanish."""
        real = self._writable(path)
        refuse_reserved(*names)
        self._publisher.concat(real, names, precondition)

    def truncate(
        self, path: str, precondition: Callable[[FileStatus | None], None] = no_precondition,
    ) -> None:
        """Cut a file to zero length."""
        real = self._writable(path)
        precondition(file_status(self._fs, real))
        self._fs.truncate(real, 0)

    # --- attributes every file has

    def set_permission(self, path: str, permission: str) -> None:
        """Set the octal mode."""
        self._fs.set_permission(self._writable(path), permission)

    def set_replication(self, path: str, replication: int) -> None:
        """Set the replication factor of a regular file."""
        real = self._writable(path)
        if self._fs.status(real).is_directory:
            raise InvalidParameter("path", path, "a regular file; directories have no replication")
        if not self._fs.set_replication(real, replication):
            raise PathNotFound(real)

    # --- inside

    def _move_to_trash(self, real: HdfsPath, *, recursive: bool) -> None:
        status = self._fs.status(real)
        trash = trash_of(self._fs, self._principal, real)
        if status.is_directory and not recursive and self._fs.list_page(real).entries:
            raise DirectoryNotEmpty(real)
        move_to_trash(self._fs, real, trash)
