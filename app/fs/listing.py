"""Directories of any size, a page at a time, in HDFS's order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.paths import HIDDEN_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem

_SHORT = 1000


class Listing:
    """The entries of a directory after `start_after`, at most `limit` (>= 1) of them.

    The first page is read by the constructor, so that errors come before anything is sent.
    Staged files of uploads under way are left out. A regular file is one entry with an empty
    `path_suffix`. Iterating yields pages (lists); afterwards `next_start` is the `start_after` of
    what follows, None at the end.
    """

    def __init__(
        self, fs: FileSystem, path: HdfsPath, start_after: str | None, limit: int | None,
    ) -> None:
        self._fs = fs
        self._path = path
        self._limit = limit
        self._first = fs.list_page(path, start_after)
        self.next_start: str | None = None

    @property
    def is_short(self) -> bool:
        """Tell whether all there is to list has been read, and is little."""
        return not self._first.remaining and len(self._first.entries) <= _SHORT

    def __iter__(self) -> Iterator[list[FileStatus]]:
        """Yield pages of entries, each non-empty."""
        rest = self._limit
        for page, more in self._pages():
            if rest is not None and (len(page) > rest or (len(page) == rest and more)):
                yield page[:rest]
                self.next_start = page[rest - 1].path_suffix
                return
            if page:
                yield page
            if rest is not None:
                rest -= len(page)

    def _pages(self) -> Iterator[tuple[list[FileStatus], bool]]:
        """Yield the visible entries of each upstream page and whether more pages follow."""
        page = self._first
        while True:
            more = page.remaining > 0 and bool(page.entries)
            yield [entry for entry in page.entries
                   if not entry.path_suffix.startswith(HIDDEN_MARK)], more
            if not more:
                return
            page = self._fs.list_page(self._path, page.entries[-1].path_suffix)
