"""Directories that have mount points among their entries."""

from __future__ import annotations

import time
from bisect import insort
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from app.core.errors import GatewayError, UpstreamError
from app.core.model import FileStatus, FileType, ListingPage
from app.core.paths import name_of
from app.fs.key_ranges import order_key
from app.fs.mounted_routes import Route, Router

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.core.mounts import Mount, MountTable
    from app.core.paths import HdfsPath
    from app.fs.mounts import Mounts

PATIENCE_SECONDS = 3.0
"""For so long a listing waits for the clusters of the mount points in it,"""
DOWN_SECONDS = 10.0
"""and for so long none asks again the one that did not answer."""
AT_ONCE = 16


class Silent:
    """The clusters that have not answered lately; one for each process."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def note(self, cluster: str) -> None:
        """Note that a cluster does not answer."""
        self._until[cluster] = time.monotonic() + DOWN_SECONDS

    def __contains__(self, cluster: str) -> bool:
        """Tell whether a cluster did not answer a short while ago."""
        return self._until.get(cluster, 0.0) > time.monotonic()


class Listings(Router):
    """Statuses and listings of one user, mount points included."""

    def __init__(self, mounts: Mounts, table: MountTable, user: str, silent: Silent) -> None:
        super().__init__(mounts, table, user)
        self._silent = silent

    def status(self, path: HdfsPath) -> FileStatus:
        """Return the status of `path`; of a mount point, that of the directory it leads to."""
        with self._reading(path) as route:
            status = route.known(route.fs.status(route.real))
        return _with_points(status, len(self._table.in_directory(path)))

    def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
        """Return entries after the name `start_after`, mount points among them, in HDFS's order.

        What has the name of a mount point is not told. A mount point whose cluster does not tell
        its status is told all the same.
        """
        with self._reading(path) as route:
            page = route.fs.list_page(route.real, start_after)
        page = page._replace(entries=[route.known(entry) for entry in page.entries])
        if page.entries and not page.entries[0].path_suffix:
            return page  # a regular file
        counts, points = self._table.counts_in(path), self._table.in_directory(path)
        if counts:
            page = page._replace(entries=[
                _with_points(entry, counts.get(entry.path_suffix, 0)) for entry in page.entries])
        # Who may list a directory may go into it: HDFS has checked that.
        self._reached.update(mount.mount_id for mount in points)
        return self._merged(page, points, start_after) if points else page

    def _merged(
        self, page: ListingPage, points: Sequence[Mount], start_after: str | None,
    ) -> ListingPage:
        after = order_key(start_after) if start_after else b""
        more = page.remaining > 0 and bool(page.entries)
        last = order_key(page.entries[-1].path_suffix) if more else None
        due = {order_key(name_of(mount.path)): mount for mount in points}
        due = {key: mount for key, mount in due.items() if key > after}
        told = {key: mount for key, mount in due.items() if last is None or key <= last}
        names = {name_of(mount.path) for mount in points}
        entries = [entry for entry in page.entries if entry.path_suffix not in names]
        for entry in self._points(list(told.values())):
            insort(entries, entry, key=_order)
        return ListingPage(entries, page.remaining + len(due) - len(told))

    def _points(self, mounts: Sequence[Mount]) -> Iterable[FileStatus]:
        """Return mount points as entries, asking the clusters at the same time."""
        asked = [mount for mount in mounts if mount.cluster not in self._silent]
        found: dict[int, FileStatus] = {}
        if asked:
            pool = ThreadPoolExecutor(min(AT_ONCE, len(asked)))
            answers = {mount.mount_id: pool.submit(self._point, mount) for mount in asked}
            wait(answers.values(), PATIENCE_SECONDS)
            pool.shutdown(wait=False, cancel_futures=True)
            for mount in asked:
                answer = answers[mount.mount_id]
                status = answer.result() if answer.done() and not answer.cancelled() else None
                if status:
                    found[mount.mount_id] = status
                elif not answer.done():
                    self._silent.note(mount.cluster)
        return [found.get(mount.mount_id) or _unknown(mount) for mount in mounts]

    def _point(self, mount: Mount) -> FileStatus | None:
        """Return a mount point as an entry, None where its cluster does not tell."""
        try:
            route = Route(mount.path, self._mounted(mount), mount.source, mount)
            status = route.known(route.fs.status(route.real))
        except UpstreamError:
            self._silent.note(mount.cluster)
            return None
        except GatewayError:
            return None
        return _with_points(status._replace(path_suffix=name_of(mount.path)),
                            len(self._table.in_directory(mount.path)))


def _order(entry: FileStatus) -> bytes:
    return order_key(entry.path_suffix)


def _with_points(status: FileStatus, count: int) -> FileStatus:
    """Return the status of a directory that holds `count` mount points."""
    if not count or status.children < 0:
        return status
    return status._replace(children=status.children + count)


def _unknown(mount: Mount) -> FileStatus:
    """Return what is known of a mount point without its cluster: a directory, of nobody's.

    It counts as one that has an entry, so that nobody needs to look whether it is empty.
    """
    return FileStatus(
        FileType.DIRECTORY, name_of(mount.path), permission="0", length=0, block_size=0,
        access_time=0, modification_time=mount.since, owner="", group="", replication=0,
        children=1)
