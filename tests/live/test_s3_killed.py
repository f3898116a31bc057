"""kill -9 in the middle of S3's writing: the old object or the new one, and no part is lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import HADOOP, HADOOP_USERS
from tests.gateway import wait_for
from tests.hadoop.cluster import Cluster
from tests.live.conftest import QUICK
from tests.live.interceptor import Interceptor
from tests.live.s3_scenes import (
    ALL_PARTS,
    JOINED,
    LARGE,
    NEW,
    OLD,
    Ask,
    Scene,
    Way,
    client_process,
    finish,
    reset,
    version,
)
from tests.s3.conftest import world_in
from tests.s3.test_chunked_bodies import chunked
from tests.s3.wire import UNSIGNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Break = Callable[[Scene, Ask, int], Callable[[], None]]

pytestmark = list(HADOOP)
DOORS = ["namenode", "httpfs"]
DEEP = "new/deep/key"
BIG = bytes(range(256)) * (1 << 18)
COPIED = OLD._replace(metadata={"made": "as a copy"})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster of our own, as what is done to it would disturb the others."""
    with Cluster(tmp_path_factory.mktemp("two-datanodes"), datanodes=2) as made:
        for user in HADOOP_USERS:
            made.make_user(user)
        yield made


@pytest.fixture(scope="module")
def ways(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Way]]:
    """Yield a gateway by each door."""
    urls = {"namenode": cluster.namenode_url, "httpfs": cluster.httpfs_url}
    with contextlib.ExitStack() as stack:
        made = {}
        for door, url in urls.items():
            cut = stack.enter_context(Interceptor(url))
            backend = {**QUICK["backend"], "kind": door, "rpc": "off", "read_timeout": 4.0}
            world = stack.enter_context(contextlib.contextmanager(world_in)(
                tmp_path_factory.mktemp(door), backend=cut.url, superuser=cluster.superuser,
                settings={**QUICK, "backend": backend}))
            made[door] = Way(world, world.client(), cut, door, cluster.superuser)
        yield made


@pytest.fixture(params=DOORS)
def way(ways: dict[str, Way], request: pytest.FixtureRequest) -> Iterator[Way]:
    """Yield the gateway by each door in turn, and see that it has its two workers at the end."""
    found = ways[request.param]
    yield found
    wait_for("two workers", lambda: len(found.world.gateway.workers()) == 2)


# --- the worker, at every step


class Step(NamedTuple):
    """A request that changes something in HDFS: the `nth` of an operation."""

    operation: str
    nth: int = 1


def steps(words: str) -> list[Step]:
    """Return steps in their order; the same operation again is its next."""
    named = words.split()
    return [Step(word, named[:i].count(word) + 1) for i, word in enumerate(named)]


PUT = {
    "namenode": {"key": steps("CREATE SETXATTR RENAME"),
                 DEEP: steps("CREATE SETXATTR SETXATTR SETXATTR RENAME")},
    # HttpFS cannot replace in one step, and has directories made before.
    "httpfs": {"key": steps("CREATE SETXATTR RENAME RENAME DELETE"),
               DEEP: steps("MKDIRS SETXATTR SETXATTR RENAME CREATE SETXATTR RENAME")[2:]},
}
# The plan; all in one file; its record; two moves, after which it is sealed; its place. Of what is
# the same by both doors, or was killed before with another key, there is no second time.
SEALED = "SETXATTR CONCAT SETXATTR RENAME RENAME "
COMPLETE = {
    "namenode": {"key": steps(SEALED + "RENAME DELETE"),
                 DEEP: steps(SEALED + "MKDIRS SETXATTR SETXATTR RENAME RENAME DELETE")[5:]},
    "httpfs": {"key": steps(SEALED + "RENAME RENAME DELETE DELETE")[4:],
               DEEP: steps(SEALED + "MKDIRS SETXATTR SETXATTR RENAME RENAME DELETE")[8:]},
}


def sides(found: list[Step]) -> list[tuple[Step, bool]]:
    """Return where to kill: before the first step, and after each of them.

    Once the worker is dead, it is the same whether it died after a step or before the next.
    """
    return [(found[0], True), *((step, False) for step in found)]


@pytest.mark.parametrize("key", ["key", DEEP])
def test_a_worker_killed_at_every_step_of_a_put(way: Way, key: str) -> None:
    old = OLD if key == "key" else None
    scenes = []
    for step, before in sides(PUT[way.door][key]):
        scene = Scene(way, key)
        if old:
            scene.put(old)
        scene.kill_at(*step, scene.put_asked(), before=before)
        if way.door == "namenode":
            scene.assert_one_of(old, NEW)
        scenes.append(scene)
    outcomes = []
    for scene in scenes:
        scene.await_swept()
        outcomes.append(scene.assert_one_of(old, NEW))
        # HttpFS has the directories made before the object; without one nobody sees them in S3.
        assert way.door == "httpfs" or bool(outcomes[-1]) == bool(scene.below())
        scene.put(OLD)
        scene.assert_gone_with_its_bucket()
    assert outcomes[0] == old
    assert outcomes[-1] == NEW


@pytest.mark.parametrize("key", ["key", DEEP])
def test_a_worker_killed_at_every_step_of_a_completion(way: Way, key: str) -> None:
    old = OLD if key == "key" else None
    scenes = []
    for i, (step, before) in enumerate(sides(COMPLETE[way.door][key])):
        scene = Scene(way, key)
        if old:
            scene.put(old)
        upload = scene.filled()
        scene.kill_at(*step, scene.completion_asked(upload), before=before)
        found = scene.seen()
        # HttpFS replaces in two steps: until the sweep, or another completion, it may be away.
        assert found in (old, JOINED) or (way.door == "httpfs" and found is None)
        if found != JOINED:
            assert scene.parts(upload) == ALL_PARTS, step
        if i % 2 == 0:
            assert scene.complete(upload) == JOINED.etag
            assert scene.seen() == JOINED
        scenes.append((scene, upload))
    for scene, upload in scenes:
        if scene.assert_one_of(old, JOINED) != JOINED:
            scene.await_swept(".httpfs-proxy-upload-" + upload["UploadId"])
            assert scene.parts(upload) == ALL_PARTS
            assert scene.complete(upload) == JOINED.etag
        scene.await_swept()
        assert scene.complete(upload) == JOINED.etag
        assert scene.seen() == JOINED
        scene.assert_gone_with_its_bucket()


@pytest.mark.parametrize("way", DOORS[:1], indirect=True)
def test_a_worker_killed_at_every_step_of_a_part(way: Way) -> None:
    for step, before in sides(steps("CREATE RENAME"))[1:]:
        scene = Scene(way)
        scene.put(OLD)
        upload = scene.begin()
        scene.fill(upload, 1)
        scene.kill_at(*step, scene.part_asked(upload, 2), before=before)
        assert scene.parts(upload) in (ALL_PARTS[:1], ALL_PARTS)
        scene.fill(upload, 2)
        scene.await_swept(".httpfs-proxy-upload-" + upload["UploadId"])
        assert scene.parts(upload) == ALL_PARTS
        assert scene.seen() == OLD
        assert scene.complete(upload) == JOINED.etag
        assert scene.seen() == JOINED
        scene.assert_gone_with_its_bucket()


@pytest.mark.parametrize("way", DOORS[:1], indirect=True)
@pytest.mark.parametrize("source", ["another", "key"])
def test_a_worker_killed_at_every_step_of_a_copy(way: Way, source: str) -> None:
    # Its steps are those of a PUT. Onto itself only the record changes: one step.
    found = steps("CREATE SETXATTR" if source == "another" else "SETXATTR")
    old = NEW if source == "another" else OLD
    for step, before in sides(found):
        scene = Scene(way)
        scene.put(OLD, source)
        if source == "another":
            scene.put(old)
        scene.kill_at(*step, scene.copy_asked(source, **COPIED.metadata), before=before)
        assert scene.seen() == (old if source == "another" or before else COPIED)
        scene.await_swept()
        assert scene.seen() == (old if source == "another" or before else COPIED)


# --- worker and client, in the middle of a body


def kills_the_worker(scene: Scene, ask: Ask, size: int) -> Callable[[], None]:
    connection = scene.send(ask, size)
    return lambda: scene.kill_worker_of(connection)


def resets(scene: Scene, ask: Ask, size: int) -> Callable[[], None]:
    connection = scene.send(ask, size)
    return lambda: reset(connection)


@pytest.fixture
def breaking(request: pytest.FixtureRequest, tmp_path: Path) -> Break:
    """Return what sends a part of a request, and returns what breaks it off."""
    if request.param != "client":
        return {"worker": kills_the_worker, "connection": resets}[request.param]

    def kills_the_client(scene: Scene, ask: Ask, size: int) -> Callable[[], None]:
        process = client_process(scene, ask, size, tmp_path)

        def kill() -> None:
            with process:
                process.kill()

        return kill

    return kills_the_client


@pytest.mark.parametrize(("way", "breaking"), [
    ("namenode", "worker"), ("namenode", "client"), ("namenode", "connection"),
    ("httpfs", "worker"), ("httpfs", "client"),
], indirect=True)
def test_killed_in_the_middle_of_a_body(way: Way, breaking: Break) -> None:
    over, new, parts, signed_chunks = Scene(way), Scene(way, DEEP), Scene(way), Scene(way)
    for scene in (over, parts, signed_chunks):
        scene.put(OLD)
    upload = parts.begin()
    parts.fill(upload, 2)
    there = ".httpfs-proxy-upload-" + upload["UploadId"]
    asks = [(over, over.put_asked(LARGE)), (new, new.put_asked(LARGE)),
            (parts, parts.part_asked(upload, 1)), (signed_chunks, chunk_signed(signed_chunks))]
    breaks = []
    for scene, ask in asks:
        hidden = len(scene.hidden())
        breaks.append(breaking(scene, ask, len(ask.body) // 2))
        wait_for("a hidden file", lambda scene=scene, hidden=hidden: len(scene.hidden()) > hidden)
        breaks.pop()()
        assert scene.seen() == (None if scene is new else OLD)
    for scene, _ in asks:
        scene.await_swept(*([there] if scene is parts else []))
        assert scene.seen() == (None if scene is new else OLD)
    assert parts.parts(upload) == ALL_PARTS[1:]
    parts.fill(upload, 1)
    assert parts.complete(upload) == JOINED.etag
    for scene in (over, new, signed_chunks):
        scene.put(NEW)
        scene.assert_gone_with_its_bucket()
    assert parts.seen() == JOINED


def chunk_signed(scene: Scene) -> Ask:
    """Return the request for PutObject in signed chunks, which end with it and not before."""
    target = f"/{scene.bucket}/{scene.key}"
    content = LARGE.content
    chunks = [content[at:at + 65536] for at in range(0, len(content), 65536)]
    headers, body = chunked(scene.way.world, target, chunks)
    return Ask("PUT", target, headers | {"Content-Length": str(len(body))}, body, is_signed=True)


# --- in the middle of long work


def test_a_worker_killed_in_the_middle_of_a_copy(way: Way) -> None:
    scene = Scene(way)
    big = version(BIG, made="to be copied")
    scene.put(big, "source")
    scene.put(OLD)
    connection = scene.send(scene.copy_asked("source"))
    wait_for("a hidden file", scene.hidden)
    scene.kill_worker_of(connection)
    assert scene.seen() == OLD
    scene.await_swept()
    assert scene.seen() == OLD


def test_a_client_that_goes_while_hdfs_is_asked(way: Way) -> None:
    joined, copied = Scene(way), Scene(way)
    upload = joined.filled()
    copied.put(NEW, "source")
    copied.put(OLD)
    for scene, ask, step in (
        (joined, joined.completion_asked(upload), ("CONCAT", 1)),
        (copied, copied.copy_asked("source", **NEW.metadata), ("SETXATTR", 1)),
    ):
        way.cut.hold(step[0], nth=step[1], before=False, within=scene.bucket)
        connection = scene.send(ask)
        way.cut.await_held()
        reset(connection)
    # The worker waits for HDFS still, and another completes the upload.
    assert joined.complete(upload) == JOINED.etag
    assert joined.seen() == JOINED
    assert copied.assert_one_of(OLD, NEW)
    for scene in (joined, copied):
        scene.await_swept()
    assert joined.complete(upload) == JOINED.etag
    assert joined.seen() == JOINED
    assert copied.assert_one_of(OLD, NEW)


# --- a DataNode


@pytest.mark.parametrize("node", [0, 1])
def test_a_datanode_killed_in_the_middle(ways: dict[str, Way], cluster: Cluster, node: int) -> None:
    """One of the two: some transfers go on at the other, some break off, and that is seen."""
    big = version(BIG, made="big")
    read = [Scene(way) for way in ways.values()]
    written = [Scene(way) for way in ways.values()]
    gets, puts = [], []
    for scene in read:
        scene.put(big)
        gets.append(scene.send(Ask("GET", f"/{scene.bucket}/{scene.key}", UNSIGNED)))
        assert gets[-1].recv(1, 2)  # MSG_PEEK: the first byte has come
    for scene in written:
        scene.put(OLD)
        puts.append(scene.send(scene.put_asked(big), len(BIG) // 2))
        wait_for("a hidden file", scene.hidden)
    cluster.kill_datanode(node)
    try:
        for connection in gets:
            status, content = finish(connection)
            assert status == 200
            assert content is None or content == BIG
        told = [finish(connection, BIG[len(BIG) // 2:])[0] for connection in puts]
    finally:
        cluster.start_datanode(node)
    for scene, status in zip(written, told, strict=True):
        scene.await_swept()
        scene.assert_one_of(big, *([] if status == 200 else [OLD]))
    for scene in read:
        assert scene.seen() == big
