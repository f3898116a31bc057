"""A real gateway for the tests: gunicorn as a child process, with its own configuration and users.

Nothing survives the test process, however that ends: gunicorn runs under the same guard as the
Hadoop daemons, and gunicorn's workers end when their parent does.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal as signals
import sys
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import requests
import yaml
from passlib.hash import argon2

from tests.hadoop.daemon import Daemon, free_port
from tests.nursery import ForkedGunicorn, cheap_passwords

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[1]
TUNED = REPOSITORY / "deploy" / "gunicorn.conf.py"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02
LONGEST_ROUND_SECONDS = 2.0
PASSWORD = "secret"
GEVENT = "app.web.worker.GatewayWorker"
HOOK = "from app.web.server import pre_request as pre_request\n"
QUIET_VARIABLES = ("GATEWAY_", "PROMETHEUS_", "GUNICORN_", "WEB_CONCURRENCY")
_alive: weakref.WeakSet[Gateway] = weakref.WeakSet()


def default_users(superuser: str = "hdfs") -> dict[str, dict[str, Any]]:
    """Return the users that the tests know; the password of each is `secret`."""
    return {
        "someone": {"hadoop_user": "alice"},
        "reader": {"hadoop_user": "alice", "read_only": True},
        "confined": {"hadoop_user": "alice", "root": "/user/alice/room"},
        "other": {"hadoop_user": "bob"},
        "admin": {"hadoop_user": superuser, "roles": ["admin"]},
        "gone": {"hadoop_user": "alice", "active": False},
    }


@functools.cache
def hashed(password: str, *, fresh: bool = True) -> str:
    """Return an argon2id hash for a gateway; another would be replaced at the first login."""
    return str(argon2.hash(password) if fresh else cheap_passwords().hash(password))


def wait_for(what: str, look: Callable[[], T], *, seconds: float = 60.0) -> T:
    """Poll `look` until it returns something true and return that; fail after `seconds`.

    Of any one round only LONGEST_ROUND_SECONDS count: a machine that stood still for a minute
    has not given the gateway a minute.
    """
    waited, since = 0.0, time.monotonic()
    while not (found := look()):
        if waited > seconds:
            raise AssertionError(f"{what}: not so after {seconds:g} s, last seen {found!r}")
        time.sleep(POLL_SECONDS)
        now = time.monotonic()
        waited, since = waited + min(now - since, LONGEST_ROUND_SECONDS), now
    return found


def running_gateways() -> list[Gateway]:
    """Return the gateways of this process that run."""
    return [gateway for gateway in list(_alive) if gateway.running]


def logs_of_gateways(lines: int) -> Iterator[tuple[str, str]]:
    """Yield the address, and the last `lines` of the log, of each gateway of this process."""
    for gateway in list(_alive):
        if gateway.log.exists():
            yield gateway.url, "\n".join(gateway.logged().splitlines()[-lines:])


class Gateway:
    """One gateway below `directory`, reached at `url`; as a context manager it runs inside.

    `settings` is merged into gateway.yaml; `users` maps names to entries of users.yaml, where
    `password` is the plain one (`secret` if absent). `superuser` is the backend's, whom the user
    `admin` acts as. `plain` starts `gunicorn 'app:create_app()'` with no option but --bind and
    the directory; otherwise the tuned configuration is used, with `workers` and `worker_class`.
    `gunicorn_args` are further options of gunicorn, `environment` further variables. `application`
    is what gunicorn runs, where that is more than the gateway. `fresh` has gunicorn load everything
    itself, as it does where no test runs, and so does all that the nursery cannot give.
    """

    def __init__(
        self,
        directory: Path,
        *,
        backend: str | Sequence[str] = "embedded:",
        users: Mapping[str, Mapping[str, Any]] | None = None,
        workers: int = 2,
        worker_class: str = GEVENT,
        settings: Mapping[str, Any] | None = None,
        gunicorn_args: Sequence[str] = (),
        plain: bool = False,
        superuser: str = "hdfs",
        environment: Mapping[str, str] | None = None,
        application: str = "app:create_app()",
        fresh: bool = False,
    ) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.superuser = superuser
        self.log = self.directory / "gunicorn.log"
        self.audit_file = self.directory / "audit.jsonl"
        self.config_file = self.directory / "gateway.yaml"
        self.users_file = self.directory / "users.yaml"
        self._fresh = fresh or plain or worker_class != GEVENT
        self._has_partners = "state_url" in (settings or {})
        self._write_config(backend, settings or {})
        self.write_users(users if users is not None else default_users(superuser))
        self._options = [] if plain else self._tuned(workers, worker_class)
        self._options += gunicorn_args
        self._environment = dict(environment or {})
        self._application = application
        self._session = requests.Session()
        self._last_id = ""
        self._daemon: Daemon | None = None
        _alive.add(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    # --- the process

    def start(self, *, await_ready: bool = True) -> None:
        """Start gunicorn, and return when /readyz says so (or when it listens)."""
        arguments = [
            *("--chdir", str(REPOSITORY), "--bind", f"127.0.0.1:{self.port}"),
            *("--no-control-socket", *self._options, self._application),
        ]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(QUIET_VARIABLES)}
        env = {**inherited, "GATEWAY_CONFIG": str(self.config_file), **self._environment}
        if self._fresh:
            command = [sys.executable, "-m", "gunicorn", *arguments]
            self._daemon = Daemon("gateway", command, self.log, env)
        else:
            self._daemon = ForkedGunicorn("gateway", arguments, self.log, env)
        self._daemon.start()
        path = "/readyz" if await_ready else "/healthz"
        self._daemon.await_ready(
            path, lambda: self._answers(path), seconds=START_SECONDS)

    def stop(self) -> None:
        """End gunicorn as an operator would; kill what is left when it takes too long."""
        daemon = self._daemon
        if daemon is None or not daemon.running:
            return
        # Open connections, idle ones too, keep a worker for as long as it is patient.
        self._forget_connections()
        family = [self.master, *self.workers()]
        os.kill(self.master, signals.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while daemon.running and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for pid in [*family, *self.workers()] if daemon.running else family:
            _kill(pid)
        # Whoever watches over gunicorn notices its end a moment later.
        wait_for("the end of gunicorn", lambda: not daemon.running)

    def end(self) -> None:
        """End gunicorn, orderly where others share its state."""
        # An orderly end takes a second and a half, and hands on what others can go on with.
        if self._has_partners:
            self.stop()
        else:
            self.kill()

    def kill(self) -> None:
        """End gunicorn, its workers and what they have started by SIGKILL."""
        daemon = self._daemon
        if daemon is None or not daemon.running:
            return
        self._forget_connections()
        # Stopped, it starts no other worker for one that ends.
        os.kill(self.master, signals.SIGSTOP)
        for pid in [self.master, *_descendants(self.master)]:
            _kill(pid)
        wait_for("the end of gunicorn", lambda: not daemon.running)

    def restart(self) -> None:
        """Stop, and start on the same port with the same files."""
        self.stop()
        self.start()

    def reload(self) -> None:
        """Have gunicorn replace its workers (SIGHUP), and wait for the new ones alone."""
        old = set(self.workers())
        os.kill(self.master, signals.SIGHUP)
        wait_for("new workers only", lambda: self.workers() and not old & set(self.workers()),
                 seconds=START_SECONDS)
        wait_for("ready again", lambda: self._answers("/readyz"))

    @property
    def running(self) -> bool:
        """Whether gunicorn is there."""
        return self._daemon is not None and self._daemon.running

    @property
    def master(self) -> int:
        """The process id of gunicorn's master."""
        assert self._daemon is not None
        assert self._daemon.pid is not None
        return self._daemon.pid

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return [pid for pid in _children(self.master) if alive(pid)]

    def kill_worker(self, pid: int) -> None:
        """Kill a worker with SIGKILL and return when it is gone."""
        assert pid in self.workers(), f"{pid} is no worker of this gateway"
        _kill(pid)
        self._forget_connections()

    def worker_of(self, client: socket.socket) -> int:
        """Return the process id of the worker that serves this connection."""
        here, there = client.getsockname()[1], client.getpeername()[1]
        ends = f"0100007F:{there:04X} 0100007F:{here:04X}"

        def look() -> int:
            table = Path("/proc/self/net/tcp").read_text().splitlines()
            inodes = {f"socket:[{line.split()[9]}]" for line in table if ends in line}
            return next((pid for pid in self.workers() if inodes & _open_files(pid)), 0)

        return wait_for("a worker that has accepted the connection", look)

    def memory(self) -> int:
        """Return the resident bytes of master and workers together."""
        return sum(_status_bytes(pid, "VmRSS") for pid in [self.master, *self.workers()])

    def peak_memory(self) -> int:
        """Return the sum of the largest resident bytes each process ever had."""
        return sum(_status_bytes(pid, "VmHWM") for pid in [self.master, *self.workers()])

    # --- asking it

    def request(
        self, method: str, path: str, *, user: str | None = "someone", **options: Any,
    ) -> requests.Response:
        """Send a request by `user` (None: without credentials); redirects are not followed."""
        options.setdefault("timeout", 60)
        options.setdefault("allow_redirects", False)
        if "auth" not in options and user is not None:
            options["auth"] = (user, PASSWORD)
        if isinstance(options.get("params"), dict):
            options["params"] = encoded(options["params"])
        self._session.trust_env = False
        answer = self._session.request(method, self.url + path, **options)
        self._last_id = answer.headers.get("X-Request-Id", "")
        return answer

    def make_home(self, hadoop_user: str) -> str:
        """Make the home directory of a Hadoop user, as the backend's superuser."""
        home = f"/user/{hadoop_user}"
        for path, mode in (("/user", "755"), (home, "755")):
            self._as_admin("PUT", "/f/directory", path=path, permission=mode)
        self._as_admin("PUT", "/f/file/owner", path=home, owner=hadoop_user)
        return home

    def audit(self) -> list[dict[str, Any]]:
        """Return the audit lines so far, that of the last `request` among them.

        A line is written when the answer is out, so it may come a moment after the answer.
        """
        if self._last_id:
            wait_for("the audit line", lambda: self._last_id in self._audited())
        return [json.loads(line) for line in self._audited().splitlines()]

    def _audited(self) -> str:
        return self.audit_file.read_text() if self.audit_file.exists() else ""

    def logged(self) -> str:
        """Return what gunicorn and the application logged."""
        return self.log.read_text(errors="replace")

    def write_users(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        """Write users.yaml at once and whole."""
        entries = {
            name: {**entry, "password": self._hashed(entry.get("password", PASSWORD))}
            for name, entry in users.items()
        }
        fresh = self.users_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(yaml.safe_dump({"users": entries}))
        fresh.replace(self.users_file)

    def _hashed(self, password: str) -> str:
        return hashed(password, fresh=self._fresh)

    def _forget_connections(self) -> None:
        """Let the next request open a connection of its own."""
        self._session.close()
        self._session = requests.Session()

    def _answers(self, path: str) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.get(self.url + path, timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def _as_admin(self, method: str, url: str, **params: str) -> None:
        answer = self.request(method, url, user="admin", params=params)
        assert answer.ok, f"{method} {url} {params}: {answer.status_code} {answer.text}"

    def _write_config(self, backend: str | Sequence[str], settings: Mapping[str, Any]) -> None:
        config: dict[str, Any] = {
            "data_dir": str(self.directory / "data"),
            "backend": {"url": backend if isinstance(backend, str) else list(backend)},
            # Tests fail logins on purpose, all from one address.
            "auth": {"users_file": str(self.users_file), "lockout_failures": 0},
            "log": {"audit": str(self.audit_file)},
        }
        for key, value in settings.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        self.config_file.write_text(yaml.safe_dump(config))

    def _tuned(self, workers: int, worker_class: str) -> list[str]:
        config = TUNED
        if not config.exists():
            config = self.directory / "gunicorn.conf.py"
            config.write_text(HOOK)
        return ["--config", str(config), "--workers", str(workers),
                "--worker-class", worker_class, "--graceful-timeout", "3"]


def encoded(params: Mapping[str, Any]) -> str:
    """Return a query string; bytes are taken as they are, None is left out, lists repeat."""
    fields: list[str] = []
    for name, value in params.items():
        values = value if isinstance(value, list | tuple) else [value]
        for one in values:
            if one is not None:
                text = quote(one if isinstance(one, bytes) else str(one), safe="/")
                fields.append(f"{quote(name)}={text}")
    return "&".join(fields)


def alive(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _descendants(pid: int) -> list[int]:
    children = _children(pid)
    return [*children, *(far for child in children for far in _descendants(child))]


def _kill(pid: int) -> None:
    """Kill a process, and return when its last thread is gone and its sockets are closed."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        os.kill(pid, signals.SIGKILL)
        # Not select(): a test process may have more than 1,024 descriptors open.
        ended = select.poll()
        ended.register(watched, select.POLLIN)
        assert ended.poll(STOP_SECONDS * 1000), f"process {pid} is still there after SIGKILL"
    except ProcessLookupError:
        return
    finally:
        os.close(watched)


def _open_files(pid: int) -> set[str]:
    found: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(descriptor.readlink()))
    return found


def _status_bytes(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = next((line for line in lines if line.startswith(f"{field}:")), f"{field}: 0 kB")
    return int(found.split()[1]) * 1024
