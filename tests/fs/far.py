"""Another cluster that gateways may mount: the embedded server by HTTP, as a process."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests

from app.core.paths import HdfsPath
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from tests.gateway import REPOSITORY, wait_for
from tests.hadoop.daemon import Daemon, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.fs.port import FileSystem

SERVER = """
from pathlib import Path
from app.embedded import create_server
application = create_server(Path({directory!r}), superuser="hdfs", listing_page={page})
"""


class Far(NamedTuple):
    """Another cluster: the embedded server by HTTP, in a process of its own."""

    url: str
    daemon: Daemon
    backend: WebHdfsBackend

    def as_user(self, user: str = "alice") -> FileSystem:
        return self.backend.as_user(user)

    def die(self) -> None:
        """Kill the cluster, and return when its worker has noticed too."""
        self.daemon.stop()
        port = urlsplit(self.url).port or 0

        def is_dead() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except ConnectionRefusedError:
                return True
            return False

        wait_for("nobody who listens", is_dead)

    def directory(self, name: str, user: str = "alice") -> HdfsPath:
        """Make a directory of this user's, and return it."""
        path = HdfsPath(f"/far/{name}")
        self.as_user("hdfs").mkdirs(path, "755")
        self.as_user("hdfs").set_owner(path, user, None)
        return path


@contextmanager
def far_cluster(directory: Path, page: int = 3) -> Iterator[Far]:
    """Run the other cluster in `directory`, its listings in pages of so many entries."""
    (directory / "far_cluster.py").write_text(SERVER.format(
        directory=str(directory / "far"), page=page))
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}",
               "--no-control-socket", "--worker-class", "gthread", "--threads", "16",
               "--limit-request-line", "0",
               "--pythonpath", f"{REPOSITORY},{directory}", "far_cluster:application"]
    daemon = Daemon("far", command, directory / "far.log", dict(os.environ))
    daemon.start()
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return requests.get(f"{url}/webhdfs/v1/?op=GETFILESTATUS&user.name=hdfs",
                                timeout=5).ok
        except requests.RequestException:
            return False

    try:
        daemon.await_ready("the other cluster", ready, seconds=30)
        with closing(WebHdfsBackend(BackendSettings(url=(url,)))) as backend:
            yield Far(url, daemon, backend)
    finally:
        daemon.stop()
