"""Every method of the port, over the embedded server, a real NameNode and a real HttpFS."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from typing import TYPE_CHECKING, NamedTuple

import pytest

from app.core import errors
from app.core.model import FileType
from app.core.paths import HdfsPath, name_of
from app.fs.port import AclChange, Rename
from tests.fs.conftest import superuser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.webhdfs import WebHdfsBackend

AWKWARD = [
    "two words", "100%", "%41", "a+b", "a#b", "a?b", "a;b", "a&b=c", "back\\slash", "\"quoted'",
    "new\nline", "tab\tbed", "😀", "e\u0301", "\u00e9", "#LATEST", "~tilde", "...", "[x]{y}|^`<>",
    "x" * 255,
]


class Room(NamedTuple):
    """A directory of alice's own, and the file systems of who may come in."""

    alice: WebHdfsFileSystem
    bob: WebHdfsFileSystem
    root: WebHdfsFileSystem
    directory: HdfsPath

    def at(self, *names: str) -> HdfsPath:
        return HdfsPath("/".join((self.directory, *names)))

    def write(self, name: str, content: bytes = b"hello") -> HdfsPath:
        path = self.at(name)
        self.alice.create(path, iter([content]))
        return path

    def read(self, path: HdfsPath, offset: int = 0, length: int | None = None) -> bytes:
        status = self.alice.status(path)
        length = status.length - offset if length is None else length
        source = self.alice.open(path, offset, length, status.file_id)
        try:
            return b"".join(iter(lambda: source.read(100_000), b""))
        finally:
            source.close()


@pytest.fixture
def room(backend: WebHdfsBackend) -> Room:
    directory = HdfsPath(f"/user/alice/{uuid.uuid4().hex}")
    made = Room(backend.as_user("alice"), backend.as_user("bob"), backend.as_user(superuser()),
                directory)
    made.alice.mkdirs(directory, "755")
    return made


def test_probe_and_home(backend: WebHdfsBackend) -> None:
    backend.probe(5.0)
    alice = backend.as_user("alice")
    assert alice.user == "alice"
    assert alice.home() == "/user/alice"
    assert alice.trash_root(HdfsPath("/user/alice/x")).startswith("/user/alice/.Trash")
    assert alice.trash_interval() >= 0


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names(room: Room, name: str) -> None:
    directory = room.at(name)
    room.alice.mkdirs(directory)
    path = HdfsPath(f"{directory}/{name}")
    room.alice.create(path, iter([b"con", b"tent"]))
    assert room.read(path) == b"content"
    assert [entry.path_suffix for entry in room.alice.list_page(directory).entries] == [name]
    assert room.alice.rename(path, room.at(f"{name[:200]}!"))
    assert room.read(room.at(f"{name[:200]}!")) == b"content"
    assert room.alice.delete(directory)
    assert not room.alice.delete(directory)


def test_deep_paths_beyond_the_datanodes_request_line(room: Room) -> None:
    path = HdfsPath(room.directory + "".join(f"/{'é' * 120}{i}" for i in range(8)) + "/file")
    room.alice.create(path, iter([b"deep"]))
    room.alice.append(path, iter([b"er"]))
    assert room.read(path) == b"deeper"
    assert room.alice.checksum(path).length == 28


def test_status(room: Room) -> None:
    path = room.write("f")
    status = room.alice.status(path)
    assert (status.type, status.path_suffix, status.length, status.owner) == (
        FileType.FILE, "", 5, "alice")
    assert status.file_id > 0
    assert abs(status.modification_time / 1000 - time.time()) < 60
    assert room.alice.status(room.directory).is_directory
    with pytest.raises(errors.PathNotFound):
        room.alice.status(room.at("none"))
    with pytest.raises(errors.PathNotFound):
        room.alice.status(HdfsPath(f"{path}/below"))


def test_permissions(room: Room) -> None:
    path = room.write("f")
    room.alice.set_permission(path, "600")
    assert room.alice.status(path).permission == "600"
    room.alice.set_permission(room.directory, "1777")
    assert room.alice.status(room.directory).permission == "1777"
    room.alice.set_permission(room.directory, "700")
    for denied in (
        lambda: room.bob.status(path),
        lambda: room.bob.list_page(room.directory),
        lambda: room.bob.open(path, 0, 1, 0),
        lambda: room.bob.create(room.at("new"), iter([b"x"])),
        lambda: room.bob.append(path, iter([b"x"])),
        lambda: room.bob.mkdirs(room.at("new")),
        lambda: room.bob.rename(path, HdfsPath("/user/bob/x")),
        lambda: room.bob.delete(path),
        lambda: room.bob.set_permission(path, "777"),
        lambda: room.bob.set_owner(path, "bob", None),
    ):
        with pytest.raises(errors.AccessDenied):
            denied()
    assert room.read(path) == b"hello"


def test_listing_in_pages(room: Room) -> None:
    names = ["a", "b", "c", "é", "😀", "Z"]
    for name in names:
        room.write(name)
    page = room.alice.list_page(room.directory)
    assert (sorted(entry.path_suffix for entry in page.entries), page.remaining) == (
        sorted(names), 0)
    order = [entry.path_suffix for entry in page.entries]
    for i, name in enumerate(order):
        rest = room.alice.list_page(room.directory, name)
        assert [entry.path_suffix for entry in rest.entries] == order[i + 1:]
    assert [e.path_suffix for e in room.alice.list_page(room.directory, "b!").entries] == (
        order[order.index("c"):])
    assert [entry.path_suffix for entry in room.alice.list_page(room.at("a")).entries] == [""]
    with pytest.raises(errors.PathNotFound):
        room.alice.list_page(room.at("none"))


def test_a_listing_after_a_path_by_number_does_not_tell_its_name(room: Room) -> None:
    for name in ("a", "m", "z"):
        room.write(name)
    number = room.alice.status(room.at("m")).file_id or 16385
    for after in (f"/.reserved/.inodes/{number}", "/.reserved/.inodes/999999999", "/m", "/"):
        entries = room.alice.list_page(room.directory, after).entries
        assert [entry.path_suffix for entry in entries] == ["a", "m", "z"], after


def test_summary_and_checksum(room: Room) -> None:
    path = room.write("f", bytes(1000))
    summary = room.alice.content_summary(room.directory)
    assert (summary.directory_count, summary.file_count, summary.length) == (1, 1, 1000)
    checksum = room.alice.checksum(path)
    assert (checksum.length, len(checksum.value)) == (28, 56)
    assert checksum.algorithm == "MD5-of-0MD5-of-512CRC32C"
    assert checksum == room.alice.checksum(room.write("g", bytes(1000)))
    with pytest.raises(errors.NotAFile):
        room.alice.checksum(room.directory)
    with pytest.raises(errors.PathNotFound):
        room.alice.checksum(room.at("none"))


def test_ranges_of_a_file(room: Room) -> None:
    content = os.urandom(3_000_000)
    path = room.write("f", content)
    assert room.read(path) == content
    assert room.read(path, 1_999_990, 20) == content[1_999_990:2_000_010]
    assert room.read(path, 2_999_999) == content[-1:]


def test_a_file_is_read_by_path_too(room: Room) -> None:
    path = room.write("f", os.urandom(500_000))
    source = room.alice.open(path, 0, 500_000)
    assert sum(map(len, iter(lambda: source.read(64_000), b""))) == 500_000


def test_opening_what_cannot_be(room: Room) -> None:
    with pytest.raises(errors.PathNotFound):
        room.alice.open(room.at("none"), 0, 1)
    with pytest.raises(errors.NotAFile):
        room.alice.open(room.directory, 0, 1)
    path = room.write("f")
    with pytest.raises(errors.UpstreamFault):
        _ = room.read(path, 0, 10)


def test_an_inode_is_read_even_where_its_name_was_given_to_another(room: Room) -> None:
    path = room.write("f", b"old")
    file_id = room.alice.status(path).file_id
    assert room.alice.rename(path, room.at("kept"))
    room.write("f", b"new")
    assert room.alice.open(path, 0, 3, file_id).read(10) == b"old"
    assert room.alice.delete(room.at("kept"))
    with pytest.raises(errors.PathNotFound):
        room.alice.open(path, 0, 3, file_id)


def test_creating(room: Room) -> None:
    path = room.at("new", "parents", "f")
    room.alice.create(path, iter([]), permission="640", replication=1, block_size=1 << 32)
    status = room.alice.status(path)
    assert (status.length, status.permission, status.block_size) == (0, "640", 1 << 32)
    with pytest.raises(errors.AlreadyExists):
        room.alice.create(path, iter([b"other"]))
    assert room.alice.status(path).length == 0
    room.alice.create(path, iter([b"other"]), overwrite=True)
    assert room.read(path) == b"other"
    with pytest.raises(errors.IsADirectory):
        room.alice.create(room.directory, iter([b"x"]), overwrite=True)
    with pytest.raises(errors.NotADirectory):
        room.alice.create(HdfsPath(f"{path}/below"), iter([b"x"]))


def test_big_bodies_arrive_whole(room: Room) -> None:
    piece = os.urandom(1 << 20)
    digest = hashlib.md5(piece * 20, usedforsecurity=False).digest()
    path = room.at("big")
    room.alice.create(path, (piece for _ in range(20)))
    assert hashlib.md5(room.read(path), usedforsecurity=False).digest() == digest


def test_a_broken_body_closes_the_file_with_what_it_has(room: Room) -> None:
    class ClientGoneError(Exception):
        pass

    def body() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ClientGoneError

    path = room.at("broken")
    with pytest.raises(ClientGoneError):
        room.alice.create(path, body())
    assert room.alice.status(path).length == 100_000
    assert room.alice.delete(path)
    time.sleep(0.05)
    with pytest.raises(errors.PathNotFound):
        room.alice.status(path)


def test_appending(room: Room) -> None:
    path = room.write("f")
    room.alice.append(path, iter([b" wor", b"ld"]))
    assert room.read(path) == b"hello world"
    with pytest.raises(errors.PathNotFound):
        room.alice.append(room.at("none"), iter([b"x"]))


def test_a_file_that_is_being_written_is_busy(room: Room) -> None:
    path = room.at("f")
    seen: list[BaseException] = []

    def body() -> Iterator[bytes]:
        yield b"x" * 200_000
        deadline = time.monotonic() + 10
        while not seen and time.monotonic() < deadline:
            try:
                room.alice.append(path, iter([b"y"]))
            except errors.PathNotFound:
                time.sleep(0.01)
            except errors.GatewayError as error:
                seen.append(error)

    room.alice.create(path, body())
    assert [type(error) for error in seen] == [errors.FileBusy]
    assert room.alice.status(path).length == 200_000


def test_joining(room: Room) -> None:
    target, first, second = room.write("t", b"1"), room.write("a", b"2"), room.write("b c", b"3")
    room.alice.concat(target, [first, second])
    assert room.read(target) == b"123"
    for gone in (first, second):
        with pytest.raises(errors.PathNotFound):
            room.alice.status(gone)
    with pytest.raises(errors.PathNotFound):
        room.alice.concat(target, [room.at("none")])
    with pytest.raises(errors.InvalidRequest):
        room.alice.concat(target, [room.write("empty", b"")])


def test_cutting(room: Room) -> None:
    path = room.write("f", b"hello world")
    room.alice.truncate(path, 5)
    deadline = time.monotonic() + 20
    while room.alice.status(path).length != 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert room.read(path) == b"hello"
    with pytest.raises(errors.PathNotFound):
        room.alice.truncate(room.at("none"), 0)
    with pytest.raises(errors.NotAFile):
        room.alice.truncate(room.directory, 0)


def test_making_directories(room: Room) -> None:
    room.alice.mkdirs(room.at("a", "b"), "750")
    room.alice.mkdirs(room.at("a", "b"))
    assert room.alice.status(room.at("a", "b")).permission == "750"
    path = room.write("f")
    with pytest.raises(errors.AlreadyExists):
        room.alice.mkdirs(path)
    with pytest.raises(errors.NotADirectory):
        room.alice.mkdirs(HdfsPath(f"{path}/below"))


def test_moving(room: Room) -> None:
    path, other = room.write("f"), room.write("g", b"other")
    room.alice.mkdirs(room.at("d"))
    assert not room.alice.rename(path, other)
    assert not room.alice.rename(room.at("none"), room.at("x"))
    assert room.alice.rename(path, room.at("d"))
    assert room.read(room.at("d", "f")) == b"hello"
    assert room.read(other) == b"other"


def test_names_that_end_in_white_space(room: Room) -> None:
    for end in (" ", "\n", "\t ", " \u00a0"):
        path, moved = room.write(f"a{end}"), room.at(f"b{end}")
        assert room.alice.rename(path, moved)
        assert room.read(moved) == b"hello"
        target = room.write(f"t{end}")
        room.alice.concat(target, [room.write("s"), moved])
        assert room.read(target) == b"hello" * 3


def test_renaming_with_options(room: Room) -> None:
    path, other = room.write("f"), room.write("g", b"other")
    room.alice.mkdirs(room.at("d"))
    if not room.alice.flavor_of(room.directory).rename_options:
        for mode in (Rename.NEW, Rename.REPLACE):
            with pytest.raises(errors.Unsupported):
                room.alice.rename(path, other, mode)
        assert room.read(path) == b"hello"
        return
    for taken in (other, room.at("d")):
        with pytest.raises(errors.AlreadyExists) as caught:
            room.alice.rename(path, taken, Rename.NEW)
        assert caught.value.path == taken
    with pytest.raises(errors.Conflict):
        room.alice.rename(path, room.at("d"), Rename.REPLACE)
    with pytest.raises(errors.PathNotFound) as missing:
        room.alice.rename(path, room.at("no", "where"), Rename.NEW)
    assert missing.value.path == room.at("no")
    with pytest.raises(errors.PathNotFound) as gone:
        room.alice.rename(room.at("none"), room.at("x"), Rename.REPLACE)
    assert gone.value.path == room.at("none")
    with pytest.raises(errors.NotADirectory):
        room.alice.rename(path, HdfsPath(f"{other}/below"), Rename.NEW)
    assert room.alice.rename(path, other, Rename.REPLACE)
    assert room.read(other) == b"hello"
    assert room.alice.rename(other, room.at("new"), Rename.NEW)
    assert [name_of(room.at(e.path_suffix)) for e in room.alice.list_page(
        room.directory).entries] == ["d", "new"]


def test_deleting(room: Room) -> None:
    room.write("f")
    with pytest.raises(errors.DirectoryNotEmpty):
        room.alice.delete(room.directory)
    assert not room.alice.delete(room.at("f", "below"))
    assert room.alice.delete(room.directory, recursive=True)
    assert not room.alice.delete(room.directory, recursive=True)


def test_owners_replication_times(room: Room) -> None:
    path = room.write("f")
    room.root.set_owner(path, "carol", "staff")
    room.root.set_owner(path, None, "people")
    assert room.alice.status(path)[7:9] == ("carol", "people")
    room.root.set_owner(path, "alice", None)
    assert room.alice.set_replication(path, 2)
    assert room.alice.status(path).replication == 2
    assert not room.alice.set_replication(room.directory, 2)
    assert not room.alice.set_replication(room.at("none"), 2)
    room.alice.set_times(path, 1_000_000, 2_000_000)
    room.alice.set_times(path, 3_000_000, None)
    status = room.alice.status(path)
    assert (status.modification_time, status.access_time) == (3_000_000, 2_000_000)
    for missing in (lambda: room.alice.set_times(room.at("none"), 1, 1),
                    lambda: room.alice.set_permission(room.at("none"), "600"),
                    lambda: room.root.set_owner(room.at("none"), "bob", None)):
        with pytest.raises(errors.PathNotFound):
            missing()


def test_acls(room: Room) -> None:
    room.alice.set_permission(room.directory, "750")
    room.alice.change_acl(room.directory, AclChange.MODIFY, "user:bob:r-x,default:user:bob:r--")
    acl = room.alice.acl(room.directory)
    assert (acl.owner, acl.sticky) == ("alice", False)
    assert {"user:bob:r-x", "default:user:bob:r--"} <= set(acl.entries)
    assert room.alice.status(room.directory).acl
    room.bob.list_page(room.directory)
    room.alice.change_acl(room.directory, AclChange.REMOVE_DEFAULT, None)
    room.alice.change_acl(room.directory, AclChange.REMOVE_ENTRIES, "user:bob:")
    with pytest.raises(errors.AccessDenied):
        room.bob.list_page(room.directory)
    room.alice.change_acl(
        room.directory, AclChange.SET, "user::rwx,group::r-x,other::---,user:bob:r-x")
    room.bob.list_page(room.directory)
    room.alice.change_acl(room.directory, AclChange.REMOVE, None)
    assert not room.alice.acl(room.directory).entries
    with pytest.raises(errors.InvalidRequest):
        room.alice.change_acl(room.directory, AclChange.SET, "nonsense")


def test_xattrs(room: Room) -> None:
    path = room.write("f")
    everything = bytes(range(256))
    room.alice.set_xattr(path, "user.ä b", everything, exists=False)
    room.alice.set_xattr(path, "user.b", b"", exists=None)
    assert room.alice.xattrs(path) == {"user.ä b": everything, "user.b": b""}
    assert room.alice.xattrs(path, ["user.b"]) == {"user.b": b""}
    room.alice.set_xattr(path, "user.b", b"2", exists=True)
    room.alice.set_xattr(path, "user.b", b"3", exists=None)
    assert room.alice.xattrs(path, ["user.b", "user.ä b"])["user.b"] == b"3"
    with pytest.raises(errors.AlreadyExists):
        room.alice.set_xattr(path, "user.b", b"", exists=False)
    for missing in (lambda: room.alice.set_xattr(path, "user.c", b"", exists=True),
                    lambda: room.alice.xattrs(path, ["user.c"]),
                    lambda: room.alice.remove_xattr(path, "user.c")):
        with pytest.raises(errors.AttributeNotFound):
            missing()
    room.alice.remove_xattr(path, "user.b")
    assert set(room.alice.xattrs(path)) == {"user.ä b"}


def test_snapshots(room: Room) -> None:
    path = room.write("f", b"before")
    with pytest.raises(errors.Conflict):
        room.alice.create_snapshot(room.directory, "s")
    with pytest.raises(errors.AccessDenied):
        room.alice.allow_snapshots(room.directory, allowed=True)
    room.root.allow_snapshots(room.directory, allowed=True)
    assert room.alice.create_snapshot(room.directory, "s") == room.at(".snapshot", "s")
    with pytest.raises(errors.Conflict):
        room.alice.create_snapshot(room.directory, "s")
    room.alice.create(path, iter([b"after"]), overwrite=True)
    assert room.read(room.at(".snapshot", "s", "f")) == b"before"
    assert room.read(path) == b"after"
    room.alice.rename_snapshot(room.directory, "s", "t")
    assert [(s.name, s.deleted) for s in room.alice.snapshots(room.directory)] == [("t", False)]
    assert room.alice.create_snapshot(room.directory, None).startswith(room.at(".snapshot", "s"))
    with pytest.raises(errors.Conflict):
        room.alice.delete(room.directory, recursive=True)
    for missing in (lambda: room.alice.delete_snapshot(room.directory, "none"),
                    lambda: room.alice.rename_snapshot(room.directory, "none", "x")):
        with pytest.raises(errors.AttributeNotFound):
            missing()
    for snapshot in room.alice.snapshots(room.directory):
        room.alice.delete_snapshot(room.directory, snapshot.name)
    room.root.allow_snapshots(room.directory, allowed=False)


def test_quotas(room: Room) -> None:
    if not room.root.flavor_of(room.directory).quotas:
        with pytest.raises(errors.Unsupported):
            room.root.set_quota(room.directory, 2, None)
        return
    room.root.set_quota(room.directory, 2, None)
    room.root.set_quota(room.directory, None, 1 << 30)
    summary = room.alice.content_summary(room.directory)
    assert (summary.quota, summary.space_quota) == (2, 1 << 30)
    room.alice.mkdirs(room.at("one"))
    with pytest.raises(errors.QuotaExceeded):
        room.alice.mkdirs(room.at("two"))
    with pytest.raises(errors.QuotaExceeded):
        room.alice.create(room.at("three"), iter([b"x"]))
    room.root.set_quota(room.directory, -1, 1)
    with pytest.raises(errors.QuotaExceeded):
        room.alice.create(room.at("three"), iter([b"x"]))
    room.root.set_quota(room.directory, None, -1)
    summary = room.alice.content_summary(room.directory)
    assert (summary.quota, summary.space_quota) == (-1, -1)
    with pytest.raises(errors.AccessDenied):
        room.alice.set_quota(room.directory, 5, None)


def test_as_a_service_user(room: Room, service_backend: WebHdfsBackend) -> None:
    alice = service_backend.as_user("alice")
    path = room.at("by the service")
    alice.create(path, iter([b"x"]))
    assert alice.status(path).owner == "alice"
    assert alice.open(path, 0, 1, alice.status(path).file_id).read(5) == b"x"
