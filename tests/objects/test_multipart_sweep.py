"""What happens to multipart uploads that nobody ends, and to those whose worker died."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from app.core.errors import PathNotFound, UpstreamUnavailable
from app.core.object_errors import NoSuchUpload
from app.core.objects import ObjectMeta
from app.core.paths import child_of
from app.fs.staging import Staging
from app.fs.upload_layout import directory_of, sealed_path
from app.fs.upload_sweep import UploadSweep
from app.settings import UploadSettings
from tests.fs.conftest import backend, closing, settings_and_server, staging  # noqa: F401
from tests.gateway import Gateway, wait_for
from tests.objects.multipart_world import BUCKET, KEY, World, Wrapped, new_world

if TYPE_CHECKING:
    from pathlib import Path

    from app.fs.webhdfs import WebHdfsBackend

AGE = 7 * 24 * 3600.0
DEAD = "a worker of long ago"


class Clock:
    """Time that a test can move."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def world(backend: WebHdfsBackend, staging: Staging) -> World:  # noqa: F811
    """Return a new bucket of alice's."""
    return new_world(backend.as_user("alice"), staging)


@pytest.fixture
def clock() -> Clock:
    """Return the sweep's clock."""
    return Clock()


@pytest.fixture
def sweep(backend: WebHdfsBackend, staging: Staging, clock: Clock) -> UploadSweep:  # noqa: F811
    """Return the sweep of uploads older than a week."""
    return UploadSweep(staging.store, backend, staging.workers.is_alive, AGE, clock=clock)


def test_an_abandoned_upload_goes_when_it_is_old(
    world: World, sweep: UploadSweep, clock: Clock,
) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")
    clock.ahead = AGE - 60
    assert sweep.sweep() == 0
    assert world.inside(upload)
    clock.ahead = AGE + 60
    assert sweep.sweep() == 1
    assert world.is_clean()
    with pytest.raises(NoSuchUpload):
        world.complete(upload, claims)


def test_an_old_upload_that_is_used_stays(
    world: World, sweep: UploadSweep, clock: Clock, staging: Staging,  # noqa: F811
) -> None:
    upload = world.begin()
    entry = staging.store.get("uploads", upload.upload_id)
    assert entry
    week_ago = entry["initiated"] - int(AGE + 60) * 1000
    staging.store.put("uploads", upload.upload_id, {**entry, "initiated": week_ago})
    claims = world.fill(upload, b"one")
    assert sweep.sweep() == 0
    world.complete(upload, claims)
    assert world.read().content == b"one"


def test_an_upload_whose_directory_is_gone_is_forgotten(
    world: World, sweep: UploadSweep, clock: Clock,
) -> None:
    world.begin()
    world.fs.delete(world.path, recursive=True)
    clock.ahead = AGE + 60
    assert sweep.sweep() == 1
    assert not list(world.staging.store.scan("uploads"))


def test_an_upload_that_is_being_completed_stays(
    world: World, sweep: UploadSweep, clock: Clock,
) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")
    swept = []

    def meanwhile(_present: object) -> None:
        clock.ahead = 2 * AGE
        swept.append(sweep.sweep())

    world.complete(upload, claims, precondition=meanwhile)
    assert swept
    assert not any(swept)
    assert world.read().content == b"onetwo"
    assert world.is_clean()


def left_unbegun(world: World, at: str) -> None:
    """Begin an upload that breaks off before the call `at`, so that nobody is told its id."""
    def die(name: str, _arguments: tuple[object, ...]) -> None:
        if name == at:
            raise UpstreamUnavailable("died")

    dying = world.over(Wrapped(world.fs, before=die)).uploads  # type: ignore[arg-type]
    with pytest.raises(UpstreamUnavailable):
        dying.create(BUCKET, KEY, ObjectMeta())


@pytest.mark.parametrize("alive", [True, False])
def test_an_upload_that_could_not_begin_is_cleaned_up_at_once(
    world: World, sweep: UploadSweep, alive: bool,
) -> None:
    left_unbegun(world, "set_xattr")
    assert list(world.multipart.uploads(BUCKET)) == []
    assert world.hidden()
    if not alive:
        (upload_id, entry), = world.staging.store.scan("uploads")
        world.staging.store.put("uploads", upload_id, {**entry, "worker": DEAD})
    assert sweep.sweep() == 1
    assert world.is_clean()
    assert not list(world.staging.store.scan("uploads"))


def test_a_directory_that_may_still_come_is_waited_for(
    world: World, sweep: UploadSweep, clock: Clock,
) -> None:
    left_unbegun(world, "set_xattr")
    late = world.hidden()[0]
    world.fs.delete(child_of(world.path, late), recursive=True)
    assert sweep.sweep() == 0
    world.fs.mkdirs(child_of(child_of(world.path, late), "open"))
    clock.ahead = 61
    assert sweep.sweep() == 1
    assert world.is_clean()


def test_an_upload_that_begins_at_this_moment_stays(world: World, sweep: UploadSweep) -> None:
    swept = []

    def meanwhile(name: str, _arguments: tuple[object, ...]) -> None:
        if name == "set_xattr":
            swept.append(sweep.sweep())

    begun = world.over(Wrapped(world.fs, before=meanwhile)).uploads.create(  # type: ignore[arg-type]
        BUCKET, KEY, ObjectMeta())
    assert swept == [0]
    assert [one.upload_id for one in world.multipart.uploads(BUCKET)] == [begun.upload_id]
    assert sweep.sweep() == 0


def left_by_a_dead_worker(world: World, at: str) -> str:
    """Complete an upload up to the call `at` (a substring of its path); return the id."""
    upload = world.begin()
    claims = world.fill(upload, b"one", b"two")

    def die(name: str, arguments: tuple[object, ...]) -> None:
        if (name, at) == ("delete", "delete") or (
                name == "rename" and at in str(arguments[0]) and at != "delete"):
            raise UpstreamUnavailable("died")

    dying = world.over(Wrapped(world.fs, before=die)).uploads  # type: ignore[arg-type]
    with pytest.raises(UpstreamUnavailable):
        dying.complete(BUCKET, KEY, upload.upload_id, claims, least_part=0)
    entry = world.staging.store.get("uploads", upload.upload_id)
    assert entry
    world.staging.store.put("uploads", upload.upload_id, {**entry, "worker": DEAD})
    return upload.upload_id


def test_what_a_dead_worker_had_published_is_cleaned_up_at_once(
    world: World, sweep: UploadSweep,
) -> None:
    upload_id = left_by_a_dead_worker(world, "delete")
    assert list(world.multipart.uploads(BUCKET)) == []
    assert world.hidden()
    assert sweep.sweep() == 1
    assert not world.hidden()
    found = world.read()
    assert (found.content, found.info.meta.upload) == (b"onetwo", upload_id)


def test_what_a_dead_worker_had_not_published_stays(
    world: World, sweep: UploadSweep,
) -> None:
    upload_id = left_by_a_dead_worker(world, "sealed")
    assert sweep.sweep() == 0
    directory = directory_of(world.path, upload_id)
    assert world.fs.status(child_of(sealed_path(directory), "object")).length == 6
    assert [one.upload_id for one in world.multipart.uploads(BUCKET)] == [upload_id]


def test_what_fails_is_tried_again_later_and_disturbs_no_other(
    world: World, staging: Staging, clock: Clock, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    stuck, free = world.begin("stuck"), world.begin("free")
    broken = [True]

    def refuse(name: str, arguments: tuple[object, ...]) -> None:
        if broken and name == "delete" and stuck.upload_id in str(arguments[0]):
            raise UpstreamUnavailable("not now")

    class Backend:
        def as_user(self, user: str) -> Wrapped:
            return Wrapped(backend.as_user(user), before=refuse)

    sweep = UploadSweep(staging.store, Backend(), staging.workers.is_alive,  # type: ignore[arg-type]
                        AGE, clock=clock)
    clock.ahead = AGE + 60
    assert sweep.sweep() == 1
    with pytest.raises(PathNotFound):
        world.inside(free)
    broken.clear()
    assert sweep.sweep() == 0
    clock.ahead += 700
    assert sweep.sweep() == 1
    assert world.is_clean()


def test_it_runs_in_the_background_and_leaves_the_other_sweep_alone(
    world: World, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    store = world.staging.store
    staging = Staging(store, backend, UploadSettings(sweep_seconds=0.5))  # noqa: F811
    calls: list[str] = []

    def failing() -> None:
        calls.append("failing")
        raise RuntimeError("a fault of another sweep")

    staging.also(failing)
    staging.workers.start()
    try:
        world.fs.create(child_of(world.path, "left"), [b"x"])
        store.put("staged", "x", {
            "user": "alice", "temp": child_of(world.path, "left"), "target": world.path,
            "backup": "", "made": [], "worker": DEAD})
        wait_for("the staged file's end", lambda: store.get("staged", "x") is None, seconds=30)
        wait_for("the other sweep's turns", lambda: len(calls) > 2, seconds=30)
    finally:
        staging.workers.stop()


def test_parts_of_a_dead_worker_go(world: World) -> None:
    upload = world.begin()
    with world.staging.stage(
        world.fs, directory_of(world.path, upload.upload_id), world.path,
    ) as stage:
        world.fs.create(stage.path, [b"half a part"])
        (key, entry), = world.staging.store.scan("staged")
        stage.done()
    world.staging.store.put("staged", key, {**entry, "worker": DEAD})
    world.staging.sweep()
    wait_for("the part's end", lambda: world.inside(upload) == ["open"], seconds=30)
    world.complete(upload, world.fill(upload, b"x"))


@pytest.mark.gunicorn
def test_a_gateway_does_it_by_itself(tmp_path: Path) -> None:
    with Gateway(tmp_path, settings={
        "s3": {"upload_max_age": 2.0}, "upload": {"sweep_seconds": 0.5},
    }) as gateway:
        gateway.make_home("alice")
        bucket = "/api/v1/s3/user:alice:bucket"
        gateway.request("PUT", "/f/directory", params={"path": "/user/alice/bucket"})
        begun = gateway.request("POST", f"{bucket}/key?uploads")
        assert begun.status_code == 200, begun.text
        gateway.request("PUT", f"{bucket}/other", data=b"an object")

        def hidden() -> str:
            answer = gateway.request(
                "GET", "/f/file/summary", user="admin", params={"path": "/user/alice/bucket"})
            return str(answer.json()["result"]["summary"]["directoryCount"])

        assert hidden() == "3"
        wait_for("the upload's end", lambda: hidden() == "1", seconds=30)
        assert gateway.request("GET", f"{bucket}/other").content == b"an object"


# --- uploads that the state store does not know


def lose(world: World) -> None:
    """Empty the state store of what it knows of uploads."""
    store = world.staging.store
    for space in ("uploads", "uploads-looked-for"):
        for key, _ in list(store.scan(space)):
            store.delete(space, key)


@pytest.mark.parametrize("met", ["listed", "beside another"])
def test_an_upload_that_a_lost_store_knew_goes_when_nothing_happened_in_it_for_long(
    world: World, sweep: UploadSweep, clock: Clock, met: str,
) -> None:
    upload = world.begin()
    world.fill(upload, b"one")
    lose(world)
    clock.ahead = 2 * AGE
    assert sweep.sweep() == 0
    if met == "listed":
        assert [one.upload_id for one in world.multipart.uploads(BUCKET)] == [upload.upload_id]
    else:
        other = world.begin("other")
        world.multipart.abort(BUCKET, "other", other.upload_id)
    clock.ahead = AGE - 60
    assert sweep.sweep() == 0
    assert world.inside(upload)
    clock.ahead = AGE + 60
    assert sweep.sweep() == 1
    assert world.is_clean()


def test_an_old_upload_of_another_gateways_store_stays_while_something_happens_in_it(
    world: World, sweep: UploadSweep, clock: Clock, staging: Staging,  # noqa: F811
) -> None:
    upload = world.begin()
    lose(world)
    list(world.multipart.uploads(BUCKET))
    entry = staging.store.get("uploads", upload.upload_id)
    assert entry
    long_ago = entry["initiated"] - int(3 * AGE) * 1000
    staging.store.put("uploads", upload.upload_id, {**entry, "initiated": long_ago})
    claims = world.fill(upload, b"one")
    clock.ahead = AGE / 2
    assert sweep.sweep() == 0
    world.complete(upload, claims)
    assert world.read().content == b"one"


def test_no_more_than_ones_own_uploads_are_taken_in(
    backend: WebHdfsBackend, staging: Staging,  # noqa: F811
) -> None:
    world = new_world(backend.as_user("alice"), staging, "777")
    world.begin()
    lose(world)
    bob = World(backend.as_user("bob"), staging, world.root)
    assert len(list(bob.multipart.uploads(BUCKET))) == 1
    bob.begin("bobs")
    reader = world.over(world.fs, read_only=True)
    assert len(list(reader.uploads.uploads(BUCKET))) == 2
    assert [entry["user"] for _, entry in staging.store.scan("uploads")] == ["bob"]


def test_a_bucket_is_looked_through_once_a_day(world: World) -> None:
    calls: list[str] = []
    multipart = world.over(Wrapped(  # type: ignore[arg-type]
        world.fs, before=lambda name, _: calls.append(name))).uploads
    for _ in range(3):
        multipart.create(BUCKET, KEY, ObjectMeta())
    assert calls.count("list_page") == 1
