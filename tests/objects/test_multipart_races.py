"""Several who change one multipart upload at once, and what HDFS refuses to join."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import (
    AccessDenied,
    InvalidRequest,
    PathNotFound,
    QuotaExceeded,
    Unsupported,
    UpstreamFault,
)
from app.core.model import FileType
from app.core.object_errors import NameTaken, NoSuchUpload, OperationAborted
from app.core.paths import HdfsPath, child_of
from app.fs import turns
from app.fs.upload_layout import directory_of
from tests.fs.conftest import (  # noqa: F401
    backend,
    closing,
    settings_and_server,
    staging,
    superuser,
)
from tests.objects.multipart_world import (
    BUCKET,
    KEY,
    World,
    Wrapped,
    at_once,
    claim,
    etag_of,
    new_world,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.objects import ObjectInfo, PartClaim, Upload
    from app.fs.staging import Staging
    from app.fs.webhdfs import WebHdfsBackend

CONTENTS = tuple(f"part {i} ".encode() * 40 for i in range(7))
WHOLE = b"".join(CONTENTS)


@pytest.fixture
def world(backend: WebHdfsBackend, staging: Staging) -> World:  # noqa: F811
    """Return a new bucket of alice's."""
    return new_world(backend.as_user("alice"), staging)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody wait long for a turn that cannot end meanwhile."""
    monkeypatch.setattr(turns, "_PATIENCE_SECONDS", 1.0)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each CONCAT take one or two parts."""
    from app.fs import completing, upload_plan  # noqa: PLC0415

    monkeypatch.setattr(
        completing, "batches", lambda files: upload_plan.batches(files, octets=400))


def complete_over(
    world: World, upload: Upload, claims: list[PartClaim], fs: Any,
) -> Callable[[], ObjectInfo]:
    """Return what completes an upload through `fs`."""
    return lambda: world.over(fs).uploads.complete(
        BUCKET, upload.key, upload.upload_id, claims, least_part=0)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("_round", range(3))
def test_completed_by_several_at_once(world: World, _round: int) -> None:
    upload = world.begin()
    claims = world.fill(upload, *CONTENTS)
    infos: list[ObjectInfo] = []

    def complete() -> None:
        infos.append(complete_over(world, upload, claims, world.fs)())

    assert at_once(*[complete] * 4) == []
    assert world.read().content == WHOLE
    assert {info.meta.etag for info in infos} == {etag_of(*CONTENTS)}
    assert len({info.status.file_id for info in infos}) == 1
    assert world.is_clean()


STEPS = ("xattrs", "list_page", "set_xattr", "concat", "rename", "status", "delete")


@pytest.mark.usefixtures("small_batches", "impatient")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("joins", ["both", "one-copies", "both-copy"])
def test_another_completes_it_in_between(world: World, step: str, joins: str) -> None:
    """At each call of one, a second one does all of it."""
    nth = 0
    while True:
        upload = world.begin(f"{step}-{nth}")
        claims = world.fill(upload, *CONTENTS[:4])
        calls = [0]
        second = refusing(world.fs) if joins == "both-copy" else world.fs

        def meanwhile(
            name: str, _: object, *, fs: Any = second, upload: Upload = upload,
            claims: list[PartClaim] = claims, calls: list[int] = calls, at: int = nth,
        ) -> None:
            if name == step:
                calls[0] += 1
                if calls[0] == at + 1:
                    # Where the first one has the turn at the key, the second is told to come back.
                    with suppress(OperationAborted):
                        complete_over(world, upload, claims, fs)()

        first = world.fs if joins == "both" else refusing(world.fs)
        complete_over(world, upload, claims, Wrapped(first, before=meanwhile))()
        found = world.read(upload.key)
        assert found.content == b"".join(CONTENTS[:4])
        assert found.info.meta.upload == upload.upload_id
        assert world.is_clean()
        if calls[0] <= nth:
            return
        nth += 1


def test_what_came_after_is_never_replaced_by_a_late_one(world: World) -> None:
    """Completed, replaced by another object, and only then does a second request go on."""
    for refused in (False, True):
        upload = world.begin()
        claims = world.fill(upload, *CONTENTS)
        fs = refusing(world.fs) if refused else world.fs
        begun: list[str] = []

        def meanwhile(
            name: str, arguments: tuple[Any, ...], *, fs: Any = fs, upload: Upload = upload,
            claims: list[PartClaim] = claims, begun: list[str] = begun,
        ) -> None:
            if name == "status" and str(arguments[0]).endswith("sealed/object") and not begun:
                begun.append(name)
                complete_over(world, upload, claims, fs)()
                later = world.begin()
                world.complete(later, world.fill(later, b"later"))

        with pytest.raises(NoSuchUpload):
            complete_over(world, upload, claims, Wrapped(fs, after=meanwhile))()
        assert begun
        assert world.read().content == b"later"
        assert world.is_clean()


def test_the_same_part_twice_at_once(world: World) -> None:
    upload = world.begin()
    parts: list[Any] = []
    contents = [bytes([65 + i]) * 50_000 for i in range(4)]
    assert at_once(*[lambda content=content: parts.append(world.put(upload, 1, content))
                     for content in contents]) == []
    listed, _ = world.multipart.parts(BUCKET, KEY, upload.upload_id)
    assert len(listed) == 1
    world.complete(upload, [claim(listed[0])])
    assert world.read().content in contents
    assert world.is_clean()


# --- aborted meanwhile


def until(passed: threading.Event, then: threading.Event) -> Iterator[bytes]:
    """Yield a body that waits in its middle."""
    yield b"x" * 300_000
    passed.set()
    assert then.wait(30)
    yield b"y" * 300_000


def test_aborted_while_a_part_is_being_sent(world: World) -> None:
    upload = world.begin()
    halfway, aborted = threading.Event(), threading.Event()

    def abort() -> None:
        assert halfway.wait(30)
        world.multipart.abort(BUCKET, KEY, upload.upload_id)
        aborted.set()

    raised = at_once(abort, lambda: world.put(upload, 1, until(halfway, aborted)))
    assert [type(error) for error in raised] == [NoSuchUpload]
    assert nothing_stays(world)


@pytest.mark.parametrize("step", ["status", "create", "rename"])
def test_aborted_between_two_steps_of_a_part(world: World, step: str) -> None:
    upload = world.begin()

    def abort(name: str, _: object) -> None:
        if name == step and world.hidden():
            world.fs.delete(directory_of(world.path, upload.upload_id), recursive=True)

    multipart = world.over(Wrapped(world.fs, before=abort)).uploads  # type: ignore[arg-type]
    with pytest.raises(NoSuchUpload):
        world.put(upload, 1, b"x" * 1000, multipart)
    assert nothing_stays(world)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_aborted_between_two_steps_of_completing(
    world: World, step: str, *, copied: bool,
) -> None:
    nth = 0
    while True:
        upload = world.begin(f"{step}-{nth}")
        claims = world.fill(upload, *CONTENTS[:4])
        calls = [0]

        def abort(
            name: str, _: object, *, upload: Upload = upload, calls: list[int] = calls,
            at: int = nth,
        ) -> None:
            if name == step:
                calls[0] += 1
                if calls[0] == at + 1:
                    world.fs.delete(directory_of(world.path, upload.upload_id), recursive=True)

        fs = refusing(world.fs) if copied else world.fs
        try:
            complete_over(world, upload, claims, Wrapped(fs, before=abort))()
        except NoSuchUpload:
            assert not any(one.key == upload.key for one in world.objects.list(BUCKET).entries)
        else:
            assert world.read(upload.key).content == b"".join(CONTENTS[:4])
        assert not world.hidden()
        assert not list(world.staging.store.scan("staged"))
        if calls[0] <= nth:
            return
        nth += 1


def nothing_stays(world: World) -> bool:
    """Tell whether the bucket is empty and the journal of what is staged, too."""
    return not world.fs.list_page(world.path).entries and not list(
        world.staging.store.scan("staged"))


# --- where CONCAT cannot


def refusing(fs: Any, error: Exception | None = None) -> Any:
    """Return a file system that refuses CONCAT."""
    def refuse(name: str, _: object) -> None:
        if name == "concat":
            raise error or InvalidRequest("concat can not be called for files in a zone")

    return Wrapped(fs, before=refuse)


def test_what_cannot_be_joined_is_copied(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, *CONTENTS, b"")
    info = complete_over(world, upload, claims, refusing(world.fs))()
    assert world.read().content == WHOLE
    assert info.meta.etag == etag_of(*CONTENTS, b"")
    assert info.meta.part_sizes == (*map(len, CONTENTS), 0)
    assert world.is_clean()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("nth", [2, 3])
def test_what_is_joined_in_part_is_copied_from_there(world: World, nth: int) -> None:
    upload = world.begin()
    claims = world.fill(upload, *CONTENTS)
    calls = [0]

    def refuse(name: str, _: object) -> None:
        calls[0] += name == "concat"
        if name == "concat" and calls[0] >= nth:
            raise AccessDenied("no longer")

    complete_over(world, upload, claims, Wrapped(world.fs, before=refuse))()
    assert calls[0] == nth
    assert world.read().content == WHOLE
    assert world.is_clean()


def test_parts_of_larger_blocks_are_copied(world: World) -> None:
    """HDFS refuses a source whose block size is larger than the target's."""
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    directory = directory_of(world.path, upload.upload_id)
    first, second = (child_of(directory, name) for name in world.inside(upload)
                     if name[0].isdigit())
    world.fs.delete(first)
    world.fs.create(first, [b"first"], permission="644", block_size=1024 * 1024)
    joined: list[str] = []
    watched = Wrapped(world.fs, after=lambda name, _: joined.append(name))
    complete_over(world, upload, claims, watched)()
    assert "concat" not in joined
    assert world.fs.status(world.read().info.path).block_size > 1024 * 1024
    assert world.read().content == b"firstsecond"
    assert second not in world.hidden()


def test_parts_of_another_replication_are_joined(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    directory = directory_of(world.path, upload.upload_id)
    for name in world.inside(upload):
        if name.startswith("00002"):
            assert world.fs.set_replication(child_of(directory, name), 2)
    joined: list[str] = []
    complete_over(world, upload, claims,
                  Wrapped(world.fs, after=lambda name, _: joined.append(name)))()
    assert "concat" in joined
    assert world.read().content == b"firstsecond"


def test_parts_in_a_snapshot_are_copied(
    world: World, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    backend.as_user(superuser()).allow_snapshots(world.path, allowed=True)
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    world.fs.create_snapshot(world.path, "s")
    world.complete(upload, claims)
    assert world.read().content == b"firstsecond"
    assert world.is_clean()
    world.fs.delete_snapshot(world.path, "s")


def test_a_quota_that_is_used_up(
    world: World, backend: WebHdfsBackend,  # noqa: F811
) -> None:
    root = backend.as_user(superuser())
    if not root.flavor.quotas:
        with pytest.raises(Unsupported):
            root.set_quota(world.path, 1, None)
        return
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    used = root.content_summary(world.path)
    root.set_quota(world.path, used.directory_count + used.file_count, None)
    try:
        with pytest.raises(QuotaExceeded):
            world.put(upload, 3, b"third")
        with pytest.raises(QuotaExceeded):
            world.begin("another")
    finally:
        root.set_quota(world.path, -1, None)
    world.complete(upload, claims)
    assert world.read().content == b"firstsecond"


def test_a_quota_met_by_concat_is_told(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    with pytest.raises(QuotaExceeded):
        complete_over(world, upload, claims, refusing(world.fs, QuotaExceeded("/x")))()
    world.complete(upload, claims)
    assert world.read().content == b"firstsecond"


def test_parts_that_somebody_removed(world: World) -> None:
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second", b"third")

    def fail(name: str, _: object) -> None:
        if name == "concat":
            raise UpstreamFault("not now")

    with pytest.raises(UpstreamFault, match="not now"):
        complete_over(world, upload, claims, Wrapped(world.fs, before=fail))()
    directory = directory_of(world.path, upload.upload_id)
    names = [name for name in world.inside(upload) if name[0].isdigit()]
    world.fs.delete(child_of(directory, names[1]))
    with pytest.raises(UpstreamFault, match="bytes"):
        world.complete(upload, claims)
    world.fs.delete(child_of(directory, names[0]))
    with pytest.raises(UpstreamFault, match="removed"):
        world.complete(upload, claims)
    with pytest.raises(PathNotFound):
        world.fs.status(child_of(world.path, KEY))


# --- what has the object's name


def test_a_directory_in_the_way(world: World) -> None:
    world.fs.mkdirs(HdfsPath(f"{world.path}/{KEY}/inside"))
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    with pytest.raises(NameTaken):
        world.complete(upload, claims)
    assert world.fs.status(child_of(world.path, KEY)).type is FileType.DIRECTORY
    world.fs.delete(child_of(world.path, KEY), recursive=True)
    world.complete(upload, claims)
    assert world.read().content == b"firstsecond"
    assert world.is_clean()


def test_a_file_in_the_way(world: World) -> None:
    world.fs.create(child_of(world.path, "dir"), [b"x"])
    upload = world.begin()
    claims = world.fill(upload, b"first", b"second")
    with pytest.raises(NameTaken):
        world.complete(upload, claims)
    assert world.fs.status(child_of(world.path, "dir")).length == 1
