"""Hadoop, HttpFS and the gateway on loopback, with the files that are measured on."""

from __future__ import annotations

import os
import resource
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from bench import parties
from bench.client import exchange
from bench.keepalive import KeepAlive
from bench.parties import CREATED, HADOOP_USER, ROOM, Party
from bench.processes import Processes
from bench.s3_client import S3Party
from tests.clients.endpoint import create_key
from tests.clients.tools import rclone
from tests.deploy.front import Certificate, Nginx
from tests.gateway import Gateway, wait_for
from tests.hadoop.cluster import JVM_DEFAULTS, Cluster
from tests.hadoop.daemon import Daemon, free_port

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
WORKERS = 2
ACCEL_WORD = "a-word-of-this-measurement"
SMALL_FILE, BIG_FILE, SLOW_FILE, DIRECTORY = (
    f"{ROOM}/{name}" for name in ("small", "big", "slow", "directory"))
# The tests' cluster is quick to notice the dead; here everything is as Hadoop has it.
HADOOP_DEFAULTS = {
    "dfs.heartbeat.interval": "3",
    "dfs.namenode.heartbeat.recheck-interval": "300000",
    "dfs.namenode.stale.datanode.interval": "30000",
    "dfs.namenode.avoid.read.stale.datanode": "false",
    "dfs.namenode.avoid.write.stale.datanode": "false",
    "dfs.namenode.redundancy.interval.seconds": "3",
    "dfs.namenode.fs-limits.min-block-size": str(MIB),
    "dfs.namenode.edits.noeditlogchannelflush": "false",
    "ipc.client.connect.retry.interval": "1000",
    "ipc.client.connection.maxidletime": "10000",
}
# What deploy/README.md advises for many small files.
TUNED = {
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "20",
    "dfs.client.block.write.locateFollowingBlock.retries": "9",
}


USERS = {parties.GATEWAY_USER: {
    "hadoop_user": HADOOP_USER, "password": parties.GATEWAY_PASSWORD, "bucket_root": ROOM}}


@dataclass(frozen=True)
class Sizes:
    """How much is measured; durations are in seconds."""

    warm_up: float = 120.0
    status_seconds: float = 4.0
    transfer_bytes: int = 1024 * MIB
    pair_seconds: float = 5.0
    entries: int = 100_000
    slow_clients: int = 1_000
    slow_seconds: float = 10.0


QUICK = Sizes(warm_up=6.0, status_seconds=2.0, transfer_bytes=256 * MIB, pair_seconds=3.0,
              entries=10_000, slow_seconds=5.0)


class World:
    """Everything that runs; as a context manager it runs inside. The data lies in `directory`."""

    def __init__(
        self, directory: Path, sizes: Sizes, datanodes: int, *, tuned: bool = False,
        rpc: str = "auto",
    ) -> None:
        self.sizes = sizes
        self._conf = {**HADOOP_DEFAULTS, **(TUNED if tuned else {}),
                      "dfs.replication": str(min(3, datanodes))}
        self.datanodes = datanodes
        self._backend = {"rpc": rpc}
        self._directory = directory
        self._stack = ExitStack()
        self._s3_parties: tuple[S3Party, ...] = ()
        self._rclone: Daemon | None = None
        self._cached: Gateway | None = None
        self._fronted: Gateway | None = None
        self._nginxes: list[Nginx] = []
        self._nginx_urls: list[str] = []

    def __enter__(self) -> Self:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with self._stack:
            self._start()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def parties(self) -> tuple[Party, ...]:
        """Who is measured."""
        return self.gateway, self.httpfs, self.direct

    def _start(self) -> None:
        cluster = self._stack.enter_context(Cluster(
            self._directory / "hadoop", datanodes=self.datanodes, conf=self._conf,
            jvm=JVM_DEFAULTS))
        cluster.make_user(HADOOP_USER)
        gateway = self._directory / "gateway"
        self._s3_port = free_port()
        served = self._stack.enter_context(Gateway(
            gateway, backend=cluster.namenode_url, workers=WORKERS, users=USERS, fresh=True,
            superuser=cluster.superuser, gunicorn_args=["--bind", f"127.0.0.1:{self._s3_port}"],
            settings={"backend": self._backend, "s3": {
                "ports": [self._s3_port], "keys_file": str(gateway / "keys.yaml"),
                "master_key_file": str(gateway / "keys.master")}}))
        self._cluster, self._served = cluster, served
        self.gateway = parties.gateway(served.url)
        self.httpfs = parties.httpfs(cluster.httpfs_url)
        self.direct = parties.direct(cluster.namenode_url)
        pids = cluster.pids
        self.processes = Processes({
            "gateway": lambda: [served.master, *served.workers()],
            "httpfs": lambda: [pids["httpfs"]],
            "rclone": self._rclone_pids,
            "cached": lambda: (
                [self._cached.master, *self._cached.workers()] if self._cached else []),
            "fronted": lambda: (
                [self._fronted.master, *self._fronted.workers()] if self._fronted else []),
            "nginx": lambda: [pid for nginx in self._nginxes for pid in nginx.pids],
            "namenode": lambda: [pids["namenode"]],
            "datanode": lambda: [pid for role, pid in pids.items() if "datanode" in role],
        })

    def cached_gateway(self) -> Party:
        """Return a second gateway, one with a read cache; it starts when asked for."""
        if self._cached is None:
            directory = self._directory / "cached"
            self._cached = self._stack.enter_context(Gateway(
                directory, backend=self._cluster.namenode_url, workers=WORKERS, users=USERS,
                fresh=True, superuser=self._cluster.superuser,
                settings={"backend": self._backend,
                          "cache": {"mountpaths": [str(directory / "disk")]}}))
        return replace(
            parties.gateway(self._cached.url), serves=("cached", "namenode", "datanode"))

    def fronted_gateway(self) -> Party:
        """Return a gateway that stands behind nginx, asked past it; it starts when asked for."""
        if self._fronted is None:
            self._fronted = self._stack.enter_context(Gateway(
                self._directory / "fronted", backend=self._cluster.namenode_url,
                workers=WORKERS, users=USERS, fresh=True, superuser=self._cluster.superuser,
                settings={"backend": self._backend,
                          "web": {"trusted_proxies": ["127.0.0.1"], "accel": ACCEL_WORD}}))
        return replace(parties.gateway(self._fronted.url), name="no nginx")

    def fronted_parties(self) -> tuple[Party, Party]:
        """Return nginx with X-Accel-Redirect and nginx without, both by plain HTTP."""
        asked = self.fronted_gateway()
        assert self._fronted is not None
        if not self._nginxes:
            certificate = Certificate(self._directory / "certificate")
            for word in (ACCEL_WORD, ""):
                port = free_port()
                self._nginx_urls.append(f"http://127.0.0.1:{port}")
                self._nginxes.append(self._stack.enter_context(Nginx(
                    self._directory / f"nginx-{port}", self._fronted, certificate, accel=word,
                    listening=f"listen 127.0.0.1:{port};")))
        accel, plain = (
            replace(parties.gateway(url), headers=asked.headers) for url in self._nginx_urls)
        return accel, replace(plain, name="plain")

    def s3_parties(self) -> tuple[S3Party, ...]:
        """Return the gateway and rclone as S3 servers over one HDFS; rclone starts when asked for.

        Both have the directories of ROOM for buckets, and are asked with a key.
        """
        if not self._s3_parties:
            key = create_key(self._served, parties.GATEWAY_USER)
            hadoop = ("namenode", "datanode")
            self._s3_parties = (
                S3Party("gateway", ("127.0.0.1", self._s3_port), *key, ("gateway", *hadoop)),
                S3Party("rclone", self._start_rclone(key), *key, ("rclone", *hadoop)))
        return self._s3_parties

    def _start_rclone(self, key: tuple[str, str]) -> tuple[str, int]:
        address = ("127.0.0.1", free_port())
        command = [
            str(rclone()), "serve", "s3", "--config", os.devnull, "--auth-key", ",".join(key),
            "--addr", f"{address[0]}:{address[1]}",
            "--hdfs-namenode", f"127.0.0.1:{self._cluster.rpc_port}",
            "--hdfs-username", HADOOP_USER, f":hdfs:{ROOM}"]
        self._rclone = Daemon("rclone", command, self._directory / "rclone.log", dict(os.environ))
        self._rclone.start()
        self._stack.callback(self._rclone.stop)
        wait_for("rclone listens", lambda: self._listens(address))
        return address

    @staticmethod
    def _listens(address: tuple[str, int]) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(address) == 0

    def _rclone_pids(self) -> list[int]:
        pid = self._rclone.pid if self._rclone else None
        return [pid] if pid else []

    def make_directory(self, path: str) -> None:
        """Make a directory without the gateway."""
        with self.direct.connect() as sock:
            exchange(sock, self.direct.request("mkdir", path))

    def write(self, path: str, content: bytes) -> None:
        """Write a file without the gateway."""
        sock, head = self.direct.begin_write(path, len(content))
        with sock:
            exchange(sock, head + content, CREATED)

    def write_random(self, path: str, size: int) -> bytes:
        """Write a file of `size` bytes that repeat every MiB, and return that MiB."""
        piece = os.urandom(min(size, MIB))
        sock, head = self.direct.begin_write(path, size)
        with sock:
            sock.sendall(head)
            for _ in range(size // len(piece) - 1):
                sock.sendall(piece)
            exchange(sock, piece, CREATED)
        return piece

    def delete(self, path: str) -> None:
        """Delete a file or directory without the gateway."""
        with self.direct.connect() as sock:
            exchange(sock, self.direct.request("delete", path))

    def fill_directory(self) -> None:
        """Make a directory of `sizes.entries` entries."""
        requests = (self.direct.request("mkdir", f"{DIRECTORY}/entry-{number:07}")
                    for number in range(self.sizes.entries))
        KeepAlive(self.direct.address, connections=16).run_all(requests)
