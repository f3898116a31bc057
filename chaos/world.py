"""What is broken: an HA cluster with DataNodes, and a gateway with several workers before it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import requests

from bench.client import address_of
from bench.s3_client import S3Party
from chaos.client import Door
from chaos.forwarder import Forwarder
from tests.clients.endpoint import create_key
from tests.gateway import PASSWORD, Gateway, wait_for
from tests.hadoop.daemon import free_port
from tests.hadoop.ha import HaCluster
from tests.hadoop.probe import webhdfs

if TYPE_CHECKING:
    from pathlib import Path

HADOOP_USER, GATEWAY_USER = "alice", "someone"
ROOM, BUCKET = f"/user/{HADOOP_USER}/chaos", "bucket"
WORKERS = 3
NAMENODES, DATANODES = 2, 3
WAIT = 120.0
CONF = {
    "dfs.replication": "2",
    # What deploy/README.md advises for many small files: else they are most of what is waited for.
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "20",
    "dfs.client.block.write.locateFollowingBlock.retries": "9",
}
SETTINGS: dict[str, Any] = {
    # So that what chaos leaves open is over when it is looked at; all else as it comes.
    "streams": {"idle_seconds": 20.0, "sweep_seconds": 2.0},
    "upload": {"sweep_seconds": 2.0},
}


class World:
    """Everything that runs; as a context manager it runs inside. The data lies in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            self._start()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.cluster = self._stack.enter_context(HaCluster(
            self._directory / "hadoop", namenodes=NAMENODES, datanodes=DATANODES, conf=CONF))
        self.cluster.make_user(HADOOP_USER)
        self.ways = [self._stack.enter_context(Forwarder(url))
                     for url in self.cluster.namenode_urls]
        s3_port, home = free_port(), self._directory / "gateway"
        self.gateway = self._stack.enter_context(Gateway(
            home, backend=[way.url for way in self.ways], workers=WORKERS, fresh=True,
            users={GATEWAY_USER: {"hadoop_user": HADOOP_USER, "bucket_root": ROOM}},
            gunicorn_args=["--bind", f"127.0.0.1:{s3_port}"],
            settings={**SETTINGS, "s3": {
                "ports": [s3_port], "keys_file": str(home / "keys.yaml"),
                "master_key_file": str(home / "keys.master")}}))
        key = create_key(self.gateway, GATEWAY_USER)
        address = address_of(self.gateway.url)
        self.door = Door(address, S3Party("chaos", (address[0], s3_port), *key, ()),
                         GATEWAY_USER, PASSWORD, ROOM, BUCKET)

    # --- past the gateway

    def make_directory(self, path: str) -> None:
        """Make a directory, and those above it."""
        self._ask("PUT", path, op="MKDIRS", permission="755")

    def everything(self, path: str = ROOM) -> dict[str, int]:
        """Return all files below a directory, hidden ones too, with their lengths."""
        found: dict[str, int] = {}
        for one in self._ask("GET", path, op="LISTSTATUS")["FileStatuses"]["FileStatus"]:
            below = f"{path}/{one['pathSuffix']}"
            if one["type"] == "DIRECTORY":
                found |= self.everything(below)
                if one["pathSuffix"].startswith("."):
                    found[below] = -1
            else:
                found[below] = one["length"]
        return found

    def stored(self, path: str) -> bytes:
        """Return what HDFS has of a file, read from a DataNode."""
        url = f"{self._active_url()}/webhdfs/v1{quote(path)}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, params={"op": "OPEN", "user.name": HADOOP_USER}, timeout=60)
        answer.raise_for_status()
        return answer.content

    def _ask(self, method: str, path: str, **parameters: str) -> dict[str, Any]:
        return webhdfs(self._active_url(), method, path, **parameters,
                       **{"user.name": HADOOP_USER})

    def _active_url(self) -> str:
        active = self.cluster.active
        assert active is not None, "no NameNode is active"
        return self.cluster.namenode_urls[active]

    # --- what is broken, and mended

    def active(self) -> int:
        """Return the index of the active NameNode, when there is one."""
        def look() -> int:
            found = self.cluster.active
            return 0 if found is None else found + 1

        return wait_for("an active NameNode", look, seconds=WAIT) - 1

    def kill_namenode(self, i: int) -> None:
        """Kill a NameNode with SIGKILL; nobody listens at its address then."""
        self.cluster.kill_namenode(i)
        self.ways[i].down()

    def start_namenode(self, i: int) -> None:
        """Start a killed NameNode, and return when it is a standby."""
        self.ways[i].up()
        self.cluster.start_namenode(i)

    def kill_gateway(self) -> None:
        """Kill gunicorn and all its workers with SIGKILL."""
        for pid in (self.gateway.master, *self.gateway.workers()):
            os.kill(pid, signal.SIGKILL)
        wait_for("the end of the gateway", lambda: not self.gateway.running)

    def await_replicas(self) -> None:
        """Return when each block has as many replicas as it should."""
        wait_for("all replicas", lambda: self.cluster.degraded_blocks == 0, seconds=WAIT)

    def await_workers(self) -> None:
        """Return when the gateway has all its workers."""
        wait_for("workers", lambda: len(self.gateway.workers()) == WORKERS, seconds=WAIT)


def pause(seconds: float) -> None:
    """Let the load go on for a while."""
    time.sleep(seconds)
