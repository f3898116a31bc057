"""Calls share connections by user; what broke is sent again only as it may be, and with its ids."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from app.hadoop import ipc_pool
from app.hadoop.ipc import (
    BadFrame,
    Broken,
    Connection,
    Identity,
    NoAnswer,
    NotSent,
    RemoteError,
    method,
)
from app.hadoop.ipc_pool import Caller, Limits
from tests.hadoop_protocols.scripted_namenode import (
    FATAL,
    Heard,
    Namenode,
    answered,
    namenode,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = method("someMethod")
ALICE, BOB = Identity("alice"), Identity("bob")
VIA_GATEWAY = Identity("alice", "gateway")
LIMITS = Limits(connect_timeout=5, read_timeout=10, pool_idle=60, retry_deadline=30)


def fine(heard: Heard) -> bytes:
    return answered(heard.call_id, b"told")


def breaking_first(count: int) -> Callable[[Heard], bytes]:
    """Answer none of the first calls."""
    left = iter(range(count))
    return lambda heard: fine(heard) if next(left, None) is None else b""


@pytest.fixture
def callers() -> Iterator[Callable[..., Caller]]:
    made: list[Caller] = []

    def caller(server: Namenode, **changed: float) -> Caller:
        made.append(Caller(server.address, LIMITS._replace(**changed)))  # type: ignore[arg-type]
        return made[-1]

    yield caller
    for one in made:
        one.close()


def ask(caller: Caller, who: Identity = ALICE, *, may_repeat: bool = True) -> bytes:
    return caller.call(who, HEAD, b"asked", may_repeat=may_repeat)


def ids(server: Namenode) -> list[tuple[int, int, int]]:
    return [(heard.connection, heard.call_id, heard.retry) for heard in server.heard]


def test_each_user_has_connections_of_their_own(callers: Callable[..., Caller]) -> None:
    with namenode(fine) as server:
        caller = callers(server)
        for who in (ALICE, BOB, VIA_GATEWAY) * 3:
            assert ask(caller, who) == b"told"
        caller.close()
    users = [heard.user for heard in server.heard]
    assert users == [{1: b"alice"}, {1: b"bob"}, {1: b"alice", 2: b"gateway"}] * 3
    assert [heard.connection for heard in server.heard] == [0, 1, 2] * 3
    assert len({heard.client_id for heard in server.heard}) == 1
    assert len({heard.call_id for heard in server.heard}) == 9


@pytest.mark.parametrize("may_repeat", [True, False])
def test_a_call_on_a_connection_that_was_closed_while_idle_is_sent_again(
    callers: Callable[..., Caller], may_repeat: bool,
) -> None:
    served: set[int] = set()

    def script(heard: Heard) -> bytes:
        """Answer one call on each connection."""
        if heard.connection in served:
            return b""
        served.add(heard.connection)
        return fine(heard)

    with namenode(script) as server:
        caller = callers(server)
        assert ask(caller) == b"told"
        assert ask(caller, may_repeat=may_repeat) == b"told"
        caller.close()
    # The second call is the same call: its id, sent once before.
    first, second, again = ids(server)
    assert (first[0], second, again) == (0, (0, first[1] + 1, 0), (1, first[1] + 1, 1))


def test_what_the_caller_may_repeat_is_not_sent_again_on_a_new_connection(
    callers: Callable[..., Caller],
) -> None:
    with namenode(breaking_first(1)) as server:
        with pytest.raises(Broken):
            ask(callers(server))
        assert len(server.heard) == 1


def test_what_changes_something_is_sent_again_as_the_same_call(
    callers: Callable[..., Caller],
) -> None:
    with namenode(breaking_first(2)) as server:
        caller = callers(server)
        assert ask(caller, may_repeat=False) == b"told"
        caller.close()
    assert ids(server) == [(0, 0, 0), (1, 0, 1), (2, 0, 2)]
    assert len({heard.client_id for heard in server.heard}) == 1


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Yield what silent NameNodes wait for."""
    made = threading.Event()
    yield made
    made.set()


def silent(over: threading.Event) -> bytes:
    over.wait(60)
    return b""


def test_what_is_not_answered_in_time_is_not_waited_for_again(
    callers: Callable[..., Caller], over: threading.Event,
) -> None:
    with namenode(lambda _: silent(over)) as server:
        for may_repeat in (True, False):
            with pytest.raises(NoAnswer):
                ask(callers(server, read_timeout=0.2), may_repeat=may_repeat)
        over.set()
        assert [heard.retry for heard in server.heard] == [0, 0]


def test_what_is_sent_again_is_not_waited_for_twice(
    callers: Callable[..., Caller], over: threading.Event,
) -> None:
    with namenode(lambda heard: silent(over) if heard.retry else b"") as server:
        with pytest.raises(NoAnswer):
            ask(callers(server, read_timeout=0.2), may_repeat=False)
        over.set()
        assert [heard.retry for heard in server.heard] == [0, 1]


def test_a_call_that_broke_late_is_not_waited_for_much_longer(
    callers: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float | None] = []

    class Noting(Connection):
        def call(self, *call: Any) -> bytes:
            waits.append(self._socket.gettimeout())
            return super().call(*call)

    monkeypatch.setattr(ipc_pool, "Connection", Noting)
    with namenode(fine) as server:
        now = time.monotonic()

        def breaking(heard: Heard) -> bytes:
            """Let most of the time pass, and hang up; answer what comes then."""
            if heard.retry or len(server.heard) > 1:
                return fine(heard)
            monkeypatch.setattr(time, "monotonic", lambda: now + 8)
            return b""

        server.script = breaking
        caller = callers(server)
        monkeypatch.setattr(time, "monotonic", lambda: now)
        assert ask(caller, may_repeat=False) == b"told"
        assert ask(caller) == b"told"
    assert waits == [10, 2, 10], "of the connection that is kept"


def test_what_changes_something_is_given_up_in_the_end(callers: Callable[..., Caller]) -> None:
    with namenode(lambda _: b"") as server:
        with pytest.raises(Broken):
            ask(callers(server, retry_deadline=0.5), may_repeat=False)
        assert len(server.heard) > 1


@pytest.mark.parametrize("name", ["StandbyException", "RetriableException", "SafeModeException"])
def test_a_namenode_that_does_not_look_at_it_again_leaves_open_what_became_of_it(
    callers: Callable[..., Caller], name: str,
) -> None:
    def script(heard: Heard) -> bytes:
        return refused(heard.call_id, f"org.apache.{name}", "no") if heard.retry else b""

    with namenode(script) as server:
        with pytest.raises(Broken):
            ask(callers(server), may_repeat=False)
        assert len(server.heard) == 2


def test_an_answer_to_the_second_sending_counts(callers: Callable[..., Caller]) -> None:
    def script(heard: Heard) -> bytes:
        return refused(heard.call_id, "java.io.IOException", "no") if heard.retry else b""

    with namenode(script) as server, pytest.raises(RemoteError, match="IOException: no"):
        ask(callers(server), may_repeat=False)


def test_errors_leave_the_connection_where_the_server_does(callers: Callable[..., Caller]) -> None:
    said = iter([(1, "IOException"), (FATAL, "AuthorizationException"), (1, "IOException")])

    def script(heard: Heard) -> bytes:
        status, name = next(said)
        return refused(heard.call_id, name, "no", status)

    with namenode(script) as server:
        caller = callers(server)
        for _ in range(3):
            with pytest.raises(RemoteError):
                ask(caller)
        caller.close()
    assert [heard.connection for heard in server.heard] == [0, 0, 1]


def test_a_connection_that_told_nonsense_is_not_used_again(callers: Callable[..., Caller]) -> None:
    wrong = iter([1])
    with namenode(lambda heard: answered(heard.call_id + next(wrong, 0), b"told")) as server:
        caller = callers(server)
        with pytest.raises(BadFrame):
            ask(caller)
        assert ask(caller) == b"told"
        caller.close()
    assert [heard.connection for heard in server.heard] == [0, 1]


def test_where_nobody_listens_nothing_happened(callers: Callable[..., Caller]) -> None:
    with namenode(fine) as server:
        caller = callers(server)
    for may_repeat in (True, False):
        with pytest.raises(NotSent):
            ask(caller, may_repeat=may_repeat)


def test_idle_connections_end(
    callers: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch,
) -> None:
    with namenode(fine) as server:
        caller = callers(server, pool_idle=5)
        ask(caller, BOB)
        ask(caller)
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 6)
        ask(caller)
        assert list(caller._idle) == [ALICE]
        caller.close()
    assert [heard.connection for heard in server.heard] == [0, 1, 2]


def test_many_threads_make_calls_at_once_and_few_connections_are_kept(
    callers: Callable[..., Caller],
) -> None:
    results: list[bytes] = []
    with namenode(lambda heard: answered(heard.call_id, b"%d" % heard.call_id)) as server:
        caller = callers(server, pool_size=3)

        def work() -> None:
            results.extend(ask(caller) for _ in range(25))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = len(caller._idle[ALICE])
        caller.close()
    assert sorted(map(int, results)) == list(range(200))
    assert kept <= 3


def test_a_forked_child_is_another_client_on_connections_of_its_own(
    callers: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch,
) -> None:
    with namenode(fine) as server:
        caller = callers(server)
        ask(caller)
        child = os.getpid() + 1
        monkeypatch.setattr(os, "getpid", lambda: child)
        ask(caller)
        caller.close()
    first, second = server.heard
    assert (first.connection, second.connection) == (0, 1)
    assert first.client_id != second.client_id
