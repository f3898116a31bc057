"""A real Redis and a real PostgreSQL on loopback, each in a temporary directory of its own.

PostgreSQL refuses to run as root, so root runs it as the user `nobody`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import redis
from pg8000.native import Connection

from tests.hadoop.daemon import Daemon, free_port

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

READY_SECONDS = 60.0
PASSWORD = "pass/word @#%"
QUOTED = "pass%2Fword%20%40%23%25"
USER = "gate way"


class Server:
    """A server that can be killed and started again with what it had written."""

    kind = ""

    def __init__(self) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix=f"httpfs-proxy-{self.kind}-"))
        self.log = self.directory / "server.log"
        self._daemon: Daemon | None = None

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.directory)

    def prepare(self) -> None:
        """Make what the server needs to start."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def url(self) -> str:
        """Return the URL of a store that nobody has used."""
        raise NotImplementedError

    def advance(self, url: str, seconds: float) -> None:
        """Have all that expires in this store do so earlier."""
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        self._daemon = Daemon(self.kind, self.command(), self.log, environment())
        self._daemon.start()
        self._daemon.await_ready("an answer", self.answers, seconds=READY_SECONDS)

    def kill(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()

    def signal(self, number: signal.Signals) -> None:
        assert self._daemon is not None
        self._daemon.signal(number)


class RedisServer(Server):
    kind = "redis"

    def command(self) -> list[str]:
        program = shutil.which("redis-server")
        assert program, "redis-server is missing; scripts/test-tools.sh redis-server installs it"
        return [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "yes", "--appendfsync", "always", "--dir", str(self.directory),
                "--requirepass", PASSWORD]

    def url(self) -> str:
        return f"redis://:{QUOTED}@127.0.0.1:{self.port}/3?prefix={uuid4().hex}"

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, db=3, password=PASSWORD)

    def advance(self, url: str, seconds: float) -> None:
        prefix = url.rpartition("=")[2]
        passed = int(seconds * 1000)
        with self.client() as client:
            for key in client.scan_iter(f"{prefix}:record:*"):
                left: Any = client.pttl(key)
                if left >= 0:
                    client.pexpire(key, left - passed)
            for name, score in client.zrange(f"{prefix}:expiries", 0, -1, withscores=True):
                client.zadd(f"{prefix}:expiries", {name: score - passed})

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class PostgresServer(Server):
    kind = "postgres"

    def prepare(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        self.log.touch()
        (self.directory / "data").mkdir(0o700)
        if os.getuid() == 0:
            for path in (self.directory, *self.directory.iterdir()):
                shutil.chown(path, "nobody")
        subprocess.run(
            [*lowered(), program("initdb"), "--pgdata", str(self.directory / "data"),
             "--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256",
             "--encoding", "UTF8", "--locale", "C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", env=environment())

    def command(self) -> list[str]:
        # Synchronous, as in production, so that what a killed server confirmed is there again.
        return [*lowered(), program("postgres"), "-D", str(self.directory / "data"),
                "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                "-c", "unix_socket_directories=", "-c", "max_connections=90"]

    def url(self) -> str:
        name = f"state {uuid4().hex}"
        with self.client() as client:
            client.run(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    def url_of(self, database: str) -> str:
        user, database = USER.replace(" ", "%20"), database.replace(" ", "%20")
        return f"postgresql://{user}:{QUOTED}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def client(self, database: str = "postgres") -> Connection:
        return Connection(USER, host="127.0.0.1", port=self.port, password=PASSWORD,
                          database=database, timeout=10)

    def client_of(self, url: str) -> Connection:
        return self.client(url.rpartition("/")[2].partition("?")[0].replace("%20", " "))

    def advance(self, url: str, seconds: float) -> None:
        with self.client_of(url) as client:
            client.run("UPDATE httpfs_proxy.records"
                       f" SET expires = expires - interval '{seconds:g} seconds'")

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.run("SELECT 1"))
        except Exception:  # noqa: BLE001 whatever it is, the server is not ready
            return False


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, the newest version's on Debian."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                      key=lambda path: int(path.parts[4]))
    found = str(versions[-1]) if versions else shutil.which(name)
    assert found, f"{name} is missing; scripts/test-tools.sh postgresql installs it"
    return found


def lowered() -> list[str]:
    """Return the beginning of a command that is not to run as root."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv (util-linux) is missing"
    return [setpriv, "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
            "--pdeathsig", "KILL", "--"]


def environment() -> Mapping[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}


class Deaf:
    """A server that takes connections and never says a word."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
