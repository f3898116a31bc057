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
from tests.hadoop.jars import HadoopError, jars, java
from tests.hadoop.probe import bean, webhdfs

__all__ = ["FAST_START", "JVM_DEFAULTS", "Cluster", "HadoopError", "jars"]

START_SECONDS = 90.0
NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
HTTPFS = "org.apache.hadoop.fs.http.server.HttpFSServerWebServer"

# Half the start-up time and a third of the memory, at the price of slower long runs.
_LEAN = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
FAST_START: Mapping[str, Sequence[str]] = {
    "namenode": (*_LEAN, "-Xmx512m"),
    "datanode": (*_LEAN, "-Xmx256m"),
    "httpfs": (*_LEAN, "-Xmx384m"),
}
# For measurements: what the JVM takes when nobody says anything.
JVM_DEFAULTS: Mapping[str, Sequence[str]] = {"namenode": (), "datanode": (), "httpfs": ()}


class Cluster:
    """One HDFS with permissions, ACLs, xattrs and trash on, and an HttpFS in front of it.

    `conf` overrides any Hadoop property; `proxy_users` may impersonate anybody with `doas=`;
    `jvm` maps namenode, datanode and httpfs to the flags of their JVMs.
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
        self._jvm = jvm
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

    def make_user(self, name: str, *, group: str | None = None, mode: str = "755") -> str:
        """Create the user's home directory, owned by the user, and return its path."""
        home = f"/user/{name}"
        self._make_directory("/user", "755")
        self._make_directory(home, mode)
        owner = {"owner": name, **({"group": group} if group else {})}
        self._as_superuser("PUT", home, op="SETOWNER", **owner)
        return home

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
        for name in ("logs", "tmp", "httpfs"):
            (self.directory / name).mkdir(exist_ok=True)
        self._namenode = self._daemon("namenode", "namenode", NAMENODE)
        self._datanodes = [self._datanode(i) for i in range(len(self._datanode_ports))]
        if self.httpfs_url:
            self._httpfs = self._daemon("httpfs", "httpfs", HTTPFS)

    def _launch(self) -> None:
        if self._httpfs is not None:
            self._httpfs.start()
        self._format()
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
        self._make_directory("/tmp", "1777")
        if self._httpfs is not None:
            self._await_httpfs()

    def _format(self) -> None:
        formatting = self._daemon("format", "namenode", NAMENODE, "-format", "-nonInteractive")
        formatting.start()
        try:
            formatting.finish(seconds=START_SECONDS)
        finally:
            formatting.stop()

    def _daemon(self, name: str, role: str, main: str, *arguments: str) -> Daemon:
        hadoop = jars()
        places = {"home": "httpfs", "config": "conf", "log": "logs", "temp": "tmp"}
        command = [
            java(),
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-Djava.net.preferIPv4Stack=true",
            *(f"-Dhttpfs.{key}.dir={self.directory / place}" for key, place in places.items()),
            *self._jvm[role],
            *("-classpath", f"{self.directory / 'conf'}:{hadoop}:{hadoop / 'lib'}/*"),
            *(main, *arguments),
        ]
        env = {**os.environ, "HADOOP_USER_NAME": self.superuser}
        return Daemon(name, command, self.directory / "logs" / f"{name}.log", env)

    def _datanode(self, i: int) -> Daemon:
        options = {
            "dfs.datanode.data.dir": (self.directory / f"data-{i}").as_uri(),
            "dfs.datanode.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.ipc.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.http.address": f"127.0.0.1:{self._datanode_ports[i]}",
        }
        arguments = [part for key, value in options.items() for part in ("-D", f"{key}={value}")]
        return self._daemon(f"datanode-{i}", "datanode", DATANODE, *arguments)

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

    def _make_directory(self, path: str, mode: str) -> None:
        # MKDIRS masks the mode by the umask, and leaves a directory that exists as it is.
        for operation in ("MKDIRS", "SETPERMISSION"):
            self._as_superuser("PUT", path, op=operation, permission=mode)

    def _as_superuser(self, method: str, path: str, **parameters: str) -> None:
        webhdfs(self.namenode_url, method, path, **parameters, **{"user.name": self.superuser})
