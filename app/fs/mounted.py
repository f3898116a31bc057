"""The backend that everybody gets: the own cluster, with other directories mounted into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs.mounted_changing import MountedFileSystem
from app.fs.mounted_listing import Silent
from app.fs.mounts import OWN

if TYPE_CHECKING:
    from app.core.paths import HdfsPath
    from app.fs.mounts import Mounts
    from app.fs.port import FileSystem


class MountedBackend:
    """A Backend whose file systems show what is mounted."""

    def __init__(self, mounts: Mounts) -> None:
        self._mounts = mounts
        self._own = mounts.cluster(OWN)
        self._silent = Silent()

    def as_user(self, hadoop_user: str) -> FileSystem:
        """Return the file system as `hadoop_user` sees it, for one request.

        It keeps to the mounts that there are now, so that what has begun ends in the same place.
        Raises InvalidParameter, StorageFault.
        """
        table = self._mounts.table()
        if not table:
            return self._own.as_user(hadoop_user)
        return MountedFileSystem(self._mounts, table, hadoop_user, self._silent)

    def probe(self, timeout: float) -> None:
        """Return if the own cluster answers within `timeout` seconds, else raise UpstreamError."""
        self._own.probe(timeout)

    def location(self, path: HdfsPath) -> str:
        """Return where `path` really lies, as a URI."""
        return self._mounts.location(path)

    @property
    def description(self) -> str:
        """What is behind and where."""
        others = [f"{name}: {self._mounts.cluster(name).description}"
                  for name in self._mounts.names]
        return "; to be mounted, ".join([self._own.description, *others])
