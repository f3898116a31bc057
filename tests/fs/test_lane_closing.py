"""Who may close a lane that is open, and what a call waits for."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from app.core import errors
from app.core.paths import HdfsPath
from app.fs import lane
from app.fs.lane_finding import NoLane, Standby
from app.fs.native_content import NativeContent
from app.hadoop.file_reading import ReadFailed
from app.hadoop.ipc import Broken, Identity, NoAnswer
from app.hadoop.ipc_pool import Limits
from tests.fs.lane_scene import Doors, backend_of, doors
from tests.gateway import wait_for
from tests.hadoop_protocols.scripted_namenode import Heard, answered, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.fs.failover import Cluster

FILE, OTHER = HdfsPath("/file"), HdfsPath("/other")
BY_RPC = ["rpc getFileInfo"]


@pytest.fixture
def scene() -> Iterator[Doors]:
    with doors() as made:
        yield made


@pytest.mark.parametrize("late", [
    lambda _: b"", lambda heard: answered(heard.call_id + 1),
    lambda heard: refused(heard.call_id, "org.apache.hadoop.ipc.StandbyException", "no")])
def test_a_late_error_of_a_lane_that_was_lost_does_not_close_the_one_after_it(
    scene: Doors, monkeypatch: pytest.MonkeyPatch, late: Callable[[Heard], bytes],
) -> None:
    monkeypatch.setattr(lane, "FIRST_REST", 0.01)
    over = threading.Event()

    def script(heard: Heard) -> bytes:
        if heard.user[1] != b"bob":
            return b""
        over.wait(60)
        return late(heard)

    scene.rpc["mkdirs"] = script
    with backend_of(scene, read_timeout=60.0) as backend:
        alice, bob = backend.as_user("alice"), backend.as_user("bob")
        alice.status(FILE)
        waiting = threading.Thread(target=bob.mkdirs, args=(FILE,))
        waiting.start()
        try:
            wait_for("it has been asked", lambda: scene.asked[-1] == "rpc mkdirs")
            alice.mkdirs(FILE)
            assert scene.since_last()[-1] == "web MKDIRS"
            wait_for("it is used again", lambda: (
                alice.status(FILE), scene.since_last())[1][-1:] == BY_RPC)
        finally:
            over.set()
        waiting.join()
        assert scene.since_last() == ["web MKDIRS"]
        for _ in range(5):
            alice.status(FILE)
        assert scene.since_last() == BY_RPC * 5


class Reader:
    """Gives a few bytes, and then asks a NameNode for more blocks, in vain."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._first = iter([b"abc"])

    def read(self, _size: int) -> bytes:
        for data in self._first:
            return data
        raise self._error

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(("error", "others", "by_webhdfs"), [
    (NoAnswer("silent"), [], []),
    (NoAnswer("silent"), ["http://127.0.0.1:1"], ["web OPEN"]),
    (Broken("broken"), [], ["web OPEN"]),
])
def test_a_read_does_not_wait_twice_for_the_only_namenode(
    scene: Doors, monkeypatch: pytest.MonkeyPatch, error: Exception, others: list[str],
    by_webhdfs: list[str],
) -> None:
    with backend_of(scene, url=(scene.http.url, *others)) as backend:
        alice = backend.as_user("alice")
        monkeypatch.setattr(NativeContent, "_begun", lambda *_: Reader(error))
        with closing(alice.open(FILE, 0, 20, 7)) as source:
            assert source.read(20) == b"abc"
            scene.since_last()
            if by_webhdfs:
                assert source.read(20) == b'{"boolean": true}'
            else:
                with pytest.raises(errors.UpstreamTimeout):
                    source.read(20)
        assert scene.since_last() == by_webhdfs


@pytest.mark.parametrize(("seconds", "by_webhdfs"), [(1.0, ["web OPEN"]), (2.0, [])])
def test_datanodes_that_are_silent_are_not_waited_for_again_by_webhdfs(
    scene: Doors, monkeypatch: pytest.MonkeyPatch, seconds: float, by_webhdfs: list[str],
) -> None:
    now = [time.monotonic()]

    def silent(*_: object) -> None:
        now[0] += seconds
        raise ReadFailed("nothing came")

    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        scene.since_last()
        monkeypatch.setattr(NativeContent, "_begun", silent)
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        if by_webhdfs:
            alice.open(FILE, 0, 17, 7).close()
        else:
            with pytest.raises(errors.UpstreamTimeout):
                alice.open(FILE, 0, 17, 7)
        assert scene.since_last() == by_webhdfs


def lane_by(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[], float], find: Callable[..., object],
) -> lane.Lane:
    """Return a lane that goes by this clock, and finds its NameNode as is said."""
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(lane, "find", find)
    return lane.Lane(cast("Cluster", None), "http://nn:9870", None, Identity("hdfs"), Limits())


def test_a_standby_rests_for_a_second_whatever_it_was_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    found = [NoLane("it is a router"), Standby("it is not the active NameNode", 0.0)]

    def find(*_: object) -> tuple[str, int]:
        for error in found:
            found.remove(error)
            raise error
        return "127.0.0.1", 1

    made = lane_by(monkeypatch, lambda: now[0], find)
    assert not made.ready()
    now[0] += 301
    assert not made.ready()
    assert not found
    now[0] += 1
    assert made.ready()


def test_a_lane_that_two_threads_saw_closed_is_opened_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[object] = []

    def open_too() -> None:
        assert made.ready()

    first = threading.Thread(target=open_too)

    def clock() -> float:
        """Let the other thread be quicker, after this one has seen that the lane is closed."""
        if not first.ident:
            first.start()
            first.join()
        return 1000.0

    def find(*what: object) -> tuple[str, int]:
        looks.append(what)
        return "127.0.0.1", 1

    made = lane_by(monkeypatch, clock, find)
    assert made.ready()
    assert len(looks) == 1


def test_a_namenode_that_breaks_off_when_it_is_looked_for_is_looked_for_again_soon(
    scene: Doors, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane, "FIRST_REST", 0.01)
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        scene.rpc["getFileInfo"] = lambda _: b""
        alice.status(FILE)
        assert scene.since_last()[-2:] == [*BY_RPC, "web GETFILESTATUS"]
        scene.rpc.clear()
        wait_for("it is used", lambda: (
            alice.status(FILE), scene.since_last())[1][-1:] == BY_RPC)
