"""HDFS's own words for files and directories: what WebHDFS's operations mean, for one principal.

Where UserFileSystem says why something cannot be, HDFS often answers `false`; and a rename without
options moves into a directory. Content still goes through staged files, so it is whole or absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import AccessDenied, AlreadyExists, PathNotFound
from app.core.paths import HIDDEN_MARK, ROOT, HdfsPath, child_of, is_inside, parent_of
from app.fs.documents import Document
from app.fs.placing import Placing, refusal_of_rename, status_or_none
from app.fs.port import Rename
from app.fs.translator import UserFileSystem
from app.fs.trash import TRASH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.core.identity import Principal
    from app.core.model import ListingPage
    from app.fs.documents import Administration
    from app.fs.port import FileSystem
    from app.fs.staging import Staging


class HdfsFiles(UserFileSystem):
    """The file system of one principal as HDFS has it."""

    def __init__(self, principal: Principal, fs: FileSystem, staging: Staging) -> None:
        super().__init__(principal, fs, staging)
        self._staging = staging

    # --- looking

    def page(self, path: str, start_after: str | None) -> ListingPage:
        """Return a page of a directory, without what is staged there."""
        page = self._fs.list_page(self.real(path), start_after)
        return page._replace(entries=[
            entry for entry in page.entries if not entry.path_suffix.startswith(HIDDEN_MARK)])

    def check_access(self, path: str, action: str) -> None:
        """Return if the user may `action` ("r--", "-w-", "--x", mixed), else AccessDenied."""
        real = self.real(path)
        if "w" in action:
            self._principal.require_write(real)
        self._fs.check_access(real, action)

    def trash(self, path: str) -> str:
        """Return where what is at `path` is moved when it is removed: inside the user's root."""
        root = self._fs.trash_root(self.real(path))
        if not is_inside(root, self._principal.root):
            root = child_of(self._home(), TRASH)
        return self._principal.visible(root)

    def document(self, path: str, kind: Document, **parameters: str | int | None) -> Any:
        """Return a document for `path`, its paths as HDFS has them."""
        return self._fs.document(self.real(path), kind, **parameters)

    def document_of_cluster(self, kind: Document, **parameters: str | int | None) -> Any:
        """Return a document that is about no path."""
        return self._fs.document(ROOT, kind, **parameters)

    def defaults(self) -> Any:
        """Return what new files are made with where nobody says."""
        return self.document_of_cluster(Document.DEFAULTS)

    def visible(self, path: str) -> str | None:
        """Return a real path as the user writes it; None for what lies outside their root."""
        inside = is_inside(HdfsPath(path), self._principal.root)
        return self._principal.visible(path) if inside else None

    # --- changing

    def administer(
        self, path: str, kind: Administration, **parameters: str | int | None,
    ) -> None:
        """Change what HDFS keeps of `path`."""
        self._fs.administer(self._writable(path), kind, **parameters)

    def administer_cluster(self, kind: Administration, **parameters: str | int | None) -> None:
        """Change what is about no path. Raises AccessDenied for whom a root confines."""
        if self._principal.root != ROOT:
            raise AccessDenied(self._principal.root, "it is for users of the whole file system")
        self._fs.administer(self._writable("/"), kind, **parameters)

    def make_directory(self, path: str, permission: str, unmasked: str | None) -> None:
        """Make a directory and its parents; one that exists is left as it is."""
        if unmasked is None:
            self.mkdirs(path, permission)
        else:
            self._fs.mkdirs(self._writable(path), permission, unmasked)

    def move(self, source: str, destination: str) -> bool:
        """Rename, into `destination` if that is a directory; False where HDFS refuses."""
        old, new = self._writable(source), self._writable(destination)
        return old != self._principal.root and self._fs.rename(old, new)

    def move_exactly(self, source: str, destination: str, *, replace: bool) -> None:
        """Rename to exactly `destination`; `replace` a file or an empty directory there.

        Raises PathNotFound, AlreadyExists, DirectoryNotEmpty.
        """
        old, new = self._writable(source), self._writable(destination)
        self._keep_root(old)
        self._keep_root(new)
        if self._fs.flavor_of(new).rename_options:
            self._fs.rename(old, new, Rename.REPLACE if replace else Rename.NEW)
            return
        status = self._fs.status(old)
        there = status_or_none(self._fs, new)
        if there and (not replace or old == new or status.is_directory != there.is_directory):
            raise AlreadyExists(new)
        if there and there.is_directory:
            self._fs.delete(new)
        if not there or there.is_directory:
            if not self._fs.rename(old, new):
                raise refusal_of_rename(self._fs, old, new)
            return
        with self._staging.stage(self._fs, parent_of(new), new) as stage:
            Placing(self._fs).put(stage, new, lambda: True, old)
            stage.done()

    def remove(self, path: str, *, recursive: bool) -> bool:
        """Remove for good; False where nothing was there, and for the root, as in HDFS."""
        real = self._removable(path)
        return real != self._principal.root and self._fs.delete(real, recursive=recursive)

    def put(
        self, path: str, body: Iterable[bytes], *, overwrite: bool, create_parent: bool,
        permission: str, unmasked: str | None, replication: int | None, block_size: int | None,
        early: bool,
    ) -> None:
        """Create or replace a file, atomically. Raises PathNotFound: no parent is to be made."""
        if not create_parent:
            parent = parent_of(self._writable(path))
            if status_or_none(self._fs, parent) is None:
                raise PathNotFound(parent, "the parent directory is not there")
        self.upload(path, body, overwrite=overwrite, permission=permission, unmasked=unmasked,
                    replication=replication, block_size=block_size, early=early)

    def check_put(self, path: str) -> None:
        """Raise what is known to forbid a change of content before anything is sent."""
        self._writable(path)

    def join(self, path: str, sources: Sequence[str]) -> None:
        """Move the blocks of `sources` to the end of a file; they vanish."""
        target = self._writable(path)
        self._fs.concat(target, [self._writable(source) for source in sources])

    def cut(self, path: str, length: int) -> bool:
        """Cut a file; False where HDFS recovers the last block in the background."""
        return self._fs.truncate(self._writable(path), length)

    def replicate(self, path: str, replication: int) -> bool:
        """Set the replication factor; False for what is no file."""
        return self._fs.set_replication(self._writable(path), replication)


