"""A small HDFS of three DataNodes, written to by DataTransferProtocol, looked at by WebHDFS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.datanodes import Datanodes
from app.hadoop.file_writing import write_file
from app.hadoop.ipc import Identity
from app.hadoop.ipc_pool import Caller, Limits
from app.hadoop.keeping import Keeper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.hadoop.cluster import Cluster

SECONDS = 60


class Trio:
    """The cluster, and what writes to it as `user`."""

    def __init__(self, cluster: Cluster, user: str) -> None:
        self.cluster = cluster
        self.user = user
        self.limits = Limits()
        self.caller = Caller(("127.0.0.1", cluster.rpc_port), self.limits)
        self.datanodes = Datanodes(self.limits)
        self.keeper = Keeper()

    def client(self, user: str = "") -> NameNodeClient:
        """Return the NameNode as a user sees it."""
        return NameNodeClient(self.caller, Identity(user or self.user))

    def put(self, path: str, body: Iterable[bytes], *, user: str = "", **options: Any) -> None:
        """Write a file."""
        write_file(self.client(user), self.datanodes, options.pop("keeper", self.keeper), path,
                   body, **{"mode": 0o644, "unmasked": None, "overwrite": True,
                            "replication": None, "block_size": None, **options})

    def web(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make a call of WebHDFS, `op` and the like as parameters."""
        data = options.pop("data", None)
        answer = requests.request(
            method, f"{self.cluster.namenode_url}/webhdfs/v1{quote(path)}", timeout=SECONDS,
            params={"user.name": self.user, **options}, data=data)
        assert answer.ok, answer.text
        return answer

    def read(self, path: str) -> bytes:
        """Return a file's bytes, by WebHDFS."""
        return self.web("GET", path, op="OPEN").content

    def told(self, path: str, op: str, **options: Any) -> Any:
        """Return what a GET of WebHDFS tells, without its outermost name."""
        found, = self.web("GET", path, op=op, **options).json().values()
        return found

    def is_closed(self, path: str) -> bool:
        """Tell whether nobody writes the file any more, which has a block at least."""
        blocks = self.client().get_block_locations(path, 0, 1)
        assert blocks is not None
        return blocks.complete

    def close(self) -> None:
        """End connections and threads."""
        self.keeper.close()
        self.datanodes.close()
        self.caller.close()
