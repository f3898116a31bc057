"""A real Hadoop on loopback: NameNode, DataNodes and HttpFS as child processes.

Everything listens on 127.0.0.1 and lives below one directory; nothing survives the launcher,
however that dies (see `guard`). Times are in seconds, ports are TCP ports.
"""

import os
import pwd
import signal as signals
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.hadoop import configuration
from tests.hadoop.daemon import Daemon, free_port
from tests.hadoop.jars import HadoopError, jars
from tests.hadoop.launch import (
    FAST_START,
    HTTPFS,
    JVM_DEFAULTS,
    NAMENODE,
    START_SECONDS,
    Launcher,
    Superuser,
)
from tests.hadoop.probe import bean, webhdfs

__all__ = ["FAST_START", "JVM_DEFAULTS", "Cluster", "HadoopError", "jars"]


class Cluster:
    """One HDFS with permissions, ACLs, xattrs and trash on, and an HttpFS in front of it.

    `conf` overrides any Hadoop property; `proxy_users` may impersonate anybody with `doas=`;
    `jvm` maps namenode, datanode and httpfs to the flags of their JVMs; `seeded` as a Launcher has
    it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        datanodes: int = 1,
        httpfs: bool = True,
        namenode_port: int = 0,
        httpfs_port: int = 0,
        conf: Mapping[str, str] | None = None,
        proxy_users: Sequence[str] = ("gateway",),
        jvm: Mapping[str, Sequence[str]] = FAST_START,
        seeded: bool = True,
    ) -> None:
        self.directory = directory.resolve()
        self.superuser = pwd.getpwuid(os.getuid()).pw_name
        self.rpc_port = free_port()
        self._namenode_port = namenode_port or free_port()
        self._httpfs_port = httpfs_port or free_port()
        self.namenode_url = f"http://127.0.0.1:{self._namenode_port}"
        self.httpfs_url = f"http://127.0.0.1:{self._httpfs_port}" if httpfs else ""
        self._conf = dict(conf or {})
        self._proxy_users = tuple(proxy_users)
        self._launcher = Launcher(self.directory, self.superuser, jvm, seeded=seeded)
        self._admin = Superuser(self.superuser)
        self._datanode_ports = [free_port() for _ in range(datanodes)]
        self._namenode: Daemon | None = None
        self._datanodes: list[Daemon] = []
        self._httpfs: Daemon | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the JVMs that run: namenode, datanode-0 …, httpfs."""
        return {
            daemon.name: daemon.pid
            for daemon in self._daemons()
            if daemon.running and daemon.pid is not None
        }

    @property
    def datanode_urls(self) -> list[str]:
        """The HTTP addresses that the NameNode redirects to."""
        return [f"http://127.0.0.1:{port}" for port in self._datanode_ports]

    def start(self) -> None:
        """Format a new file system and start everything; return when it is ready for work."""
        if self._namenode is not None:
            raise HadoopError(f"the cluster in {self.directory} has been started already")
        try:
            self._prepare()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of the cluster; its files stay in the directory."""
        for daemon in self._daemons():
            daemon.stop()

    def tool(self, main: str, *arguments: str) -> list[str]:
        """Return the command of one of Hadoop's tools, by its class, for this cluster."""
        return self._launcher.command("httpfs", main, *arguments)

    def make_user(self, name: str, *, group: str | None = None, mode: str = "755") -> str:
        """Create the user's home directory, owned by the user, and return its path."""
        return self._admin.make_user(self.namenode_url, name, group=group, mode=mode)

    def kill_datanode(self, i: int, signal: signals.Signals = signals.SIGKILL) -> None:
        """Send a DataNode a signal; SIGSTOP and SIGCONT make it hang and go on."""
        self._datanodes[i].signal(signal)

    def start_datanode(self, i: int) -> None:
        """Start a killed DataNode on its old ports and wait until it has reported its blocks."""
        self._datanodes[i].start()
        self._await_datanode(i)

    def kill_namenode(self, signal: signals.Signals = signals.SIGKILL) -> None:
        """Send the NameNode a signal."""
        self._one(self._namenode).signal(signal)

    def start_namenode(self) -> None:
        """Start the killed NameNode on its old ports and wait until it serves the DataNodes."""
        self._one(self._namenode).start()
        self._await_namenode()

    def kill_httpfs(self, signal: signals.Signals = signals.SIGKILL) -> None:
        """Send HttpFS a signal."""
        self._one(self._httpfs).signal(signal)

    def start_httpfs(self) -> None:
        """Start the killed HttpFS on its old port and wait until it answers."""
        self._one(self._httpfs).start()
        self._await_httpfs()

    def _prepare(self) -> None:
        shared = configuration.site(
            self.directory,
            rpc_port=self.rpc_port,
            namenode_port=self._namenode_port,
            impersonators=sorted({self.superuser, *self._proxy_users}),
        )
        httpfs = configuration.httpfs_site(
            httpfs_port=self._httpfs_port, proxy_users=self._proxy_users
        )
        configuration.write(self.directory / "conf", shared, httpfs, self._conf)
        self._launcher.make_folders()
        self._namenode = self._launcher.daemon("namenode", "namenode", NAMENODE)
        self._datanodes = [
            self._launcher.datanode(i, port) for i, port in enumerate(self._datanode_ports)
        ]
        if self.httpfs_url:
            self._httpfs = self._launcher.daemon("httpfs", "httpfs", HTTPFS)

    def _launch(self) -> None:
        if self._httpfs is not None:
            self._httpfs.start()
        self._launcher.format(self.directory / "name")
        namenode = self._one(self._namenode)
        namenode.start()
        # A DataNode whose first call meets a NameNode half started sleeps for five seconds.
        namenode.await_ready(
            "RPC up", lambda: namenode.has_logged("NameNode RPC up at"), seconds=START_SECONDS
        )
        for daemon in self._datanodes:
            daemon.start()
        self._await_namenode()
        for i in range(len(self._datanodes)):
            self._await_datanode(i)
        self._admin.make_directory(self.namenode_url, "/tmp", "1777")
        if self._httpfs is not None:
            self._await_httpfs()

    def _daemons(self) -> list[Daemon]:
        several = [self._namenode, *self._datanodes, self._httpfs]
        return [daemon for daemon in several if daemon is not None]

    def _one(self, daemon: Daemon | None) -> Daemon:
        if daemon is None:
            raise HadoopError("there is no such process in this cluster, or it was not started")
        return daemon

    def _await_namenode(self) -> None:
        def ready() -> bool:
            wanted = sum(daemon.running for daemon in self._datanodes)
            state = bean(self.namenode_url, "NameNode", "FSNamesystemState")
            alive = state.get("NumLiveDataNodes", -1) >= wanted
            # Without DataNodes the NameNode stays in safe mode by right: it waits for blocks.
            return alive and (not wanted or state.get("FSState") == "Operational")

        self._one(self._namenode).await_ready(
            "all DataNodes live and safe mode off", ready, seconds=START_SECONDS
        )

    def _await_datanode(self, i: int) -> None:
        # The log tells at once; the DataNode's metrics are cached for ten seconds.
        daemon = self._datanodes[i]
        daemon.await_ready(
            "blocks reported",
            lambda: daemon.has_logged("Successfully sent block report"),
            seconds=START_SECONDS,
        )

    def _await_httpfs(self) -> None:
        def ready() -> bool:
            user = {"user.name": self.superuser}
            try:
                return bool(webhdfs(self.httpfs_url, "GET", "/", op="GETFILESTATUS", **user))
            except HadoopError:
                return False

        self._one(self._httpfs).await_ready("answering", ready, seconds=START_SECONDS)
