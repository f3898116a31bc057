"""Completing an upload in a process that is killed at a step of choice, and what it leaves."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pwd
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from app.core.object_errors import NoSuchKey
from app.core.paths import HdfsPath
from app.fs import staging as staging_module
from app.fs.staging import Staging
from app.fs.upload_sweep import UploadSweep
from app.settings import UploadSettings
from app.state.sqlite import SqliteStore
from tests.conftest import HADOOP
from tests.objects.multipart_process import SUPERUSER, Order, Target, complete
from tests.objects.multipart_world import (
    BUCKET,
    KEY,
    World,
    content_of,
    etag_of,
    new_world,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.core.objects import Upload
    from app.fs.webhdfs import WebHdfsBackend

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.objects.multipart_process"])
OLD = b"the old object"
CONTENTS = tuple(f"part {i} ".encode() * 40 for i in range(4))
WHOLE = b"".join(CONTENTS)
CLUSTERS = [
    pytest.param("embedded", id="embedded"),
    pytest.param("namenode", id="namenode", marks=HADOOP),
    pytest.param("httpfs", id="httpfs", marks=HADOOP),
]
AGE = 7 * 24 * 3600.0
MAX_CALLS = 200


class Scene(NamedTuple):
    """A cluster, a bucket in it, and the state that its gateways share."""

    target: Target
    backend: WebHdfsBackend
    world: World
    state: Path

    def order(self, upload: Upload, *ways: str) -> Order:
        """Return the order to complete an upload of all CONTENTS."""
        claims = self.world.fill(upload, *CONTENTS)
        return Order(self.target, self.world.root, self.state, upload.key, upload.upload_id,
                     claims, frozenset(ways))

    def sweep(self, *, later: float = 0.0) -> None:
        """Have a living worker put right what dead ones left, `later` (seconds) than now."""
        staging = self.world.staging
        staging.sweep()
        UploadSweep(staging.store, self.backend, staging.workers.is_alive, AGE,
                    clock=lambda: time.time() + later).sweep()

    def present(self, key: str) -> bytes | None:
        """Return the object's content, checked against its ETag; None where there is none."""
        try:
            info = self.world.objects.info(BUCKET, key)
        except NoSuchKey:
            return None
        content = content_of(self.world.fs, info.path)
        assert info.meta.etag == {WHOLE: etag_of(*CONTENTS), OLD: etag_of(OLD)}[content]
        return content


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """Return each kind of cluster in turn, with a home of alice's."""
    if request.param == "embedded":
        made = Target("embedded", str(tmp_path_factory.mktemp("embedded")))
        root = SUPERUSER
    else:
        hadoop = request.getfixturevalue("hadoop")
        url = hadoop.namenode_url if request.param == "namenode" else hadoop.httpfs_url
        made, root = Target(request.param, url), pwd.getpwuid(os.getuid()).pw_name
    with contextlib.closing(made.connect()) as backend:
        fs = backend.as_user(root)
        fs.mkdirs(HdfsPath("/user/alice"), "755")
        fs.set_owner(HdfsPath("/user/alice"), "alice", None)
    return made


@pytest.fixture
def scene(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """Yield a new bucket; what a dead worker asked for comes at once or never."""
    monkeypatch.setattr(staging_module, "_LATE_CREATE_SECONDS", -1.0)
    state = tmp_path / "state.db"
    with contextlib.closing(target.connect()) as backend, \
            contextlib.closing(SqliteStore(state)) as store:
        staging = Staging(store, backend, UploadSettings(sweep_seconds=3600.0))
        yield Scene(target, backend, new_world(backend.as_user("alice"), staging), state)
        staging.workers.stop()


def finishes(order: Order, kill_at: int, *, before: bool) -> bool:
    """Complete in another process; tell whether it lived to the end."""
    process = PROCESSES.Process(target=complete, args=(order, kill_at), kwargs={"before": before})
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def each_step(scene: Scene, judge: Callable[[Upload, Order], None], *ways: str) -> None:
    """Complete uploads, each time killed at the next call, and judge what is left."""
    # After one call is before the next, but for the state store: that is the same everywhere.
    for before in (True, False) if scene.target.kind == "embedded" else (True,):
        for kill_at in range(1, MAX_CALLS):
            upload = scene.world.begin(f"{KEY}-{before}-{kill_at}")
            if "old" in ways:
                old = scene.world.begin(upload.key)
                scene.world.complete(old, scene.world.fill(old, OLD))
            order = scene.order(upload, *ways)
            finished = finishes(order, kill_at, before=before)
            scene.sweep()
            judge(upload, order)
            assert scene.world.leftovers() == []
            if finished:
                assert kill_at > 8
                break
        else:
            pytest.fail("no process lived to the end")


WAYS = pytest.mark.parametrize(("target", "ways"), [
    pytest.param(*cluster.values, ways, id=f"{cluster.id}-{name}", marks=cluster.marks)
    for cluster in CLUSTERS
    for name, ways in (("new", ()), ("replaced", ("old",)), ("copied", ("copy",)),
                       ("large", ("file", "old")))
    # Its steps are those of "replaced", but for the old object.
    if cluster.id == "embedded" or name != "new"
], indirect=["target"], scope="module")
