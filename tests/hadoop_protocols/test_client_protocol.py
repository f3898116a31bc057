"""What a real NameNode does at each call, as one user sees it; WebHDFS tells what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from app.core.model import FileType
from app.hadoop.client_protocol import XATTR_CREATE, XATTR_REPLACE, NameNodeClient
from app.hadoop.ipc import Identity, Refused, RemoteError
from app.hadoop.ipc_pool import Caller, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.hadoop.cluster import Cluster

pytestmark = pytest.mark.hadoop
ROOT = "/user/alice/rpc"
USER = 0
NAMES = ["plain", "with space", "100%", "a+b", "#?;\\", "naïve", "e\u0301", "😀",
         "line\nbreak", "'\""]


@pytest.fixture(scope="module")
def caller(hadoop: Cluster) -> Iterator[Caller]:
    made = Caller(("127.0.0.1", hadoop.rpc_port), Limits())
    yield made
    made.close()


@pytest.fixture
def alice(caller: Caller) -> Iterator[NameNodeClient]:
    """Yield the NameNode as alice sees it, with an empty directory."""
    client = NameNodeClient(caller, Identity("alice"))
    client.delete(ROOT, recursive=True)
    assert client.mkdirs(ROOT, 0o755, None)
    yield client
    client.delete(ROOT, recursive=True)


def web(hadoop: Cluster, method: str, path: str, **options: Any) -> Any:
    """Ask WebHDFS as alice."""
    data = options.pop("data", None)
    answer = requests.request(
        method, f"{hadoop.namenode_url}/webhdfs/v1{quote(path)}", timeout=60, data=data,
        params={"user.name": "alice", **options})
    assert answer.ok, answer.text
    return answer.json() if answer.text else None


def write(hadoop: Cluster, path: str, content: bytes = b"") -> None:
    web(hadoop, "PUT", path, op="CREATE", overwrite="true", data=content)


def refused(call: Callable[[], object]) -> str:
    """Return the last part of the Java class of what the NameNode says."""
    with pytest.raises(RemoteError) as caught:
        call()
    assert "\n\tat " not in caught.value.message
    return caught.value.java_class.rpartition(".")[2]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_found_under_itself(
    hadoop: Cluster, alice: NameNodeClient, name: str,
) -> None:
    path = f"{ROOT}/{name}"
    assert alice.get_file_info(path) is None
    assert alice.mkdirs(path, 0o750, None)
    told = web(hadoop, "GET", ROOT, op="LISTSTATUS")["FileStatuses"]["FileStatus"]
    assert [one["pathSuffix"] for one in told] == [name]
    found = alice.get_file_info(path)
    assert found is not None
    assert (found.type, found.permission, found.owner) == (FileType.DIRECTORY, "750", "alice")
    assert alice.delete(path, recursive=False)
    assert not alice.delete(path, recursive=False)


def test_a_status_is_what_webhdfs_tells(hadoop: Cluster, alice: NameNodeClient) -> None:
    path = f"{ROOT}/file"
    write(hadoop, path, b"12345")
    alice.set_times(path, 1_000_000_000_123, 2_000_000_000_456)
    told = web(hadoop, "GET", path, op="GETFILESTATUS")["FileStatus"]
    found = alice.get_file_info(path)
    assert found is not None
    assert (found.length, found.modification_time, found.access_time, found.file_id,
            found.block_size, found.replication, found.group) == (
        5, 1_000_000_000_123, 2_000_000_000_456, told["fileId"], told["blockSize"], 1,
        told["group"])


def test_modes_are_set_and_counted(hadoop: Cluster, alice: NameNodeClient) -> None:
    for mode in (0o0, 0o644, 0o777, 0o1777):
        alice.set_permission(ROOT, mode)
        told = web(hadoop, "GET", "/user/alice", op="LISTSTATUS")["FileStatuses"]["FileStatus"]
        assert [one["permission"] for one in told if one["pathSuffix"] == "rpc"] == [f"{mode:o}"]
    alice.set_permission(ROOT, 0o755)


def test_renames(hadoop: Cluster, alice: NameNodeClient) -> None:
    one, two, directory = f"{ROOT}/one", f"{ROOT}/two", f"{ROOT}/dir"
    write(hadoop, one, b"1")
    write(hadoop, two, b"22")
    assert alice.mkdirs(directory, 0o755, None)
    assert not alice.rename(one, two)
    assert not alice.rename(f"{ROOT}/nothing", f"{ROOT}/other")
    assert refused(lambda: alice.rename2(one, two, overwrite=False)) == "FileAlreadyExistsException"
    alice.rename2(one, two, overwrite=True)
    found = alice.get_file_info(two)
    assert found is not None
    assert found.length == 1
    assert alice.get_file_info(one) is None
    assert alice.rename(two, directory)
    assert alice.get_file_info(f"{directory}/two") is not None
    assert refused(lambda: alice.rename2(one, two, overwrite=True)) == "FileNotFoundException"


def test_deleting_what_is_not_empty(hadoop: Cluster, alice: NameNodeClient) -> None:
    write(hadoop, f"{ROOT}/dir/file")
    assert refused(lambda: alice.delete(f"{ROOT}/dir", recursive=False)) == (
        "PathIsNotEmptyDirectoryException")
    assert alice.delete(f"{ROOT}/dir", recursive=True)


def test_a_lease_is_taken_from_who_has_it(alice: NameNodeClient) -> None:
    path = f"{ROOT}/file"
    made = alice.create(path, "one", mode=0o644, unmasked=None, overwrite=False, replication=1,
                        block_size=1 << 20)
    assert alice.recover_lease(path, "two")
    assert refused(lambda: alice.add_block(path, "one", made.file_id, None, [])) == (
        "LeaseExpiredException")
    assert alice.recover_lease(path, "two"), "nobody has one"
    assert refused(lambda: alice.recover_lease(f"{ROOT}/nothing", "two")) == (
        "FileNotFoundException")


def test_joining(hadoop: Cluster, alice: NameNodeClient) -> None:
    for name in ("a", "b", "c"):
        write(hadoop, f"{ROOT}/{name}", name.encode() * 3)
    alice.concat(f"{ROOT}/a", [f"{ROOT}/b", f"{ROOT}/c"])
    found = alice.get_file_info(f"{ROOT}/a")
    assert found is not None
    assert found.length == 9
    assert alice.get_file_info(f"{ROOT}/b") is None
    located = alice.get_block_locations(f"{ROOT}/a", 0, 9)
    assert located is not None
    assert [(one.offset, one.block.length) for one in located.blocks] == [(0, 3), (3, 3), (6, 3)]


def test_xattrs(hadoop: Cluster, alice: NameNodeClient) -> None:
    alice.set_xattr(ROOT, USER, "one", b"\x00\xff value", XATTR_CREATE)
    alice.set_xattr(ROOT, USER, "empty", b"", XATTR_CREATE | XATTR_REPLACE)
    assert sorted(alice.get_xattrs(ROOT, [])) == [
        (USER, "empty", b""), (USER, "one", b"\x00\xff value")]
    assert alice.get_xattrs(ROOT, [(USER, "one")]) == [(USER, "one", b"\x00\xff value")]
    assert refused(lambda: alice.set_xattr(ROOT, USER, "one", b"", XATTR_CREATE)) == "IOException"
    assert refused(lambda: alice.set_xattr(ROOT, USER, "new", b"", XATTR_REPLACE)) == "IOException"
    alice.set_xattr(ROOT, USER, "one", b"2", XATTR_REPLACE)
    told = web(hadoop, "GET", ROOT, op="GETXATTRS", encoding="text")["XAttrs"]
    assert {one["name"]: one["value"] for one in told}["user.one"] == '"2"'
    alice.remove_xattr(ROOT, USER, "one")
    assert refused(lambda: alice.get_xattrs(ROOT, [(USER, "one")])) == "XAttrNotFoundException"


def test_who_may_what(hadoop: Cluster, alice: NameNodeClient, caller: Caller) -> None:
    write(hadoop, f"{ROOT}/file")
    alice.set_permission(ROOT, 0o700)
    bob = NameNodeClient(caller, Identity("bob"))
    for call in (lambda: bob.get_file_info(f"{ROOT}/file"),
                 lambda: bob.delete(f"{ROOT}/file", recursive=False),
                 lambda: bob.check_access(ROOT, 4),
                 lambda: bob.set_permission(ROOT, 0o777),
                 lambda: bob.set_owner(ROOT, "bob", None)):
        assert refused(call) == "AccessControlException"
    alice.check_access(ROOT, 7)
    superuser = NameNodeClient(caller, Identity(hadoop.superuser))
    superuser.set_owner(ROOT, "bob", "staff")
    found = bob.get_file_info(ROOT)
    assert found is not None
    assert (found.owner, found.group) == ("bob", "staff")
    superuser.set_owner(ROOT, "alice", None)


def test_who_may_act_for_others(hadoop: Cluster, alice: NameNodeClient, caller: Caller) -> None:
    through = NameNodeClient(caller, Identity("alice", "gateway"))
    assert through.mkdirs(f"{ROOT}/made", 0o755, None)
    found = alice.get_file_info(f"{ROOT}/made")
    assert found is not None
    assert found.owner == "alice"
    nobody = NameNodeClient(caller, Identity("alice", "mallory"))
    with pytest.raises(Refused, match="mallory is not allowed to impersonate alice"):
        nobody.get_file_info(ROOT)


def test_a_call_that_is_sent_twice_happens_once(hadoop: Cluster, alice: NameNodeClient) -> None:
    caller = Caller(("127.0.0.1", hadoop.rpc_port), Limits())
    client = NameNodeClient(caller, Identity("alice"))
    for name in ("one", "two"):
        write(hadoop, f"{ROOT}/{name}")
    exchange = caller._exchange

    def twice(connection: Any, call_id: int, retry: int, *said: bytes) -> bytes:
        first = exchange(connection, call_id, retry, *said)
        again = exchange(caller._take(connection.who), call_id, retry + 1, *said)
        assert again == first
        return again

    caller._exchange = twice  # type: ignore[method-assign]
    assert client.delete(f"{ROOT}/one", recursive=False)
    assert client.rename(f"{ROOT}/two", f"{ROOT}/three")
    client.set_xattr(f"{ROOT}/three", USER, "name", b"value", XATTR_CREATE)
    created = client.create(f"{ROOT}/four", "writer", mode=0o640, unmasked=None, overwrite=False,
                            replication=1, block_size=1 << 20)
    assert (created.length, created.permission, created.block_size) == (0, "640", 1 << 20)
    assert client.complete(f"{ROOT}/four", "writer", created.file_id, None)
    caller.close()


def test_a_file_and_its_replication(hadoop: Cluster, alice: NameNodeClient) -> None:
    write(hadoop, f"{ROOT}/file", b"data")
    assert alice.set_replication(f"{ROOT}/file", 2)
    found = alice.get_file_info(f"{ROOT}/file")
    assert found is not None
    assert found.replication == 2
    assert not alice.set_replication(ROOT, 2)


def test_what_new_files_are_made_with(alice: NameNodeClient) -> None:
    told = alice.get_server_defaults()
    assert (told.block_size, told.bytes_per_checksum, told.packet_size, told.replication,
            told.encrypts_transfer, told.checksum_type) == (128 << 20, 512, 65536, 1, False, 2)


def test_a_directory_has_no_blocks(alice: NameNodeClient) -> None:
    assert refused(lambda: alice.get_block_locations(ROOT, 0, 1)) == "FileNotFoundException"
