"""Several NameNodes of one HDFS: one active, the others standby; no ZooKeeper changes them.

The edits lie in a directory that all see; who is active is decided by `HaCluster.transition`
alone. Everything listens on 127.0.0.1 and lives below one directory, as in `cluster`.
"""

import os
import pwd
import signal as signals
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.hadoop import configuration
from tests.hadoop.daemon import Daemon, free_port
from tests.hadoop.jars import HadoopError
from tests.hadoop.launch import (
    FAST_START,
    NAMENODE,
    START_SECONDS,
    Launcher,
    Superuser,
)
from tests.hadoop.probe import bean

ADMIN = "org.apache.hadoop.hdfs.tools.DFSHAAdmin"


class HaCluster:
    """One HDFS with two `namenodes` or more, counted from 0; 0 is active after the start.

    `datanodes`, `conf`, `proxy_users` and `jvm` are those of `Cluster`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        namenodes: int = 2,
        datanodes: int = 1,
        conf: Mapping[str, str] | None = None,
        proxy_users: Sequence[str] = ("gateway",),
        jvm: Mapping[str, Sequence[str]] = FAST_START,
    ) -> None:
        self.directory = directory.resolve()
        self.superuser = pwd.getpwuid(os.getuid()).pw_name
        self._conf = dict(conf or {})
        self._proxy_users = tuple(proxy_users)
        self._names = tuple(f"nn{i + 1}" for i in range(namenodes))
        self._http_ports = [free_port() for _ in self._names]
        self._rpc_ports = [free_port() for _ in self._names]
        self._datanode_ports = [free_port() for _ in range(datanodes)]
        self._launcher = Launcher(self.directory, self.superuser, jvm)
        self._admin = Superuser(self.superuser)
        self._namenodes: list[Daemon] = []
        self._datanodes: list[Daemon] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def namenode_urls(self) -> list[str]:
        """The HTTP addresses of the NameNodes."""
        return [f"http://127.0.0.1:{port}" for port in self._http_ports]

    @property
    def datanode_urls(self) -> list[str]:
        """The HTTP addresses that the active NameNode redirects to."""
        return [f"http://127.0.0.1:{port}" for port in self._datanode_ports]

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the JVMs that run: nn1, nn2, datanode-0 …."""
        return {
            daemon.name: daemon.pid
            for daemon in (*self._namenodes, *self._datanodes)
            if daemon.running and daemon.pid is not None
        }

    @property
    def active(self) -> int | None:
        """The index of the NameNode that says it is active; None where none does."""
        states = [self.state(i) for i in range(len(self._names))]
        return states.index("active") if "active" in states else None

    def state(self, i: int) -> str:
        """Return what a NameNode says it is: active or standby; empty where it says nothing."""
        if not self._namenodes[i].running:
            return ""
        return str(self._bean(i, "NameNodeStatus").get("State", ""))

    def start(self) -> None:
        """Format a new file system, start everything, and make NameNode 0 active."""
        if self._namenodes:
            raise HadoopError(f"the cluster in {self.directory} has been started already")
        try:
            self._prepare()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of the cluster; its files stay in the directory."""
        for daemon in (*self._namenodes, *self._datanodes):
            daemon.stop()

    def make_user(self, name: str, *, group: str | None = None, mode: str = "755") -> str:
        """Create the user's home directory, owned by the user, and return its path."""
        return self._admin.make_user(self._active_url(), name, group=group, mode=mode)

    def transition(self, to: int, *, force: bool = False) -> None:
        """Make a NameNode the active one, and return when it serves writes.

        Planned, the active one steps down first. `force` asks the others nothing: but for
        standbys they must be dead, or two would write.
        """
        name = self._names[to]
        if force:
            self._require_no_other(to)
            self._tell("-transitionToActive", "--forceactive", name)
        elif (active := self.active) not in (None, to):
            self._tell("-failover", self._names[active], name)
        else:
            self._tell("-transitionToActive", name)
        self._await_state(to, "active")

    def kill_namenode(self, i: int, signal: signals.Signals = signals.SIGKILL) -> None:
        """Send a NameNode a signal; SIGSTOP and SIGCONT make it hang and go on."""
        self._namenodes[i].signal(signal)

    def start_namenode(self, i: int) -> None:
        """Start a killed NameNode and wait until it is a standby that knows all blocks."""
        self._namenodes[i].start()
        _await_rpc(self._namenodes[i])
        self._await_state(i, "standby")

    def kill_datanode(self, i: int, signal: signals.Signals = signals.SIGKILL) -> None:
        """Send a DataNode a signal; SIGSTOP and SIGCONT make it hang and go on."""
        self._datanodes[i].signal(signal)

    def start_datanode(self, i: int) -> None:
        """Start a killed DataNode and wait until it has reported its blocks."""
        self._datanodes[i].start()
        self._await_reports(self._datanodes[i])

    @property
    def degraded_blocks(self) -> int:
        """How many blocks have fewer replicas than they should; -1 where nobody is active."""
        active = self.active
        if active is None:
            return -1
        system = self._bean(active, "FSNamesystem")
        return int(system.get("LowRedundancyBlocks", -1))

    def _prepare(self) -> None:
        properties = configuration.ha_site(
            self.directory,
            names=self._names,
            rpc_ports=self._rpc_ports,
            http_ports=self._http_ports,
            impersonators=sorted({self.superuser, *self._proxy_users}),
        )
        configuration.write(self.directory / "conf", properties, {}, self._conf)
        self._launcher.make_folders()
        self._namenodes = [
            self._launcher.daemon(name, "namenode", NAMENODE, properties=_identity(name))
            for name in self._names
        ]
        self._datanodes = [
            self._launcher.datanode(i, port) for i, port in enumerate(self._datanode_ports)
        ]

    def _launch(self) -> None:
        edits = self.directory / "edits"
        names = [configuration.name_folder(self.directory, name) for name in self._names]
        self._launcher.format(*names, edits)
        # The others have what -bootstrapStandby would fetch; where edits are, no image is.
        for image in (edits / "current").glob("fsimage*"):
            image.unlink()
        for daemon in self._namenodes:
            daemon.start()
        for daemon in self._namenodes:
            _await_rpc(daemon)
        for daemon in self._datanodes:
            daemon.start()
        for i in range(len(self._names)):
            self._await_state(i, "standby")
        for daemon in self._datanodes:
            self._await_reports(daemon)
        self.transition(0)
        self._make_tmp()

    def _make_tmp(self) -> None:
        self._admin.make_directory(self._active_url(), "/tmp", "1777")

    def _bean(self, i: int, name: str) -> Mapping[str, Any]:
        return bean(self.namenode_urls[i], "NameNode", name)

    def _tell(self, *command: str) -> None:
        self._launcher.run("haadmin", "namenode", ADMIN, *command)

    def _require_no_other(self, to: int) -> None:
        for i, namenode in enumerate(self._namenodes):
            if i != to and namenode.running and self.state(i) != "standby":
                raise HadoopError(
                    f"{namenode.name} is running: kill it before {self._names[to]} is forced")

    def _active_url(self) -> str:
        active = self.active
        if active is None:
            raise HadoopError("no NameNode is active")
        return self.namenode_urls[active]

    def _await_state(self, i: int, wanted: str) -> None:
        def ready() -> bool:
            system = self._bean(i, "FSNamesystemState")
            alive = system.get("NumLiveDataNodes", -1) >= sum(d.running for d in self._datanodes)
            return alive and system.get("FSState") == "Operational" and self.state(i) == wanted

        self._namenodes[i].await_ready(
            f"{wanted}, all DataNodes live, safe mode off", ready, seconds=START_SECONDS
        )

    def _await_reports(self, daemon: Daemon) -> None:
        def ready() -> bool:
            return all(
                daemon.has_logged(f" to namenode: localhost/127.0.0.1:{port}, ")
                for namenode, port in zip(self._namenodes, self._rpc_ports, strict=True)
                if namenode.running
            )

        daemon.await_ready("blocks reported to the NameNodes", ready, seconds=START_SECONDS)


def _identity(name: str) -> dict[str, str]:
    return {"dfs.ha.namenode.id": name}


def _await_rpc(namenode: Daemon) -> None:
    # A DataNode whose first call meets a NameNode half started sleeps for five seconds.
    namenode.await_ready(
        "RPC up", lambda: namenode.has_logged("NameNode RPC up at"), seconds=START_SECONDS
    )
