"""Workers of gateways in one process: each has its own Jobs, and all share a store and the users.

Nothing beats in the background: a test says when a worker looks after the jobs, and which dies.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from app.auth.users import User, UserDirectory
from app.core.errors import StorageFault
from app.core.identity import Principal
from app.core.paths import HdfsPath
from app.jobs.jobs import Jobs
from app.settings import JobSettings
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.fs.workers import Workers
    from app.jobs.record import Job, JobState
    from app.jobs.running import Running
    from app.state.store import Store, Value

ALICE = Principal("alice", "alice")
CONFINED = Principal("carol", "alice", root=HdfsPath("/data/room"))
ADMIN = Principal("root", "hdfs", roles=frozenset({"admin"}))
LEASE = 0.2


class Killed(BaseException):
    """What a call to the store ends with in a process that was killed."""


class Cable:
    """One worker's way to the store: it may be away for a while, and cut for good at some call."""

    def __init__(self, store: Store) -> None:
        self.away = False
        self.left = -1
        self.calls = 0
        self._store = store

    def get(self, space: str, key: str) -> Value | None:
        return cast("Value | None", self._call("get", space, key))

    def put(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> None:
        self._call("put", space, key, value, ttl=ttl)

    def add(self, space: str, key: str, value: Value, *, ttl: float | None = None) -> bool:
        return bool(self._call("add", space, key, value, ttl=ttl))

    def update(
        self, space: str, key: str, change: Callable[[Value | None], Value | None],
        *, ttl: float | None = None,
    ) -> Value | None:
        return cast("Value | None", self._call("update", space, key, change, ttl=ttl))

    def delete(self, space: str, key: str) -> bool:
        return bool(self._call("delete", space, key))

    def scan(self, space: str) -> Iterator[tuple[str, Value]]:
        found = cast("Iterator[tuple[str, Value]]", self._call("scan", space))
        return iter(list(found))

    def _call(self, name: str, *given: Any, **more: Any) -> object:
        if self.left == 0:
            raise Killed
        self.left -= 1
        self.calls += 1
        if self.away:
            raise StorageFault("away")
        result: object = getattr(self._store, name)(*given, **more)
        return result


class Lease:
    """What Jobs asks of Workers."""

    lease = LEASE

    def __init__(self, own_id: str, living: set[str]) -> None:
        self.own_id = own_id
        self._living = living
        living.add(own_id)

    def is_alive(self, worker_id: str) -> bool:
        return worker_id in self._living


class Office:
    """Makes workers over a store; `users` may be changed, as may who is `living`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.living: set[str] = set()
        self.users = {who.name: User(who, "hash") for who in (ALICE, CONFINED, ADMIN)}
        self.kinds: dict[str, Any] = {}

    def kind(self, name: str, work: Callable[[Running], None], **options: Any) -> None:
        """Let all workers made from now on do jobs of a kind."""
        self.kinds[name] = (work, {"resumable": False, **options})

    def find(self, name: str) -> User | None:
        return self.users.get(name)

    def worker(self, name: str, *, node: str = "here", **options: Any) -> Worker:
        return Worker(self, name, node, **options)


class Worker(Jobs):
    """One worker process."""

    def __init__(
        self, office: Office, name: str, node: str, *, at_once: int = 4, kept: float = 1000.0,
        may_run: Callable[[], bool] = lambda: True,
    ) -> None:
        self.cable = Cable(office.store)
        self.name = name
        self._office = office
        super().__init__(
            self.cable, cast("Workers", Lease(name, office.living)),
            cast("UserDirectory", office), JobSettings(at_once=at_once, kept_seconds=kept), node,
            may_run=may_run)
        for kind, (work, more) in office.kinds.items():
            self.register(kind, work, **more)

    def die(self) -> None:
        """Be killed: nothing more comes from here, and all can see it."""
        self.cable.left = 0
        self._office.living.discard(self.name)

    def until(self, job: Job, *states: JobState) -> Job:
        """Return the job once it is in one of the states."""
        wait_for(f"{job.kind} in {states}", lambda: self.get(job.id).state in states)
        return self.get(job.id)

    def idle(self) -> None:
        """Return when nothing runs in this worker."""
        wait_for("no run", lambda: not self.busy)


class Gate:
    """Work that stops in the middle, for a test to look, and goes on when it is told."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, running: Running) -> None:
        self.begun.set()
        while not self.go.is_set():
            running.wait(0.01)
        running.progress(objects=1)
