"""How a process of Hadoop is put together: Java, its flags, the class path, the folders.

One directory holds a cluster: `conf`, `logs`, `tmp`, and what the daemons store.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.hadoop import configuration
from tests.hadoop.daemon import Daemon, free_port
from tests.hadoop.jars import jars, java
from tests.hadoop.probe import webhdfs
from tests.hadoop.seed import class_data, class_path, plant

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


class Launcher:
    """Makes the processes of the cluster in one directory; they run as `superuser`.

    Unless `seeded` it takes nothing that is kept: see `seed`.
    """

    def __init__(
        self, directory: Path, superuser: str, jvm: Mapping[str, Sequence[str]], *,
        seeded: bool = True,
    ) -> None:
        self._directory = directory
        self._superuser = superuser
        self._jvm = jvm
        self._seeded = seeded

    def make_folders(self) -> None:
        """Make the folders that every process wants to find."""
        for name in ("logs", "tmp", "httpfs"):
            (self._directory / name).mkdir(exist_ok=True)

    def daemon(
        self,
        name: str,
        role: str,
        main: str,
        *arguments: str,
        properties: Mapping[str, str] | None = None,
        beside: Path | None = None,
    ) -> Daemon:
        """Return a process, not started: `role` has the JVM's flags, `properties` are its own."""
        command = self.command(role, main, *arguments, properties=properties, beside=beside)
        env = {**os.environ, "HADOOP_USER_NAME": self._superuser}
        return Daemon(name, command, self._directory / "logs" / f"{name}.log", env)

    def command(
        self, role: str, main: str, *arguments: str, properties: Mapping[str, str] | None = None,
        beside: Path | None = None,
    ) -> list[str]:
        """Return what starts a class of Hadoop's with the cluster's configuration.

        `beside` is another folder of jars and web applications than that of `jars`.
        """
        directory = self._directory
        folders = [folder for folder in (beside, jars()) if folder]
        ours = [] if beside else class_path()
        # What is measured runs as it would anywhere.
        shared = class_data(role) if ours and self._seeded and self._jvm[role] else []
        places = {"home": "httpfs", "config": "conf", "log": "logs", "temp": "tmp"}
        options = [("-D", f"{key}={value}") for key, value in (properties or {}).items()]
        return [
            java(),
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-Djava.net.preferIPv4Stack=true",
            *(f"-Dhttpfs.{key}.dir={directory / place}" for key, place in places.items()),
            *(*shared, *self._jvm[role]),
            *("-classpath", ":".join([
                *ours, str(directory / "conf"), *(f"{one}:{one / 'lib'}/*" for one in folders)])),
            *(main, *(part for option in options for part in option), *arguments),
        ]

    def datanode(self, i: int, http_port: int) -> Daemon:
        """Return a DataNode with ports and a data folder of its own."""
        properties = {
            "dfs.datanode.data.dir": (self._directory / f"data-{i}").as_uri(),
            "dfs.datanode.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.ipc.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.http.address": f"127.0.0.1:{http_port}",
        }
        return self.daemon(f"datanode-{i}", "datanode", DATANODE, properties=properties)

    def format(self, *folders: Path) -> None:
        """Make `folders` those of NameNodes of one new file system of the superuser's."""
        plant(f"formatted-{self._superuser}", self._formatted, folders)

    def run(
        self,
        name: str,
        role: str,
        main: str,
        *arguments: str,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command to its end. Raises HadoopError, with its log's end, unless it succeeds."""
        command = self.daemon(name, role, main, *arguments, properties=properties)
        command.start()
        try:
            command.finish(seconds=START_SECONDS)
        finally:
            command.stop()

    def _formatted(self, directory: Path) -> None:
        """Make `directory` a NameNode's folder of a new file system."""
        scratch = directory.with_name("format")
        properties = configuration.site(scratch, rpc_port=0, namenode_port=0, impersonators=())
        configuration.write(
            scratch / "conf", {**properties, "dfs.namenode.name.dir": directory.as_uri()}, {}, {})
        launcher = Launcher(scratch, self._superuser, FAST_START, seeded=False)
        launcher.make_folders()
        launcher.run("format", "namenode", NAMENODE, "-format", "-nonInteractive")


class Superuser:
    """The few changes that a test cluster needs, by WebHDFS as its superuser."""

    def __init__(self, name: str) -> None:
        self.name = name

    def make_directory(self, base_url: str, path: str, mode: str) -> None:
        """Make a directory of exactly this mode."""
        # MKDIRS masks the mode by the umask, and leaves a directory that exists as it is.
        for operation in ("MKDIRS", "SETPERMISSION"):
            self._put(base_url, path, op=operation, permission=mode)

    def make_user(self, base_url: str, name: str, *, group: str | None, mode: str) -> str:
        """Make a home directory owned by its user, and return its path."""
        home = f"/user/{name}"
        self.make_directory(base_url, "/user", "755")
        self.make_directory(base_url, home, mode)
        owner = {"owner": name, **({"group": group} if group else {})}
        self._put(base_url, home, op="SETOWNER", **owner)
        return home

    def _put(self, base_url: str, path: str, **parameters: str) -> None:
        webhdfs(base_url, "PUT", path, **parameters, **{"user.name": self.name})
