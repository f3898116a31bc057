"""A gateway's worker in a process of its own, which hangs amid its first sweep until it is killed.

`python -m tests.nodes.sweeper STATE_FILE DIRECTORY NODE`; one line on standard output says that it
is about to remove a leftover.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from app.embedded.server import create_server
from app.fs.staging import Staging
from app.fs.webhdfs import WebHdfsBackend
from app.nodes.nodes import Nodes
from app.settings import BackendSettings, NodeSettings, UploadSettings
from app.state.sqlite import SqliteStore

LEASE = 2.0


class HangingBackend:
    """A backend that never removes anything."""

    def __init__(self, backend: WebHdfsBackend) -> None:
        self._backend = backend

    def as_user(self, hadoop_user: str) -> Any:
        """Return the file system as a user sees it."""
        return HangingFileSystem(self._backend.as_user(hadoop_user))


class HangingFileSystem:
    """A file system whose `delete` is never over."""

    def __init__(self, fs: Any) -> None:
        self._fs = fs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    def delete(self, path: str, *, recursive: bool = False) -> bool:
        """Say so, and wait for the end."""
        print(f"removing {path} {recursive}", flush=True)
        threading.Event().wait()
        return False


def backend_in(directory: Path) -> WebHdfsBackend:
    """Return the embedded backend over a directory."""
    return WebHdfsBackend(
        BackendSettings(url=("embedded:",)), wsgi=create_server(directory, superuser="hdfs"))


def worker(state: Path, backend: Any, node: str) -> tuple[Nodes, Staging]:
    """Return a worker of the gateway `node`, which beats and, where it is primary, sweeps."""
    store = SqliteStore(state)
    nodes = Nodes(NodeSettings(heartbeat_seconds=0.2, lease_seconds=LEASE), store, node,
                  url="http://127.0.0.1:1", started=1, version="1")
    nodes.start()
    staging = Staging(store, backend, UploadSettings(sweep_seconds=0.5), nodes.is_primary)
    staging.workers.start()
    return nodes, staging


if __name__ == "__main__":
    worker(Path(sys.argv[1]), HangingBackend(backend_in(Path(sys.argv[2]))), sys.argv[3])
    threading.Event().wait()
