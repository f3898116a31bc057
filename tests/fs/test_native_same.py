"""By RPC and by WebHDFS the same comes of everything: results, errors, and what HDFS said."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from app.core.errors import GatewayError, PathError
from app.core.paths import HdfsPath
from app.fs.port import AclChange, Rename
from app.fs.webhdfs import WebHdfsBackend
from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.ipc import Identity
from app.hadoop.ipc_pool import Caller, Limits
from app.settings import BackendSettings
from tests.fs.mounting import superuser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.model import FileStatus
    from app.fs.filesystem import WebHdfsFileSystem
    from tests.hadoop.cluster import Cluster

pytestmark = pytest.mark.hadoop
WAYS = {"rpc": ("auto",), "webhdfs": ("off",)}


class Place(NamedTuple):
    """A directory of alice's with the same in it by either way, and who looks at it."""

    alice: WebHdfsFileSystem
    bob: WebHdfsFileSystem
    root: WebHdfsFileSystem
    at: str

    def __call__(self, name: str) -> HdfsPath:
        """Return a path in it, or an absolute one."""
        return HdfsPath(name if name.startswith("/") else f"{self.at}/{name}")


class Ways(NamedTuple):
    """The backends, and alice at the NameNode: to make a file by WebHDFS takes half a second."""

    backends: dict[str, WebHdfsBackend]
    quick: NameNodeClient


@pytest.fixture(scope="module")
def ways(hadoop: Cluster) -> Iterator[Ways]:
    """Yield a backend for either way."""
    yield from both(hadoop, "")


@pytest.fixture(scope="module")
def ways_on_behalf(hadoop: Cluster) -> Iterator[Ways]:
    """Yield the same, asked by a service user."""
    yield from both(hadoop, "gateway")


def both(hadoop: Cluster, service: str) -> Iterator[Ways]:
    """Yield a backend for either way, whose lane is open."""
    made = {way: WebHdfsBackend(BackendSettings(
        url=(hadoop.namenode_url,), rpc=rpc, service_user=service)) for way, rpc in WAYS.items()}
    with closing(made["rpc"]) as by_rpc, closing(made["webhdfs"]):
        assert by_rpc.lanes is not None
        assert by_rpc.lanes.now.ready()
        caller = Caller(("127.0.0.1", hadoop.rpc_port), Limits())
        yield Ways(made, NameNodeClient(caller, Identity("alice")))
        caller.close()


def furnished(ways: Ways, way: str) -> Place:
    """Return a new place."""
    backend = ways.backends[way]
    alice, bob, root = (backend.as_user(user) for user in ("alice", "bob", superuser()))
    place = Place(alice, bob, root, f"/user/alice/{uuid.uuid4().hex}")
    alice.mkdirs(place("dir/full"), "755")
    alice.mkdirs(place("empty"), "755")
    alice.mkdirs(place("shut"), "700")
    alice.mkdirs(place("sticky"), "1777")
    alice.mkdirs(place("inheriting"), "775")
    alice.change_acl(place("inheriting"), AclChange.MODIFY, "default:user:bob:rwx")
    for name in ("file", "other", "dir/full/file", "shut/file"):
        made = ways.quick.create(place(name), "test", mode=0o644, unmasked=None, overwrite=False,
                                 replication=1, block_size=1024 * 1024)
        assert ways.quick.complete(place(name), "test", made.file_id, None)
    alice.set_xattr(place("file"), "user.one", b"1", exists=False)
    return place


def shown(status: FileStatus) -> Any:
    """Return what of a status does not depend on when and where it is asked."""
    return status._replace(access_time=0, modification_time=0, file_id=0)


def read(fs: WebHdfsFileSystem, path: HdfsPath, offset: int = 0, length: int = 0) -> bytes:
    """Return bytes of a file by its number."""
    status = fs.status(path)
    with closing(fs.open(path, offset, length or status.length, status.file_id)) as source:
        return b"".join(iter(lambda: source.read(100_000), b""))


class BodyError(Exception):
    """What a body raises."""


def breaking(fs: WebHdfsFileSystem, path: HdfsPath, *pieces: bytes) -> None:
    """Write a body that raises in the end."""
    def body() -> Iterator[bytes]:
        yield from pieces
        raise BodyError

    with pytest.raises(BodyError):
        fs.create(path, body())


ACTS: dict[str, Callable[[Place], Any]] = {
    "status of a file": lambda p: shown(p.alice.status(p("file"))),
    "status of a directory": lambda p: shown(p.alice.status(p("dir"))),
    "status of the root": lambda p: p.root.status(p("/")),
    "status of what has an ACL": lambda p: shown(p.alice.status(p("inheriting"))),
    "status of nothing": lambda p: p.alice.status(p("none")),
    "status below nothing": lambda p: p.alice.status(p("none/none")),
    "status below a file": lambda p: p.alice.status(p("file/none")),
    "status where one may not look": lambda p: p.bob.status(p("shut/file")),
    "status by number": lambda p: shown(p.alice.status(
        p(f"/.reserved/.inodes/{p.alice.status(p('file')).file_id}"))),
    "status of no number": lambda p: p.alice.status(p("/.reserved/.inodes/999999999")),
    "status of a wrong number": lambda p: p.alice.status(p("/.reserved/.inodes/none")),
    "status of the reserved": lambda p: p.alice.status(p("/.reserved")),
    "status of no Unicode": lambda p: p.alice.status(p("\ud800")),
    "status of a long name": lambda p: p.alice.status(p("x" * 300)),
    "status of a colon": lambda p: p.alice.status(p("a:b")),
    "status of a new line": lambda p: p.alice.status(p("a\nb")),
    "status of snapshots of none": lambda p: p.alice.status(p("dir/.snapshot")),
    "status of a name that looks like an error": lambda p: p.alice.status(p("already exists")),
    "access": lambda p: p.alice.check_access(p("file"), "rw-"),
    "access to nothing": lambda p: p.alice.check_access(p("none"), "r--"),
    "access below a file": lambda p: p.alice.check_access(p("file/none"), "r--"),
    "no access": lambda p: p.bob.check_access(p("file"), "-w-"),
    "no access of all kinds": lambda p: p.bob.check_access(p("file"), "rwx"),
    "access of no kind": lambda p: p.alice.check_access(p("file"), "---"),
    "access of a wrong kind": lambda p: p.alice.check_access(p("file"), "abc"),
    "mkdirs": lambda p: (p.alice.mkdirs(p("n/e/w")), shown(p.alice.status(p("n/e/w")))),
    "mkdirs with a mode": lambda p: (
        p.alice.mkdirs(p("n/e/w"), "1750"), shown(p.alice.status(p("n"))),
        shown(p.alice.status(p("n/e/w")))),
    "mkdirs that inherits": lambda p: (
        p.alice.mkdirs(p("inheriting/a")), p.alice.acl(p("inheriting/a"))),
    "mkdirs that inherits by a mode": lambda p: (
        p.alice.mkdirs(p("inheriting/b"), "750"), p.alice.acl(p("inheriting/b"))),
    "mkdirs that inherits beneath a mode": lambda p: (
        p.alice.mkdirs(p("inheriting/c"), "750", "777"), p.alice.acl(p("inheriting/c"))),
    "mkdirs of what is there": lambda p: p.alice.mkdirs(p("dir")),
    "mkdirs of a file": lambda p: p.alice.mkdirs(p("file")),
    "mkdirs below a file": lambda p: p.alice.mkdirs(p("file/new")),
    "mkdirs where one may not": lambda p: p.bob.mkdirs(p("new")),
    "mkdirs of a wrong mode": lambda p: p.alice.mkdirs(p("new"), "4777"),
    "mkdirs of no mode": lambda p: p.alice.mkdirs(p("new"), "rwx"),
    "mkdirs of a long name": lambda p: p.alice.mkdirs(p("x" * 256)),
    "mkdirs of the reserved": lambda p: p.root.mkdirs(p("/.reserved/new")),
    "mkdirs of a snapshot": lambda p: p.alice.mkdirs(p("dir/.snapshot/new")),
    "mkdirs of a colon": lambda p: p.alice.mkdirs(p("a:b")),
    "mkdirs of no Unicode": lambda p: p.alice.mkdirs(p("\ud800")),
    "mkdirs too deep": lambda p: p.alice.mkdirs(p("/".join("d" * 1001))),
    "mkdirs too long": lambda p: p.alice.mkdirs(p("/".join(["d" * 200] * 45))),
    **{f"rename to {target}": (lambda p, target=target: p.alice.rename(p("file"), p(target)))
       for target in ("new", "other", "dir", "dir/full", "file", "file/x", "none/new", "shut/y",
                      "x" * 256, "dir/.snapshot/x", "a:b", "two words ", "\ud800")},
    **{f"rename {mode.value} to {target}": (
        lambda p, target=target, mode=mode: p.alice.rename(p("file"), p(target), mode))
       for target in ("new", "other", "dir", "empty", "file", "file/x", "none/new", "other/x",
                      "x" * 256, "dir/.snapshot/x", "a:b", "two words ", "\ud800")
       for mode in (Rename.NEW, Rename.REPLACE)},
    **{f"rename {source} {mode.value} to {target}": (
        lambda p, source=source, target=target, mode=mode: p.alice.rename(
            p(source), p(target), mode))
       for source, target in (("none", "new"), ("dir", "dir/below"), ("empty", "dir"),
                              ("dir", "empty"), ("dir", "file"), ("/", "new"), ("none", "none"))
       for mode in Rename},
    **{f"rename by a stranger {mode.value}": (lambda p, mode=mode: p.bob.rename(
        p("file"), p("/user/bob/x"), mode)) for mode in Rename},
    "delete": lambda p: (p.alice.delete(p("file")), p.alice.delete(p("file"))),
    "delete what is full": lambda p: p.alice.delete(p("dir")),
    "delete it all": lambda p: p.alice.delete(p("dir"), recursive=True),
    "delete below a file": lambda p: p.alice.delete(p("file/none")),
    "delete the root": lambda p: p.root.delete(p("/"), recursive=True),
    "delete the reserved": lambda p: p.root.delete(p("/.reserved"), recursive=True),
    "delete a snapshot": lambda p: p.alice.delete(p("dir/.snapshot/x"), recursive=True),
    "delete by a stranger": lambda p: p.bob.delete(p("file")),
    "concat": lambda p: (
        p.alice.create(p("end"), iter([b"end"])), p.alice.create(p("full"), iter([b"full"])),
        p.alice.concat(p("full"), [p("end")]), p.alice.status(p("full")).length),
    "concat of what is empty": lambda p: p.alice.concat(p("file"), [p("other")]),
    "concat of nothing": lambda p: p.alice.concat(p("file"), []),
    "concat to nothing": lambda p: p.alice.concat(p("none"), [p("file")]),
    "concat of what is not there": lambda p: p.alice.concat(p("file"), [p("none")]),
    "concat of itself": lambda p: p.alice.concat(p("file"), [p("file")]),
    "concat twice": lambda p: p.alice.concat(p("file"), [p("other"), p("other")]),
    "concat of a directory": lambda p: p.alice.concat(p("file"), [p("dir")]),
    "concat from elsewhere": lambda p: p.alice.concat(p("file"), [p("dir/full/file")]),
    "concat by a stranger": lambda p: p.bob.concat(p("file"), [p("other")]),
    "concat to a directory": lambda p: p.alice.concat(p("dir"), [p("file")]),
    **{f"set permission {mode}": (lambda p, mode=mode: (
        p.alice.set_permission(p("file"), mode), p.alice.status(p("file")).permission))
       for mode in ("0", "7", "600", "0644", "1777", "01777", "4755", "8", "")},
    "set permission of nothing": lambda p: p.alice.set_permission(p("none"), "600"),
    "set permission by a stranger": lambda p: p.bob.set_permission(p("file"), "600"),
    "set owner": lambda p: (p.root.set_owner(p("file"), "carol", "staff"),
                            shown(p.alice.status(p("file")))),
    "set group": lambda p: (p.root.set_owner(p("file"), None, "staff"),
                            shown(p.alice.status(p("file")))),
    "set owner by a user": lambda p: p.alice.set_owner(p("file"), "carol", None),
    "set group by a user": lambda p: p.alice.set_owner(p("file"), None, "strangers"),
    "set no owner": lambda p: p.alice.set_owner(p("file"), None, None),
    "set an empty owner": lambda p: p.root.set_owner(p("file"), "", ""),
    "set an odd owner": lambda p: (p.root.set_owner(p("file"), "x y/é", None),
                                   p.alice.status(p("file")).owner),
    "set owner of nothing": lambda p: p.root.set_owner(p("none"), "carol", None),
    **{f"set replication {factor}": (lambda p, factor=factor: (
        p.alice.set_replication(p("file"), factor), p.alice.status(p("file")).replication))
       for factor in (-1, 0, 1, 3, 513, 40000)},
    "set replication of a directory": lambda p: p.alice.set_replication(p("dir"), 2),
    "set replication of nothing": lambda p: p.alice.set_replication(p("none"), 2),
    "set replication by a stranger": lambda p: p.bob.set_replication(p("file"), 2),
    "open": lambda p: (p.alice.create(p("x"), iter([b"a", b"", b"bc"])), read(p.alice, p("x"))),
    "open from the middle": lambda p: (
        p.alice.create(p("x"), iter([b"content"])), read(p.alice, p("x"), 2, 3)),
    "open without a number": lambda p: (p.alice.create(p("x"), iter([b"content"])),
                                        p.alice.open(p("x"), 3, 4).read(9)),
    "open beyond the end": lambda p: (p.alice.create(p("x"), iter([b"content"])),
                                      read(p.alice, p("x"), 2, 30)),
    "open of an empty file": lambda p: read(p.alice, p("file"), 0, 1),
    "open of a directory": lambda p: read(p.alice, p("dir"), 0, 1),
    "open of nothing": lambda p: p.alice.open(p("none"), 0, 1, 999_999_999),
    "open by a stranger": lambda p: (p.alice.set_permission(p("file"), "600"), p.bob.open(
        p("file"), 0, 1, p.alice.status(p("file")).file_id)),
    "create with all": lambda p: (
        p.alice.create(p("new/x"), iter([b"x"]), permission="640", replication=2,
                       block_size=2 << 20), shown(p.alice.status(p("new/x"))),
        shown(p.alice.status(p("new")))),
    "create with nothing": lambda p: (
        p.alice.create(p("x"), iter([])), shown(p.alice.status(p("x")))),
    "create by a sticky mode": lambda p: (
        p.alice.create(p("x"), iter([b"x"]), permission="1777"), shown(p.alice.status(p("x")))),
    "create that inherits": lambda p: (
        p.alice.create(p("inheriting/x"), iter([b"x"])), p.alice.acl(p("inheriting/x"))),
    "create that inherits by a mode": lambda p: (
        p.alice.create(p("inheriting/x"), iter([b"x"]), permission="666"),
        p.alice.acl(p("inheriting/x"))),
    "create that inherits beneath a mode": lambda p: (
        p.alice.create(p("inheriting/x"), iter([b"x"]), permission="640", unmasked="666"),
        p.alice.acl(p("inheriting/x"))),
    "create over a file": lambda p: (
        p.alice.create(p("file"), iter([b"x"]), overwrite=True), shown(p.alice.status(p("file")))),
    **{f"create of {name} {over}": (lambda p, name=name, over=over: p.alice.create(
        p(name), iter([b"x"]), overwrite=over))
       for name in ("file", "dir", "file/x", "a:b", "\ud800", "/") for over in (False, True)},
    "create by a stranger": lambda p: p.bob.create(p("x"), iter([b"x"])),
    "create over what is a stranger's": lambda p: p.bob.create(
        p("file"), iter([b"x"]), overwrite=True),
    "create with small blocks": lambda p: p.alice.create(p("x"), iter([b"x"]), block_size=512),
    "create with odd blocks": lambda p: p.alice.create(p("x"), iter([b"x"]), block_size=100_000),
    "create with no blocks": lambda p: p.alice.create(p("x"), iter([b"x"]), block_size=-1),
    "create with too many copies": lambda p: p.alice.create(
        p("x"), iter([b"x"]), replication=600),
    "create with no copies": lambda p: p.alice.create(p("x"), iter([b"x"]), replication=0),
    "create by a wrong mode": lambda p: p.alice.create(p("x"), iter([b"x"]), permission="4777"),
    "create of a body that breaks": lambda p: (
        breaking(p.alice, p("x"), b"some"), read(p.alice, p("x")), p.alice.delete(p("x"))),
    "create of a body that breaks at once": lambda p: (
        breaking(p.alice, p("x")), p.alice.status(p("x")).length, p.alice.delete(p("x"))),
    "set times": lambda p: (p.alice.set_times(p("file"), 1000, 2000),
                            p.alice.status(p("file"))[5:7]),
    "set one time": lambda p: (p.alice.set_times(p("file"), 1000, None),
                               p.alice.status(p("file")).modification_time),
    "set no time": lambda p: p.alice.set_times(p("file"), None, None),
    "set a time before time": lambda p: p.alice.set_times(p("file"), -5, None),
    "set times of a directory": lambda p: p.alice.set_times(p("dir"), 1000, 2000),
    "set times of nothing": lambda p: p.alice.set_times(p("none"), 1000, 2000),
    "set times by a stranger": lambda p: p.bob.set_times(p("file"), 1000, 2000),
    "xattrs": lambda p: p.alice.xattrs(p("file")),
    "xattrs by name": lambda p: p.alice.xattrs(p("file"), ["user.one"]),
    "xattrs by a name that is not there": lambda p: p.alice.xattrs(
        p("file"), ["user.one", "user.none"]),
    "xattrs of none": lambda p: p.alice.xattrs(p("other")),
    "xattrs of nothing": lambda p: p.alice.xattrs(p("none"), ["user.one"]),
    "xattrs by a stranger": lambda p: p.bob.xattrs(p("shut/file"), ["user.one"]),
    **{f"xattr {name}": (lambda p, name=name: (
        p.alice.set_xattr(p("file"), name, b"\0value", exists=None),
        p.alice.xattrs(p("file"), [name]), p.alice.remove_xattr(p("file"), name)))
       for name in ("user.x", "USER.x", "trusted.x", "security.x", "system.x", "raw.x", "x",
                    "user", "user.", "other.x", "user.é 😀", "user.a.b", "user." + "x" * 300, "",
                    "user.\ud800")},
    "xattr of root": lambda p: (p.root.set_xattr(p("file"), "trusted.x", b"", exists=None),
                                p.root.xattrs(p("file"), ["trusted.x"])),
    "xattr that is empty": lambda p: (p.alice.set_xattr(p("file"), "user.x", b"", exists=False),
                                      p.alice.xattrs(p("file"), ["user.x"])),
    "xattr that is new": lambda p: p.alice.set_xattr(p("file"), "user.one", b"", exists=False),
    "xattr that is there": lambda p: p.alice.set_xattr(p("file"), "user.x", b"", exists=True),
    "xattr that is too large": lambda p: p.alice.set_xattr(
        p("file"), "user.x", bytes(20_000), exists=None),
    "xattr of nothing": lambda p: p.alice.set_xattr(p("none"), "user.x", b"", exists=None),
    "xattr by a stranger": lambda p: p.bob.set_xattr(p("file"), "user.x", b"", exists=None),
    "xattr that is not there to be removed": lambda p: p.alice.remove_xattr(
        p("file"), "user.none"),
    "xattr to be removed by a stranger": lambda p: p.bob.remove_xattr(p("file"), "user.one"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=[name[:60] for name in ACTS])
def test_the_same_comes_of_it(
    ways: Ways, act: Callable[[Place], Any],
) -> None:
    by_rpc, by_web = (outcome(furnished(ways, way), act) for way in WAYS)
    assert by_rpc == by_web


@pytest.mark.parametrize("name", [
    "status where one may not look", "mkdirs with a mode", "rename to shut/y", "set owner",
    "set owner by a user", "create with all", "create by a stranger", "open by a stranger"])
def test_on_behalf_of_users_it_is_the_same(ways_on_behalf: Ways, name: str) -> None:
    by_rpc, by_web = (outcome(furnished(ways_on_behalf, way), ACTS[name]) for way in WAYS)
    assert by_rpc == by_web


def outcome(place: Place, act: Callable[[Place], Any]) -> Any:
    """Return what came of it, with DIR for the place."""
    try:
        return act(place)
    except GatewayError as error:
        path = error.path if isinstance(error, PathError) else ""
        told = error.told
        # A DataNode's WebHDFS puts the trace of the NameNode behind the message.
        said = (told.java_class, told.message.partition("\n\tat ")[0]) if told else ("", "")
        return type(error).__name__, *(
            text.replace(place.at, "DIR") for text in (path, str(error), *said))
    except UnicodeEncodeError as error:
        return type(error).__name__
