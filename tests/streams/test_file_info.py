"""FileInfo: every field of Alluxio's, flat and nested, and what HDFS says in each."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from app.core.identity import Principal
from app.core.lifetimes import Lifetime, TtlAction
from app.core.model import AclStatus, BlockLocation, FileStatus, FileType
from app.core.mounts import Mount, MountTable, mounted_id
from app.core.paths import HdfsPath
from app.fs.entries import Entry
from app.fs.stream_records import OpenedFile
from app.streams.file_info import encoded, file_info, opened_info
from tests.streams.conftest import HOME

if TYPE_CHECKING:
    from tests.streams.conftest import Alluxio

FLAT = {
    "name", "length", "path", "owner", "completed", "persisted", "group", "lastModificationTimeMs",
    "fileInfo", "lastAccessTimeMs", "xattr", "blockSizeBytes", "blockIds", "fileId",
    "replicationMax", "persistenceState", "fileBlockInfos", "folder", "ufsPath", "mountId", "acl",
    "replicationMin", "defaultAcl", "creationTimeMs", "inMemoryPercentage", "inAlluxioPercentage",
    "mode", "ttl", "ttlAction", "cacheable", "pinned", "pinnedMediumTypes", "mountPoint",
    "ufsFingerprint", "cacheContext"}
NESTED = FLAT - {"fileInfo", "pinnedMediumTypes", "cacheContext"} | {"mediumTypes"}
FILE = FileStatus(FileType.FILE, "", "640", 300, 256, 1000, 2000, "alice", "staff", 2, 17)
FOLDER = FileStatus(FileType.DIRECTORY, "", "1755", 0, 0, 0, 2000, "alice", "staff", 0, 18,
                    children=4)
ANYONE = Principal("someone", "alice")
MOUNT = Mount(HdfsPath("/m"), "other", HdfsPath("/there"), read_only=False, mount_id=7)


class Places:
    """Stands for the registry of mounts."""

    def table(self) -> MountTable:
        return MountTable([MOUNT])

    def location(self, path: HdfsPath) -> str:
        return f"webhdfs://namenode:9870{path}"


def told(path: str, status: FileStatus = FILE, principal: Principal = ANYONE, *,
         xattrs: dict[str, bytes] | None = None, blocks: tuple[BlockLocation, ...] = (),
         acl: AclStatus | None = None) -> Any:
    entry = Entry(HdfsPath(path), status, xattrs or {}, blocks, acl)
    return json.loads(encoded(file_info(entry, principal, Places())))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [FILE, FOLDER])
def test_all_fields_are_there_twice(status: FileStatus) -> None:
    info = told("/a/b", status)
    assert set(info) == FLAT
    assert set(info["fileInfo"]) == NESTED
    for name in NESTED & FLAT:
        assert info["fileInfo"][name] == info[name], name


def test_a_file() -> None:
    info = told("/a/b")
    assert info["acl"] == {"owner": "alice", "owningGroup": "staff",
                           "stringEntries": ["user::rw-", "group::r--", "other::---"]}
    assert {name: info[name] for name in (
        "name", "path", "length", "mode", "folder", "cacheable", "fileId", "replicationMin",
        "replicationMax", "blockSizeBytes", "lastModificationTimeMs", "lastAccessTimeMs", "ufsPath",
        "mountPoint", "mountId", "completed", "defaultAcl", "inAlluxioPercentage")} == {
        "name": "b", "path": "/a/b", "length": 300, "mode": 0o640, "folder": False,
        "cacheable": True, "fileId": 17, "replicationMin": 2, "replicationMax": 2,
        "blockSizeBytes": 256, "lastModificationTimeMs": 2000, "lastAccessTimeMs": 1000,
        "ufsPath": "webhdfs://namenode:9870/a/b", "mountPoint": False, "mountId": 1,
        "completed": True, "inAlluxioPercentage": 0,
        "defaultAcl": {"owner": "", "owningGroup": "", "stringEntries": []}}


def test_a_directory() -> None:
    info = told("/a", FOLDER)
    assert {name: info[name] for name in (
        "length", "mode", "folder", "cacheable", "replicationMax", "blockSizeBytes",
        "lastAccessTimeMs", "ufsFingerprint", "blockIds", "defaultAcl")} == {
        "length": 4, "mode": 0o1755, "folder": True, "cacheable": False, "replicationMax": 0,
        "blockSizeBytes": 0, "lastAccessTimeMs": 2000, "ufsFingerprint": "", "blockIds": [],
        "defaultAcl": {"owner": "alice", "owningGroup": "staff", "stringEntries": []}}
    assert told("/a", FOLDER._replace(children=-1))["length"] == 0
    assert (told("/", FOLDER)["name"], told("/", FOLDER)["mountPoint"]) == ("", True)


def test_the_fingerprint_changes_with_the_file() -> None:
    before = told("/a")["ufsFingerprint"]
    for change in ({"length": 1}, {"modification_time": 1}, {"owner": "b"}, {"permission": "600"}):
        assert told("/a", FILE._replace(**change))["ufsFingerprint"] != before  # type: ignore[arg-type]


def test_blocks() -> None:
    cached = BlockLocation(0, 256, ("h1", "h2"), ("h1:50010", "h2:50010"), ("h2",), corrupt=False)
    info = told("/a", blocks=(cached, BlockLocation(256, 44, ("h1",), ("h1:50010",), (), False)))
    assert info["blockIds"] == [17 << 24, (17 << 24) + 1]
    first, second = info["fileBlockInfos"]
    assert (second["offset"], second["ufsLocations"]) == (256, ["h1"])
    assert second["blockInfo"] == {"blockId": (17 << 24) + 1, "length": 44, "locations": []}
    [location] = first["blockInfo"]["locations"]
    assert (location["tierAlias"], location["workerAddress"]["host"]) == ("MEM", "h2")
    assert location["workerAddress"]["dataPort"] == 50010
    assert 0 <= location["workerId"] < 2**63
    assert info["inMemoryPercentage"] == 85


@pytest.mark.parametrize("name", ["h1:", "h1:x", "h1:²", "h1:" + "9" * 5000, "h1", "", "\ud800:1"])
def test_a_datanode_whose_name_is_no_address(name: str) -> None:
    host = name.partition(":")[0]
    info = told("/a", blocks=(BlockLocation(0, 300, (host,), (name,), (host,), corrupt=False),))
    [location] = info["fileBlockInfos"][0]["blockInfo"]["locations"]
    assert location["workerAddress"]["dataPort"] == (1 if name[-2:] == ":1" else 0)


def test_numbers_fit_into_the_longs_of_clients() -> None:
    status = FILE._replace(file_id=mounted_id(2**48 - 1, MOUNT._replace(mount_id=2**15 - 1)))
    block = BlockLocation(0, 300, ("h",), ("h:1",), ("h",), corrupt=False)
    info = told("/m/a", status, blocks=(block,))
    assert 0 < info["fileId"] < 2**63
    assert all(0 <= number < 2**63 for number in info["blockIds"])


def test_mounts_are_told() -> None:
    assert (told("/m", FOLDER)["mountPoint"], told("/m", FOLDER)["mountId"]) == (True, 8)
    assert (told("/m/a")["mountPoint"], told("/m/a")["mountId"]) == (False, 8)


def test_xattrs_of_users_are_told_and_the_gateways_are_not() -> None:
    info = told("/a", xattrs={
        "user.note": b"\0x", "user.httpfs-proxy.object": b"{}", "trusted.a": b"", "user.": b"e",
        "user.httpfs-proxy.lifetime": json.dumps(
            {"ttl": 5, "action": "DELETE", "since": 9, "pinned": True, "key": ""}).encode()})
    assert info["xattr"] == {"note": base64.b64encode(b"\0x").decode(), "": "ZQ=="}
    assert (info["ttl"], info["ttlAction"], info["pinned"]) == (5, "DELETE", True)


def test_acls_are_in_alluxios_order() -> None:
    acl = AclStatus("alice", "staff", "750", False, (
        "user:bob:rwx", "group::r--", "group:ops:r-x", "default:user::rwx", "default:other::---"))
    info = told("/a", FOLDER._replace(permission="750", acl=True), acl=acl)
    assert info["acl"]["stringEntries"] == [
        "user::rwx", "user:bob:rwx", "group::r--", "group:ops:r-x", "mask::r-x", "other::---"]
    assert info["defaultAcl"]["stringEntries"] == ["default:user::rwx", "default:other::---"]


def test_confined_users_learn_nothing_of_what_is_around_them() -> None:
    confined = Principal("c", "alice", root=HdfsPath("/m/room"))
    info = told("/m/room/x", FILE, confined)
    assert (info["path"], info["ufsPath"]) == ("/x", "webhdfs:///x")
    assert told("/m/room", FOLDER, confined)["name"] == ""
    assert "room" not in str(info)


def test_a_file_that_is_being_written() -> None:
    opened = OpenedFile("f", HdfsPath("/a/f"), 5, "alice", "staff", 1000, "600", 256, 3,
                        Lifetime(7, TtlAction.DELETE, 1000, pinned=False))
    info = json.loads(encoded(opened_info(opened, ANYONE, Places())))  # type: ignore[arg-type]
    assert (set(info), set(info["fileInfo"])) == (FLAT, NESTED)
    assert (info["completed"], info["length"], info["mode"], info["ttl"], info["blockIds"]) == (
        False, 0, 0o600, 7, [])


# --- over each backend


def test_of_real_files(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f", b"x" * 100)
    gateway = everywhere.gateway
    for name, value in (("user.note", b"hello"),):
        made = gateway.request("PUT", "/f/file/xattrs", params={
            "path": f"{HOME}/f", "name": name, "value": base64.b64encode(value).decode()})
        assert made.status_code == 204, made.text
    info = everywhere.info(f"{HOME}/f")
    assert (set(info), set(info["fileInfo"])) == (FLAT, NESTED)
    assert info["xattr"] == {"note": base64.b64encode(b"hello").decode()}
    [block] = info["fileBlockInfos"]
    assert (block["offset"], block["blockInfo"]["length"]) == (0, 100)
    assert block["ufsLocations"]
    assert info["blockIds"] == [block["blockInfo"]["blockId"]]
    status = gateway.request("GET", "/f/file/status", params={"path": f"{HOME}/f"}).json()
    assert info["lastModificationTimeMs"] == status["result"]["status"]["modificationTime"]
    everywhere.put(f"{HOME}/empty", b"")
    assert everywhere.info(f"{HOME}/empty")["fileBlockInfos"] == []


def test_who_may_not_read_a_file_is_told_its_status(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f")
    everywhere.done(f"{HOME}/f", "set-attribute", {"mode": 0o600, "pinned": True})
    other = everywhere.as_user("other")
    info = other.info(f"{HOME}/f")
    assert (info["length"], info["fileBlockInfos"], info["pinned"]) == (7, [], False)
    [listed] = other.act(HOME, "list-status").json
    assert listed == info
    for mode, code in (("READ", "PERMISSION_DENIED"), ("NONE", None)):
        answer = other.act(f"{HOME}/f", "get-status", {"accessMode": mode})
        assert (answer.status, answer.json.get("status")) == (500 if code else 200, code)
    assert everywhere.act(f"{HOME}/f", "get-status", {"accessMode": "READ_WRITE"}).status == 200


def test_acls_of_real_files(alx: Alluxio) -> None:
    alx.done(f"{HOME}/d", "create-directory", {"mode": 0o750})
    made = alx.gateway.request("PUT", "/f/file/acl", params={
        "path": f"{HOME}/d", "entries": "user:bob:rwx,default:user:bob:r-x"})
    assert made.status_code == 204, made.text
    info = alx.info(f"{HOME}/d")
    assert "user:bob:rwx" in info["acl"]["stringEntries"]
    assert "default:user:bob:r-x" in info["defaultAcl"]["stringEntries"]


pytestmark = pytest.mark.gunicorn
