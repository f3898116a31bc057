"""What both stores on servers do when the server, the network or the process changes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import StorageFault
from app.state import open_store, pool
from app.state.pool import CONNECTIONS
from app.state.postgres import PostgresStore
from app.state.redis import RedisStore
from tests.gateway import wait_for

from .conftest import SERVERS
from .servers import PASSWORD, QUOTED, Deaf, PostgresServer, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.state.store import Store, Value
    from app.state.swapping import SwappingStore

    from .servers import Server

OWN = {"redis": RedisServer, "postgres": PostgresServer}
KINDS = {"redis": RedisStore, "postgres": PostgresStore}
PATIENCE = 0.5
ROUNDS = 300


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """Return a server that others use too."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=SERVERS)
def own(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Yield a server of this test alone."""
    with OWN[request.param]() as server:
        yield server


@pytest.fixture
def connected() -> Iterator[Callable[..., SwappingStore]]:
    """Yield what opens stores by kind and URL, and closes them in the end."""
    opened: list[SwappingStore] = []

    def connect(kind: str, url: str, **options: Any) -> SwappingStore:
        opened.append(KINDS[kind](url, **options))
        return opened[-1]

    yield connect
    for store in opened:
        store.close()


def test_a_killed_server_is_a_storage_fault_until_it_is_back(
    own: Server, connected: Callable[..., SwappingStore],
) -> None:
    store = connected(own.kind, own.url())
    for i in range(3):
        store.put("space", f"{i}", {"n": i})
    own.kill()
    began = time.monotonic()
    for call in calls(store):
        with pytest.raises(StorageFault, match=str(own.port)) as caught:
            call()
        assert_tells_no_password(caught)
    assert time.monotonic() - began < 5
    own.start()
    assert {key: value["n"] for key, value in store.scan("space")} == {"0": 0, "1": 1, "2": 2}
    assert store.update("space", "0", increment) == {"n": 1}


def test_connections_that_a_restart_closed_are_replaced_before_anything_is_sent(
    own: Server, connected: Callable[..., SwappingStore],
) -> None:
    store = connected(own.kind, own.url())
    fill_pool(store, 4)
    own.kill()
    own.start()
    assert store.add("space", "key", {"n": 1}) is True
    assert store.delete("space", "key") is True
    store.put("space", "key", {"n": 2})
    assert store.update("space", "key", increment) == {"n": 3}


def test_a_frozen_server_is_given_up_in_bounded_time_and_found_again(
    own: Server, connected: Callable[..., SwappingStore],
) -> None:
    url = own.url()
    store = connected(own.kind, url, answer_seconds=PATIENCE)
    store.put("space", "key", {"n": 1})
    fill_pool(store, 4)
    freeze(own, signal.SIGSTOP)
    try:
        for call in calls(store):
            began = time.monotonic()
            with pytest.raises(StorageFault):
                call()
            assert time.monotonic() - began < 4 * PATIENCE
    finally:
        freeze(own, signal.SIGCONT)
    wait_for("an answer", lambda: answer(store))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_never_answers_is_given_up(
    connected: Callable[..., SwappingStore], kind: str,
) -> None:
    scheme = {"redis": "redis", "postgres": "postgresql"}[kind]
    with Deaf() as deaf:
        store = connected(
            kind, f"{scheme}://me:{QUOTED}@127.0.0.1:{deaf.port}/1", answer_seconds=PATIENCE)
        for call in calls(store):
            began = time.monotonic()
            with pytest.raises(StorageFault) as caught:
                call()
            assert_tells_no_password(caught)
            assert time.monotonic() - began < 4 * PATIENCE


@pytest.mark.parametrize("kind", SERVERS)
def test_a_name_that_is_no_host_is_a_storage_fault(
    connected: Callable[..., SwappingStore], kind: str,
) -> None:
    scheme = {"redis": "redis", "postgres": "postgresql"}[kind]
    store = connected(kind, f"{scheme}://me:{QUOTED}@no.such.host.invalid/1")
    with pytest.raises(StorageFault, match=r"no\.such\.host\.invalid") as caught:
        store.get("space", "key")
    assert_tells_no_password(caught)


def test_a_wrong_password_is_a_storage_fault_that_does_not_tell_it(
    server: Server, connected: Callable[..., SwappingStore],
) -> None:
    wrong = f"not{QUOTED}"
    store = connected(server.kind, server.url().replace(f":{QUOTED}@", f":{wrong}@"))
    with pytest.raises(StorageFault, match=r"(?i)password") as caught:
        store.put("space", "key", {})
    assert_tells_no_password(caught)


def test_only_what_is_repeatable_is_repeated_when_a_connection_breaks(
    server: Server, connected: Callable[..., SwappingStore], monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = connected(server.kind, server.url())
    store.put("space", "key", {"n": 1})
    broken: list[bool] = []

    def run_once(self: Any, connection: Any, call: Callable[[Any], Any]) -> Any:
        """Do the first call, and lose its answer."""
        def lose(connection: Any) -> Any:
            answer = call(connection)
            if not broken:
                broken.append(True)
                raise ConnectionResetError("the answer is lost")
            return answer
        return use(self, connection, lose)

    use = pool.Pool._use
    monkeypatch.setattr(pool.Pool, "_use", run_once)
    assert store.get("space", "key") == {"n": 1}
    assert list(store.scan("space")) == [("key", {"n": 1})]
    for writing in (
        lambda: store.add("space", "added", {}), lambda: store.put("space", "put", {}),
        lambda: store.delete("space", "key"),
    ):
        broken.clear()
        with pytest.raises(StorageFault, match="the answer is lost"):
            writing()
    assert {key for key, _ in store.scan("space")} == {"added", "put"}
    assert store.add("space", "added", {}) is False


def test_a_swap_whose_answer_is_lost_is_not_done_twice(
    server: Server, connected: Callable[..., SwappingStore], monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = connected(server.kind, server.url())
    store.put("space", "key", {"n": 1})
    swap = store._swap

    def swap_and_fail(*arguments: Any) -> bool:
        assert swap(*arguments)
        raise StorageFault("lost")

    monkeypatch.setattr(store, "_swap", swap_and_fail)
    with pytest.raises(StorageFault, match="lost"):
        store.update("space", "key", increment)
    assert store.get("space", "key") == {"n": 2}


def test_a_change_that_fails_is_not_taken_for_a_fault_of_the_store(
    server: Server, connected: Callable[..., SwappingStore],
) -> None:
    store = connected(server.kind, server.url())

    def fail(_: Value | None) -> Value | None:
        raise ConnectionResetError("of something else")

    with pytest.raises(ConnectionResetError, match="of something else"):
        store.update("space", "key", fail)


def test_an_update_may_use_the_store_itself_from_every_connection_at_once(
    server: Server, connected: Callable[..., SwappingStore],
) -> None:
    """No connection is held while Python code runs, so calls inside calls do not starve."""
    store = connected(server.kind, server.url(), answer_seconds=30)
    everybody = threading.Barrier(2 * CONNECTIONS)

    def change(old: Value | None) -> Value:
        everybody.wait(30)
        store.put("space", "inner", {})
        return increment(old)

    def work(name: str) -> None:
        store.update("space", name, change)

    threads = [threading.Thread(target=work, args=(f"{i}",)) for i in range(2 * CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(value.get("n", 0) for _, value in store.scan("space")) == 2 * CONNECTIONS
    assert len(store._pool._idle) <= CONNECTIONS


def test_a_child_does_not_use_its_parents_connections(
    server: Server, connected: Callable[..., SwappingStore],
) -> None:
    store = connected(server.kind, server.url())
    fill_pool(store, 3)
    inherited = list(store._pool._idle)
    assert inherited

    def use() -> None:
        store.put("space", "key", {"by": "child"})
        assert not set(map(id, store._pool._idle)) & set(map(id, inherited))
        store.close()
        gc.collect()

    process = multiprocessing.get_context("fork").Process(target=use)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert store._pool._idle == inherited
    assert store.get("space", "key") == {"by": "child"}


def test_processes_hammering_a_counter_lose_nothing_while_the_server_is_killed(
    own: Server, connected: Callable[..., SwappingStore],
) -> None:
    """A step that was acknowledged is counted; one whose answer was lost may be, once."""
    url = own.url()
    store = connected(own.kind, url)
    store.put("space", "counter", {"n": 0})
    context = multiprocessing.get_context("fork")
    results = context.Queue()

    def hammer() -> None:
        mine = KINDS[own.kind](url)
        done = unknown = 0
        while done < ROUNDS:
            try:
                mine.update("space", "counter", increment)
                done += 1
            except StorageFault:
                unknown += 1
        results.put((done, unknown))
        mine.close()

    processes = [context.Process(target=hammer) for _ in range(4)]
    for process in processes:
        process.start()
    wait_for("some work", lambda: counted(store) > ROUNDS / 2)
    own.kill()
    own.start()
    told = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(60)
    acknowledged, unknown = sum(done for done, _ in told), sum(lost for _, lost in told)
    assert acknowledged == ROUNDS * len(processes)
    assert unknown > 0
    assert acknowledged <= counted(store) <= acknowledged + unknown


def test_greenlets_share_a_store_that_is_away_and_back(server: Server, tmp_path: Path) -> None:
    """In a process where gevent has replaced the blocking calls, nobody holds up the others."""
    with Deaf() as deaf:
        script = tmp_path / "greenlets.py"
        script.write_text(GREENLETS)
        quiet = {"redis": f"redis://127.0.0.1:{deaf.port}/0",
                 "postgres": f"postgresql://me@127.0.0.1:{deaf.port}/db"}[server.kind]
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script), server.kind, server.url(), quiet],
            check=False, capture_output=True, text=True, timeout=120, cwd=".",
            env={"PYTHONPATH": "."})
    assert (done.returncode, done.stdout.strip()) == (0, "320"), done.stderr


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import sys, time
import gevent
from app.core.errors import StorageFault
from app.state.postgres import PostgresStore
from app.state.redis import RedisStore

Store = {"redis": RedisStore, "postgres": PostgresStore}[sys.argv[1]]
store, deaf = Store(sys.argv[2]), Store(sys.argv[3], answer_seconds=2)

def work():
    for _ in range(8):
        store.update("space", "counter", lambda old: {"n": (old or {"n": 0})["n"] + 1})

def be_refused():
    try:
        deaf.get("space", "key")
    except StorageFault:
        return True

ticks = []
def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.01)

ticking = gevent.spawn(tick)
waiting = [gevent.spawn(be_refused) for _ in range(10)]
working = [gevent.spawn(work) for _ in range(40)]
gevent.joinall([*waiting, *working])
assert all(greenlet.value for greenlet in waiting)
assert max(b - a for a, b in zip(ticks, ticks[1:])) < 1, "somebody blocked the whole process"
killed = gevent.spawn(work)
gevent.sleep(0)
killed.kill()
store.put("space", "other", {})
assert store.get("space", "other") == {}
print(320 if store.get("space", "counter")["n"] >= 320 else store.get("space", "counter"))
store.close()
ticking.kill()
"""


def test_a_record_expires_by_the_servers_own_clock(
    server: Server, connected: Callable[..., SwappingStore],
) -> None:
    store = connected(server.kind, server.url())
    store.put("space", "key", {}, ttl=0.3)
    store.add("space", "added", {}, ttl=0.3)
    assert store.get("space", "key") == {}
    wait_for("the end of its time", lambda: store.get("space", "key") is None, seconds=10)
    wait_for("the end of its time", lambda: not list(store.scan("space")), seconds=10)
    assert store.add("space", "key", {}) is True


def test_memory_of_a_scan_does_not_grow_with_the_space(
    server: Server, connected: Callable[..., SwappingStore],
) -> None:
    store = connected(server.kind, server.url())
    pages: list[int] = []
    page = store._page

    def counting(space: str, after: bytes) -> Any:
        found = page(space, after)
        pages.append(len(found[0]))
        return found

    store._page = counting  # type: ignore[method-assign]
    for i in range(1203):
        store.put("space", f"{i}", {})
    assert len(list(store.scan("space"))) == 1203
    assert pages == [500, 500, 203]


def test_the_url_opens_the_store(server: Server, tmp_path: Path) -> None:
    url = server.url()
    first, second = open_store(url, tmp_path), open_store(url, tmp_path)
    first.put("space", "key", {"n": 1})
    assert second.get("space", "key") == {"n": 1}
    assert not list(tmp_path.iterdir())
    first.close()
    second.close()


def calls(store: Store) -> list[Callable[[], object]]:
    """Return one call of each method."""
    return [
        lambda: store.get("space", "key"), lambda: store.put("space", "key", {}),
        lambda: store.add("space", "key", {}), lambda: store.delete("space", "key"),
        lambda: store.update("space", "key", increment), lambda: list(store.scan("space")),
    ]


def fill_pool(store: SwappingStore, number: int) -> None:
    """Have `number` idle connections in the store's pool."""
    gate = threading.Barrier(number)

    def call(_: Any) -> None:
        gate.wait(30)

    threads = [threading.Thread(
        target=lambda: store._pool.run(call, repeatable=False)) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store._pool._idle) == number


def freeze(server: Server, number: signal.Signals) -> None:
    """Stop or continue the server, in PostgreSQL the processes of its sessions too."""
    assert server._daemon is not None
    for child in children(server._daemon.pid or 0):
        signal.pidfd_send_signal(child, number)
    server.signal(number)


def children(pid: int) -> Iterator[int]:
    """Yield handles of the child processes."""
    for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        handle = os.pidfd_open(int(each))
        yield handle
        os.close(handle)


def answer(store: Store) -> bool:
    try:
        return store.get("space", "key") is not None
    except StorageFault:
        return False


def counted(store: Store) -> int:
    return int((store.get("space", "counter") or {"n": 0})["n"])


def increment(old: Value | None) -> Value:
    return {"n": (old or {"n": 0})["n"] + 1}


def assert_tells_no_password(caught: pytest.ExceptionInfo[StorageFault]) -> None:
    link: BaseException | None = caught.value
    while link is not None:
        for secret in (PASSWORD, QUOTED):
            assert secret not in f"{link} {link!r}"
        link = link.__cause__ or link.__context__
