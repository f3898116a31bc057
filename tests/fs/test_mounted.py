"""What lies behind a mount point: the same as there, and nothing beyond it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from app.core import errors
from app.core.mounts import CrossMount, HoldsMount, ReadOnlyMount, split_id
from app.core.paths import HdfsPath, child_of
from app.fs.documents import Administration
from app.fs.mounted_changing import MountedFileSystem
from app.fs.port import AclChange, FileSystem, Rename
from tests.fs.mounting import names, read, superuser, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fs.mounting import World

READING = {
    "flavor_of", "mount_of", "home", "trash_root", "trash_interval", "status", "check_access",
    "list_page", "content_summary", "checksum", "block_locations", "open", "acl", "xattrs",
    "snapshots", "storage", "document", "datanode_url",
}
CHANGING: dict[str, tuple[Any, ...]] = {
    "create": ([b"x"],), "append": ([b"x"],), "concat": ([],), "truncate": (0,), "take_lease": (),
    "mkdirs": (),
    "rename": ("/free",), "delete": (), "set_permission": ("777",), "set_owner": ("bob", None),
    "set_replication": (2,), "set_times": (1, 1),
    "change_acl": (AclChange.MODIFY, "user:bob:rwx"), "set_xattr": ("user.x", b""),
    "remove_xattr": ("user.x",), "allow_snapshots": (), "create_snapshot": ("s",),
    "rename_snapshot": ("s", "t"), "delete_snapshot": ("s",), "set_quota": (1, 1),
    "administer": (Administration.UNSET_STORAGE_POLICY,),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "set_xattr": {"exists": None}, "allow_snapshots": {"allowed": True},
}


def by_number(fs: FileSystem, path: HdfsPath) -> HdfsPath:
    return HdfsPath(f"/.reserved/.inodes/{fs.status(path).file_id}")


def test_without_mounts_there_is_no_cost(world: World) -> None:
    assert world.fs() is world.own.as_user("alice")
    world.mounted(world.at("m"), world.source())
    assert isinstance(world.fs(), MountedFileSystem)
    world.admin().unmount(world.at("m"))
    assert world.fs() is world.own.as_user("alice")


def test_what_is_written_through_a_mount_lies_there(world: World) -> None:
    source, point = world.source(), world.at("m")
    world.mounted(point, source)
    fs, there = world.fs(), world.there.as_user("alice")
    path = write(fs, child_of(point, "f"))
    assert read(fs, path) == read(there, child_of(source, "f")) == b"hello"
    fs.mkdirs(child_of(point, "d"))
    assert fs.rename(path, HdfsPath(f"{point}/d/f"))
    assert names(fs, child_of(point, "d")) == names(there, child_of(source, "d")) == ["f"]
    with pytest.raises(errors.PathNotFound):
        world.own.as_user(superuser()).status(point)
    world.admin().unmount(point)
    with pytest.raises(errors.PathNotFound):
        world.fs().status(point)
    assert names(there, source) == ["d"]


def test_numbers_are_the_mounts_own(world: World) -> None:
    source, point = world.source(), world.at("m")
    first = world.mounted(point, source)
    second = world.mounted(world.at("n"), source)
    fs, path = world.fs(), child_of(point, "f")
    write(fs, path)
    inode = world.there.as_user("alice").status(child_of(source, "f")).file_id
    assert split_id(fs.status(path).file_id) == (inode, first.mount_id)
    assert split_id(fs.list_page(point).entries[0].file_id) == (inode, first.mount_id)
    assert split_id(fs.status(child_of(world.at("n"), "f")).file_id) == (inode, second.mount_id)
    assert fs.mount_of(path) == fs.mount_of(by_number(fs, path)) == first.mount_id
    assert fs.mount_of(world.area) == 0
    numbered = by_number(fs, path)
    assert fs.status(numbered) == fs.status(path)
    assert read(fs, numbered) == b"hello"
    fs.set_xattr(numbered, "user.x", b"1", exists=None)
    assert fs.xattrs(path) == {"user.x": b"1"}
    fs.create(HdfsPath(f"{by_number(fs, point)}/g"), [b"by number"])
    assert read(fs, child_of(point, "g")) == b"by number"


def test_a_number_is_never_taken_for_that_of_another_cluster(world: World) -> None:
    world.mounted(world.at("m"), world.source())
    fs = world.fs()
    mine, theirs = write(fs, world.at("f"), b"mine"), write(fs, world.at("m", "f"), b"their")
    for path, other in ((mine, theirs), (theirs, mine)):
        with pytest.raises(errors.PathNotFound) as caught:
            fs.open(path, 0, 1, fs.status(other).file_id)
        assert caught.value.path == path
    gone, status = by_number(fs, theirs), fs.status(theirs)
    world.admin().unmount(world.at("m"))
    world.mounted(world.at("m"), world.source("another"))
    fs = world.fs()
    for look in (lambda: fs.status(gone), lambda: fs.delete(gone, recursive=True),
                 lambda: fs.open(theirs, 0, 1, status.file_id)):
        with pytest.raises(errors.PathNotFound):
            look()


def test_errors_name_the_gateways_paths(world: World) -> None:
    source, point = world.source(), world.at("m")
    world.mounted(point, source)
    fs, bob = world.fs(), world.fs("bob")
    path = write(fs, child_of(point, "f"))
    fs.mkdirs(child_of(point, "d"))
    fs.set_permission(child_of(point, "d"), "700")
    none, below = child_of(point, "none"), HdfsPath(f"{point}/d/x")
    numbered = by_number(fs, path)
    fs.delete(path)
    faults: list[tuple[Callable[[], object], HdfsPath]] = [
        (lambda: fs.status(none), none),
        (lambda: fs.list_page(none), none),
        (lambda: fs.open(none, 0, 1), none),
        (lambda: fs.xattrs(numbered), numbered),
        (lambda: fs.create(HdfsPath(f"{numbered}/x"), [b""]), HdfsPath(f"{numbered}/x")),
        (lambda: bob.create(below, [b"x"]), below),
        (lambda: bob.mkdirs(below), below),
        (lambda: fs.append(none, [b"x"]), none),
        (lambda: fs.concat(none, [path]), none),
        (lambda: fs.truncate(none, 0), none),
        (lambda: fs.set_times(none, 1, 1), none),
        (lambda: fs.create(point, [b"x"], overwrite=True), point),
        (lambda: bob.create_snapshot(point, "s"), point),
    ]
    if fs.flavor_of(point).rename_options:
        nowhere = HdfsPath(f"{none}/f")
        faults += [
            (lambda: fs.rename(child_of(point, "d"), nowhere, Rename.NEW), none),
            (lambda: fs.rename(none, path, Rename.NEW), none),
            (lambda: fs.rename(child_of(point, "d"), point, Rename.NEW), point),
        ]
    for call, expected in faults:
        with pytest.raises(errors.GatewayError) as caught:
            call()
        assert getattr(caught.value, "path", expected) == expected
        assert world.lies not in str(caught.value)
    write(fs, child_of(point, "a,b"))
    write(fs, path)
    with pytest.raises(errors.Unsupported, match="comma") as comma:
        fs.concat(path, [child_of(point, "a,b")])
    assert world.lies not in str(comma.value)


def test_when_the_source_is_gone_the_mount_point_is_told(world: World) -> None:
    source, point = world.source(), world.at("m")
    world.mounted(point, source)
    world.there.as_user("alice").delete(source)
    fs = world.fs()
    with pytest.raises(errors.PathNotFound) as caught:
        fs.status(point)
    assert caught.value.path == point
    assert names(fs, world.area) == ["m"]


def test_what_a_body_raises_goes_on_as_it_is(world: World) -> None:
    world.mounted(world.at("m"), world.source())
    fs = world.fs()

    def body() -> Iterator[bytes]:
        yield b"x" * 100
        raise errors.PathNotFound("/somewhere/else")

    for call in (lambda: fs.create(world.at("m", "f"), body()),
                 lambda: fs.append(world.at("m", "f"), body())):
        with pytest.raises(errors.PathNotFound) as caught:
            call()
        assert caught.value.path == "/somewhere/else"
    assert fs.status(world.at("m", "f")).length == 200


def test_a_mount_opens_nothing_to_who_may_not_go_there(world: World) -> None:
    fs = world.fs()
    fs.mkdirs(world.at("private"))
    fs.set_permission(world.at("private"), "700")
    point = world.at("private", "m")
    world.mounted(point, world.source())
    world.mounted(child_of(point, "inner"), world.source("inner"))
    path = write(world.fs(), HdfsPath(f"{point}/inner/f"))
    fs, bob = world.fs(), world.fs("bob")
    for one in (point, path, by_number(fs, path), by_number(fs, point)):
        for call in (lambda one=one: bob.status(one), lambda one=one: bob.xattrs(one),
                     lambda one=one: bob.delete(one), lambda one=one: bob.open(one, 0, 1),
                     lambda one=one: bob.list_page(one), lambda one=one: bob.mkdirs(one)):
            with pytest.raises(errors.AccessDenied) as caught:
                call()
            assert caught.value.path == world.at("private")
    assert read(fs, path) == b"hello"
    fs.set_permission(world.at("private"), "711")
    bob = world.fs("bob")
    assert bob.status(path).length == 5
    with pytest.raises(errors.AccessDenied):
        bob.delete(path)


def test_the_mapped_user_asks_there_too(world: World) -> None:
    source, point = world.source(), world.at("m")
    world.mounted(point, source)
    path = write(world.fs(), child_of(point, "f"))
    world.fs().set_permission(path, "600")
    bob = world.fs("bob")
    for call in (lambda: bob.open(path, 0, 1), lambda: bob.delete(path),
                 lambda: write(bob, child_of(point, "g")), lambda: bob.set_permission(path, "777"),
                 lambda: bob.check_access(path, "r--")):
        with pytest.raises(errors.AccessDenied):
            call()


def test_all_of_the_port_is_there() -> None:
    port = {name for name, _ in inspect.getmembers(FileSystem, inspect.isfunction)
            if not name.startswith("_")}
    assert port == READING | CHANGING.keys()
    for name in port:
        wanted = inspect.signature(getattr(FileSystem, name)).parameters
        assert list(inspect.signature(getattr(MountedFileSystem, name)).parameters) == list(wanted)


@pytest.mark.parametrize("method", sorted(CHANGING))
def test_nothing_changes_in_a_read_only_mount(world: World, method: str) -> None:
    source, point = world.source(), world.at("m")
    there = world.there.as_user("alice")
    write(there, child_of(source, "f"))
    there.mkdirs(child_of(source, "d"))
    world.mounted(point, source, read_only=True)
    fs = world.fs(superuser())
    before = names(there, source), there.status(child_of(source, "f"))
    for path in (point, child_of(point, "f"), child_of(point, "d"), child_of(point, "new"),
                 by_number(fs, child_of(point, "f")), by_number(fs, point),
                 HdfsPath(f"{by_number(fs, point)}/new")):
        with pytest.raises(ReadOnlyMount) as caught:
            getattr(fs, method)(path, *CHANGING[method], **OPTIONS.get(method, {}))
        assert (caught.value.path, caught.value.mount) == (path, point)
    assert (names(there, source), there.status(child_of(source, "f"))) == before


def test_nothing_goes_into_a_read_only_mount(world: World) -> None:
    world.mounted(world.at("m"), world.source(), read_only=True)
    world.mounted(world.at("n"), world.source("n"))
    fs = world.fs()
    path = write(fs, world.at("n", "f"))
    with pytest.raises(ReadOnlyMount):
        fs.rename(path, world.at("m", "f"))
    with pytest.raises(ReadOnlyMount):
        fs.concat(path, [world.at("m", "f")])
    for action in ("-w-", "rw-", "rwx"):
        with pytest.raises(ReadOnlyMount):
            fs.check_access(world.at("m"), action)
    fs.check_access(world.at("m"), "r-x")


def test_no_rename_leaves_its_cluster(world: World) -> None:
    world.mounted(world.at("m"), world.source())
    world.mounted(world.at("n"), world.source("n"))
    fs = world.fs()
    mine, theirs = write(fs, world.at("f")), write(fs, world.at("m", "f"))
    for old, new in ((mine, world.at("m", "g")), (theirs, world.at("g")), (mine, world.at("m"))):
        with pytest.raises(CrossMount) as caught:
            fs.rename(old, new)
        assert (caught.value.path, caught.value.destination) == (old, new)
    with pytest.raises(CrossMount):
        fs.concat(mine, [theirs])
    # Two mounts of one cluster are no border.
    assert fs.rename(theirs, world.at("n", "g"))
    assert read(fs, world.at("n", "g")) == b"hello"
    # Into an existing directory, as HDFS does it: the mount point is one.
    assert fs.rename(world.at("n", "g"), world.at("m"))
    assert read(fs, world.at("m", "g")) == b"hello"


def test_mount_points_stay_where_they_are(world: World) -> None:
    fs = world.fs()
    fs.mkdirs(world.at("d", "e"))
    world.mounted(world.at("d", "e", "m"), world.source())
    world.mounted(world.at("d", "e", "m", "inner"), world.source("inner"))
    fs, point = world.fs(), world.at("d", "e", "m")
    fs.mkdirs(world.at("empty"))
    held = [point, world.at("d", "e"), world.at("d"), child_of(point, "inner")]
    for path in [*held, *(by_number(fs, path) for path in held)]:
        for call in (lambda path=path: fs.delete(path, recursive=True),
                     lambda path=path: fs.delete(path),
                     lambda path=path: fs.rename(path, world.at("elsewhere"))):
            with pytest.raises(HoldsMount) as caught:
                call()
            assert caught.value.path == path
    with pytest.raises(HoldsMount):
        fs.rename(world.at("empty"), world.at("d", "e"), Rename.REPLACE)
    # What would lie below the mount point, where nobody sees it, is not moved there.
    fs.mkdirs(world.at("m"))
    assert not fs.rename(world.at("m"), world.at("d", "e"))
    assert names(fs, world.at("d", "e")) == ["m"]
    assert names(fs, point) == ["inner"]
    with pytest.raises(errors.AlreadyExists):
        fs.mkdirs(write(fs, world.at("f")))
    fs.mkdirs(world.at("d", "e"))
    fs.mkdirs(point)
    assert fs.delete(by_number(fs, world.at("empty")))


def test_what_holds_mounts_stays_however_it_is_called(world: World) -> None:
    source = world.source()
    world.there.as_user("alice").mkdirs(HdfsPath(f"{source}/holder"))
    world.mounted(world.at("all"), HdfsPath("/"))
    holder = world.at("all", source[1:], "holder")
    world.mounted(HdfsPath(f"{holder}/inner"), world.source("inner"))
    fs = world.fs()
    number = world.there.as_user("alice").status(HdfsPath(f"{source}/holder")).file_id
    by_number = world.at("all", f".reserved/.inodes/{number}")
    assert fs.status(by_number).file_id == fs.status(holder).file_id
    for path in (holder, by_number):
        with pytest.raises(HoldsMount):
            fs.delete(path, recursive=True)
        with pytest.raises(HoldsMount):
            fs.rename(path, world.at("all", source[1:], "moved"))


def test_what_holds_mounts_counts_them(world: World) -> None:
    fs = world.fs()
    fs.mkdirs(world.at("d"))
    write(fs, world.at("d", "f"), b"12345")
    source = world.source()
    write(world.there.as_user("alice"), child_of(source, "g"), b"123")
    world.mounted(world.at("d", "m"), source)
    world.mounted(world.at("d", "m", "inner"), world.source("inner"))
    fs = world.fs()
    for path in (world.area, world.at("d")):
        summary = fs.content_summary(path)
        extra = int(path == world.area)
        assert (summary.directory_count, summary.file_count, summary.length) == (3 + extra, 2, 8)
    assert fs.content_summary(world.at("d", "m")).directory_count == 2
    assert fs.content_summary(world.at("d", "m", "inner")).directory_count == 1
    counts = [fs.status(world.at("d")).children, fs.status(world.at("d", "m")).children,
              fs.list_page(world.area).entries[0].children]
    assert counts in ([2, 2, 2], [-1, -1, -1])


def test_snapshots_are_called_as_the_gateway_does(world: World) -> None:
    source, point = world.source(), world.at("m")
    world.mounted(point, source)
    world.there.as_user(superuser()).allow_snapshots(source, allowed=True)
    fs = world.fs()
    write(fs, child_of(point, "f"))
    assert fs.create_snapshot(point, "s") == f"{point}/.snapshot/s"
    assert [one.name for one in fs.snapshots(point)] == ["s"]
    assert read(fs, HdfsPath(f"{point}/.snapshot/s/f")) == b"hello"
    fs.delete_snapshot(point, "s")
    world.there.as_user(superuser()).allow_snapshots(source, allowed=False)


def test_a_mount_whose_parent_others_have_moved_waits_to_be_unmounted(world: World) -> None:
    world.fs().mkdirs(world.at("d"))
    source = world.source()
    world.mounted(world.at("d", "m"), source)
    path = write(world.fs(), world.at("d", "m", "f"))
    world.own.as_user("alice").rename(world.at("d"), world.at("moved"))
    fs = world.fs()
    for look in (lambda: fs.status(path), lambda: fs.delete(path), lambda: fs.open(path, 0, 1),
                 lambda: fs.list_page(world.at("d"))):
        with pytest.raises(errors.PathNotFound) as caught:
            look()
        assert caught.value.path == world.at("d")
    assert names(fs, world.area) == ["moved"]
    assert names(fs, world.at("moved")) == []
    assert names(world.there.as_user("alice"), source) == ["f"]
    world.admin().unmount(world.at("d", "m"))
    assert not world.mounts.table()


def test_trash_stays_on_its_side(world: World) -> None:
    root = world.there.as_user(superuser())
    root.mkdirs(HdfsPath("/user/alice"), "755")
    root.set_owner(HdfsPath("/user/alice"), "alice", None)
    world.mounted(world.at("all"), HdfsPath("/"))
    world.mounted(world.at("part"), world.source())
    fs = world.fs()
    if world.there.as_user("alice").trash_interval() > 0:
        assert fs.trash_root(world.at("all", "x")) == world.at("all", "user", "alice", ".Trash")
    with pytest.raises(errors.TrashDisabled) as caught:
        fs.trash_root(world.at("part", "x"))
    assert caught.value.path == world.at("part", "x")
    assert fs.trash_root(world.at("x")) == "/user/alice/.Trash"
