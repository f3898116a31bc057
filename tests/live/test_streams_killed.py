"""kill -9 between and inside the requests of a stream: what was acknowledged stays, alone."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.conftest import BACKENDS, HADOOP, backend_options, furnish
from tests.contract.client import Files, fresh_name, visible_and_hidden
from tests.contract.wire import Wire
from tests.gateway import Gateway, wait_for
from tests.live.conftest import QUICK, new_directory
from tests.live.interceptor import Interceptor
from tests.streams.conftest import Alluxio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.streams.conftest import Answer

DOORS = [pytest.param(door, marks=HADOOP) for door in ("namenode", "httpfs")]
with_doors = pytest.mark.parametrize("way", DOORS, indirect=True)
KEPT = b"acknowledged, "
LOST = b"never acknowledged " * 100
MORE = b"and more"
OLD = b"the old file"
SWEPT_SECONDS = 90.0
PIECE = bytes(range(256)) * 1024
UNKNOWN = "stream does not exist"
OK = 200
IDLE_SECONDS = 4.0


class Way(NamedTuple):
    """A running gateway with two workers, and how its way to a real HDFS can be cut."""

    gateway: Gateway
    cut: Interceptor | None
    door: str


@contextlib.contextmanager
def way_by(
    door: str, request: pytest.FixtureRequest, directory: Path, **streams: Any,
) -> Iterator[Way]:
    """Run a gateway by a door."""
    options = backend_options(request, door)
    settings = {**QUICK, "streams": {"sweep_seconds": 0.5, **streams},
                "backend": {**QUICK["backend"], "read_timeout": 4.0}}
    with contextlib.ExitStack() as stack:
        cut = None
        if door != "embedded":
            settings["backend"] |= {"kind": door, "rpc": "off"}  # what is cut is WebHDFS
            cut = stack.enter_context(Interceptor(options["backend"]))
            options["backend"] = cut.url
        gateway = stack.enter_context(Gateway(directory, settings=settings, **options))
        furnish(gateway)
        yield Way(gateway, cut, door)


@pytest.fixture(scope="module", params=BACKENDS)
def way(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Way]:
    """Yield a gateway over each kind of backend in turn."""
    with way_by(request.param, request, tmp_path_factory.mktemp("killed")) as made:
        yield made


@pytest.fixture(autouse=True)
def _two_workers_at_the_end(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "way" in request.fixturenames:
        gateway = request.getfixturevalue("way").gateway
        wait_for("two workers", lambda: len(gateway.workers()) == 2)


@dataclass
class Scene:
    """A new directory, and a stream that writes `file` in it; `acked` is what was acknowledged."""

    way: Way
    overwrite: bool = False
    acked: bytes = b""
    files: Files = field(init=False)
    stream_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.files = new_directory(self.way.gateway, fresh_name())
        self.alx = Alluxio(self.way.gateway)
        if self.overwrite:
            self.files.put("file", OLD)
        made = self.alx.act(self.files.at("file"), "create-file", {"overwrite": self.overwrite})
        assert made.status == 200, made
        self.stream_id = made.json

    def target(self, action: str) -> str:
        """Return the target of a request to the stream."""
        return f"/api/v1/streams/{self.stream_id}/{action}"

    def ask(self, action: str, body: bytes | None = None) -> Answer:
        """Do something to the stream, to the end."""
        return self.alx.raw("POST", self.target(action), body)

    def write(self, body: bytes) -> None:
        """Write, and have it acknowledged."""
        answer = self.ask("write", body)
        assert (answer.status, answer.body) == (200, str(len(body)).encode()), answer
        self.acked += body

    def kill_at(self, step: Step, action: str, body: bytes = b"") -> None:
        """Kill the worker that serves a request at a step of it, unsent or unanswered."""
        assert self.way.cut is not None
        inside = self.files.directory.rpartition("/")[2]
        self.way.cut.hold(step.operation, nth=step.nth, before=step.before, within=inside)
        with Wire(self.way.gateway) as wire:
            wire.send_head("POST", self.target(action), [("Content-Length", str(len(body)))])
            wire.socket.sendall(body)
            self.way.cut.await_held()
            self.way.gateway.kill_worker(self.way.gateway.worker_of(wire.socket))
            assert wire.at_end(), "the request was answered"

    def assert_not_there_yet(self) -> None:
        """Assert that the file is not there, or the old one."""
        if self.overwrite:
            assert self.files.read("file") == OLD
        else:
            self.files.missing("file")

    def close(self) -> None:
        """Close the stream; its file has all that was acknowledged, and nothing else is left."""
        answer = self.ask("close")
        assert (answer.status, answer.body) == (200, b""), answer
        assert self.files.read("file") == self.acked
        assert self.ask("close").message == UNKNOWN

    def await_swept(self, *names: str) -> None:
        """Return when nothing hidden is left."""
        wait_for(f"only {names}", lambda: visible_and_hidden(self.files) == list(names),
                 seconds=SWEPT_SECONDS)


class Step(NamedTuple):
    """A request to HDFS at which the worker is killed, before it is sent or after it was served."""

    operation: str
    nth: int = 1
    before: bool = False

    def __str__(self) -> str:
        """Say it in the name of a test."""
        return f"{'before' if self.before else 'after'}-{self.operation}-{self.nth}"


def sides(words: str) -> list[Step]:
    """Return where to kill: before the first step, and after each of them."""
    named = words.split()
    found = [Step(word, named[:i + 1].count(word)) for i, word in enumerate(named)]
    return [found[0]._replace(before=True), *found]


FIRST_WRITE = "GETFILESTATUS CREATE GETFILESTATUS"
LATER_WRITE = "APPEND GETFILESTATUS"
CLOSE = {
    "namenode": "RENAME",
    # HttpFS cannot replace in one step: the old file aside, the new one in its place.
    "httpfs": "RENAME",
}
CLOSE_EMPTY = f"GETFILESTATUS CREATE GETFILESTATUS {CLOSE['namenode']}"
CLOSE_OVER = {"namenode": "RENAME", "httpfs": "RENAME RENAME DELETE"}
REPAIR = "RENAME TRUNCATE APPEND"


@with_doors
@pytest.mark.parametrize("step", sides(FIRST_WRITE), ids=str)
def test_a_worker_killed_in_the_first_write(way: Way, step: Step) -> None:
    scene = Scene(way)
    scene.kill_at(step, "write", LOST)
    scene.assert_not_there_yet()
    scene.write(MORE)
    scene.close()
    scene.await_swept("file")


@with_doors
@pytest.mark.parametrize("step", sides(LATER_WRITE), ids=str)
@pytest.mark.parametrize("more", [b"", MORE])
def test_a_worker_killed_in_a_later_write(way: Way, step: Step, more: bytes) -> None:
    scene = Scene(way, overwrite=True)
    scene.write(KEPT)
    scene.kill_at(step, "write", LOST)
    scene.assert_not_there_yet()
    if more:
        scene.write(more)
    scene.close()
    scene.await_swept("file")


@with_doors
@pytest.mark.parametrize("step", sides(REPAIR), ids=str)
def test_a_worker_killed_while_it_repairs(way: Way, step: Step) -> None:
    scene = Scene(way)
    scene.write(KEPT)
    scene.kill_at(Step("APPEND", before=True), "write", LOST)
    scene.kill_at(step, "write", LOST)
    scene.assert_not_there_yet()
    scene.write(MORE)
    scene.close()
    scene.await_swept("file")


@with_doors
@pytest.mark.parametrize("content", [b"", KEPT])
def test_a_worker_killed_in_a_close(way: Way, content: bytes) -> None:
    for step in sides(CLOSE[way.door] if content else CLOSE_EMPTY):
        scene = Scene(way)
        if content:
            scene.write(content)
        scene.kill_at(step, "close")
        scene.close()
        scene.await_swept("file")


@with_doors
def test_a_worker_killed_in_a_close_that_replaces(way: Way) -> None:
    for step in sides(CLOSE_OVER[way.door]):
        scene = Scene(way, overwrite=True)
        scene.write(KEPT)
        scene.kill_at(step, "close")
        if way.door == "namenode":
            assert scene.files.read("file") in (OLD, KEPT)
        scene.close()
        scene.await_swept("file")
        assert scene.files.read("file") == KEPT


@pytest.mark.parametrize("kept", [b"", KEPT])
def test_a_worker_killed_inside_a_body(way: Way, kept: bytes) -> None:
    scene = Scene(way, overwrite=True)
    if kept:
        scene.write(kept)
    with Wire(way.gateway) as wire:
        wire.send_head("POST", scene.target("write"), [("Transfer-Encoding", "chunked")])
        for _ in range(64):  # more than sockets hold
            wire.send_chunk(PIECE)
        assert "?" in visible_and_hidden(scene.files)
        way.gateway.kill_worker(way.gateway.worker_of(wire.socket))
        assert wire.at_end()
    scene.assert_not_there_yet()
    scene.write(MORE)
    scene.close()
    scene.await_swept("file")


def test_workers_killed_between_writes(way: Way) -> None:
    scene = Scene(way)
    for number in range(3):
        scene.write(b"%d, " % number)
        for pid in way.gateway.workers():
            way.gateway.kill_worker(pid)
        wait_for("two workers", lambda: len(way.gateway.workers()) == 2)
    scene.close()
    assert scene.files.read("file") == b"0, 1, 2, "
    scene.await_swept("file")


@pytest.mark.parametrize("door", DOORS)
def test_what_nobody_comes_back_for_is_removed(
    request: pytest.FixtureRequest, tmp_path: Path, door: str,
) -> None:
    with way_by(door, request, tmp_path, idle_seconds=IDLE_SECONDS) as way:
        scenes = []
        for step in (*sides(FIRST_WRITE), *sides(LATER_WRITE)):
            scene = Scene(way, overwrite=True)
            if step.operation == "APPEND":
                scene.write(KEPT)
            scene.kill_at(step, "write", LOST)
            scenes.append(scene)
            wait_for("two workers", lambda: len(way.gateway.workers()) == 2)
        for scene in scenes:
            scene.await_swept("file")
            assert scene.files.read("file") == OLD
            admin = scene.alx.as_user("admin")
            wait_for("the end of the stream", lambda one=scene, who=admin: who.act(
                one.files.at("file"), "create-file", {"overwrite": True}).status == 200)
            wait_for("nothing to write to", lambda one=scene: is_over(one), seconds=60)


def is_over(scene: Scene) -> bool:
    """Tell whether a stream is gone; a write that comes in time begins its idle time anew."""
    answer = scene.ask("write", LOST)
    if answer.status == OK:
        time.sleep(IDLE_SECONDS + 1)
        return False
    return answer.message == UNKNOWN
