"""Two clusters for the tests of mounts, and what is mounted of one into the other."""

from __future__ import annotations

import os
import pwd
import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from app.core.identity import Principal
from app.core.paths import HdfsPath
from app.embedded.server import create_server
from app.fs.mounted import MountedBackend
from app.fs.mounting import Mounting
from app.fs.mounts import Mounts
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.core.mounts import Mount
    from app.fs.port import Backend, FileSystem
    from app.state.store import Store

OTHER = "other"
FRESH_SECONDS = 0.0


def superuser() -> str:
    """Return who started the processes: HDFS's superuser."""
    return pwd.getpwuid(os.getuid()).pw_name


@contextmanager
def mounted_homes(
    settings_and_server: tuple[BackendSettings, Any], directory: Path,
) -> Iterator[MountedBackend]:
    """Yield a backend in which `/user` is mounted from /there/users of another cluster.

    The own one is embedded, in `directory`, and has no homes; those of alice and bob are made.
    """
    settings, server = settings_and_server
    own_server = create_server(directory / "hdfs", superuser=superuser())
    with (closing(WebHdfsBackend(BackendSettings(url=("embedded:",)), wsgi=own_server)) as own,
          closing(WebHdfsBackend(settings, wsgi=server)) as there,
          closing(SqliteStore(directory / "state.db")) as store):
        root = there.as_user(superuser())
        for user in ("alice", "bob"):
            root.mkdirs(HdfsPath(f"/there/users/{user}"), "755")
            root.set_owner(HdfsPath(f"/there/users/{user}"), user, None)
        mounts = Mounts(store, own, {"there": there}, fresh_seconds=0.0)
        mounts.add(HdfsPath("/user"), "there", HdfsPath("/there/users"), read_only=False)
        yield MountedBackend(mounts)


class World:
    """A gateway's own cluster (`own`), another one (`there`), and their mounts.

    `area` is a directory of the own one, `lies` one of the other; all may write in both.
    """

    def __init__(self, store: Store, own: Backend, there: Backend) -> None:
        self.store = store
        self.mounts = Mounts(store, own, {OTHER: there}, {"webhdfs://own:1": ""},
                             fresh_seconds=FRESH_SECONDS)
        self.backend = MountedBackend(self.mounts)
        self.own = own
        self.there = there
        word = uuid.uuid4().hex[:8]
        self.area = HdfsPath(f"/area-{word}")
        self.lies = HdfsPath(f"/lies-{word}")
        for cluster, directory in ((own, self.area), (there, self.lies)):
            root = cluster.as_user(superuser())
            root.mkdirs(directory, "777")
            root.set_permission(directory, "777")

    def at(self, *names: str) -> HdfsPath:
        """Return a path in the area."""
        return HdfsPath("/".join((self.area, *names)))

    def fs(self, user: str = "alice") -> FileSystem:
        """Return the gateway's file system as a request of this Hadoop user gets it."""
        return self.backend.as_user(user)

    def admin(self, root: str = "/") -> Mounting:
        """Return the mounting of an admin who is HDFS's superuser."""
        return self.mounting(superuser(), roles=frozenset({"admin"}), root=HdfsPath(root))

    def mounting(self, hadoop_user: str, **principal: object) -> Mounting:
        """Return the mounting of any principal."""
        who = Principal("who", hadoop_user, **principal)  # type: ignore[arg-type]
        return Mounting(who, self.mounts, self.backend)

    def source(self, name: str = "source", user: str = "alice") -> HdfsPath:
        """Make a directory of `user`'s in the other cluster, and return its real path."""
        path = HdfsPath(f"{self.lies}/{name}")
        self.there.as_user(user).mkdirs(path, "755")
        return path

    def mounted(self, point: HdfsPath, source: HdfsPath, *, read_only: bool = False,
                cluster: str = OTHER) -> Mount:
        """Mount a directory of a cluster."""
        return self.admin().mount(
            point, f"webhdfs://{cluster}{source}" if cluster else source, read_only=read_only)


def write(fs: FileSystem, path: HdfsPath, content: bytes = b"hello") -> HdfsPath:
    """Write a file and return its path."""
    fs.create(path, iter([content]))
    return path


def read(fs: FileSystem, path: HdfsPath) -> bytes:
    """Return a file's content."""
    status = fs.status(path)
    source = fs.open(path, 0, status.length, status.file_id)
    try:
        return b"".join(iter(lambda: source.read(100_000), b""))
    finally:
        source.close()


def names(fs: FileSystem, path: HdfsPath) -> list[str]:
    """Return the names in a directory, read to its end."""
    found: list[str] = []
    page = fs.list_page(path)
    while True:
        found += [entry.path_suffix for entry in page.entries]
        if not page.remaining:
            return found
        page = fs.list_page(path, found[-1])
