"""What every client of WebHDFS does, over each kind of backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.webhdfs.client import Client

ALREADY = (403, "FileAlreadyExistsException")
MISSING = (404, "FileNotFoundException")


def test_a_file_is_made_in_two_steps_and_read(everywhere: Client, place: str) -> None:
    path = f"{place}/ü +%&file"
    first = everywhere.ask("PUT", path, "CREATE", permission="640")
    assert (first.status, first.body) == (307, b"")
    assert first.headers["Location"].startswith(f"{everywhere.url}/webhdfs/v1{place}/")
    assert everywhere.ask("GET", path, "GETFILESTATUS").told == MISSING
    made = everywhere.send("PUT", first.headers["Location"], data=b"0123456789")
    assert (made.status, made.body) == (201, b"")
    assert everywhere.read(path) == b"0123456789"
    part = everywhere.ask("GET", path, "OPEN", offset="3", length="4")
    assert (part.status, part.body) == (200, b"3456")
    status = everywhere.ask("GET", path, "GETFILESTATUS").json["FileStatus"]
    assert (status["length"], status["permission"], status["type"], status["pathSuffix"]) == (
        10, "640", "FILE", "")
    assert everywhere.ask("GET", path, "OPEN", offset="10").told == (403, "IOException")
    head = everywhere.ask("HEAD", path, "OPEN")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "10", b"")


def test_nothing_is_overwritten_unless_asked_for(everywhere: Client, place: str) -> None:
    path = f"{place}/f"
    everywhere.create(path, b"old")
    again = everywhere.write("PUT", path, "CREATE", b"new", {})
    assert again.told == ALREADY
    assert everywhere.read(path) == b"old"
    for params in ({"overwrite": "true"}, {"createflag": "CREATE,OVERWRITE"}):
        assert everywhere.write("PUT", path, "CREATE", str(params).encode(), params).status == 201
        assert everywhere.read(path) == str(params).encode()
    lazy = everywhere.ask("PUT", path, "CREATE", createflag="CREATE,LAZY_PERSIST")
    assert lazy.told == (400, "UnsupportedOperationException")
    orphan = everywhere.write("PUT", f"{place}/none/f", "CREATE", b"x", {"createparent": "false"})
    assert orphan.told == MISSING
    assert orphan.message == f"Parent directory doesn't exist: {place}/none"


def test_a_file_gets_what_it_is_asked_to_have(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/f", b"x", blocksize="1048576", replication="1", permission="600")
    status = everywhere.ask("GET", f"{place}/f", "GETFILESTATUS").json["FileStatus"]
    assert (status["blockSize"], status["replication"], status["permission"]) == (
        1048576, 1, "600")


def test_noredirect_answers_where_to_go(everywhere: Client, place: str) -> None:
    told = everywhere.ask("PUT", f"{place}/f", "CREATE", noredirect="true")
    assert told.status == 200
    assert everywhere.send("PUT", told.json["Location"], data=b"content").status == 201
    told = everywhere.ask("POST", f"{place}/f", "APPEND", noredirect="true")
    assert everywhere.send("POST", told.json["Location"], data=b" more").status == 200
    told = everywhere.ask("GET", f"{place}/f", "OPEN", noredirect="true")
    assert everywhere.send("GET", told.json["Location"]).body == b"content more"
    told = everywhere.ask("GET", f"{place}/f", "GETFILECHECKSUM", noredirect="true")
    checksum = everywhere.send("GET", told.json["Location"]).json["FileChecksum"]
    assert checksum == everywhere.ask("GET", f"{place}/f", "GETFILECHECKSUM").json["FileChecksum"]
    assert checksum["length"] == 28


def test_append(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/f", b"one")
    assert everywhere.write("POST", f"{place}/f", "APPEND", b" two", {}).status == 200
    assert everywhere.read(f"{place}/f") == b"one two"
    missing = everywhere.ask("POST", f"{place}/none", "APPEND")
    assert (missing.told, missing.message) == (MISSING, f"File {place}/none not found.")
    assert everywhere.ask("POST", place, "APPEND").told == ALREADY


def test_listings(everywhere: Client, place: str) -> None:
    for name in ("b", "a", "c"):
        everywhere.create(f"{place}/{name}")
    entries = everywhere.ask("GET", place, "LISTSTATUS").json["FileStatuses"]["FileStatus"]
    assert [entry["pathSuffix"] for entry in entries] == ["a", "b", "c"]
    page = everywhere.ask("GET", place, "LISTSTATUS_BATCH", startAfter="a").json
    found = page["DirectoryListing"]["partialListing"]["FileStatuses"]["FileStatus"]
    assert [entry["pathSuffix"] for entry in found] == ["b", "c"]
    assert page["DirectoryListing"]["remainingEntries"] == 0
    (file,) = everywhere.ask("GET", f"{place}/a", "LISTSTATUS").json["FileStatuses"]["FileStatus"]
    assert file["pathSuffix"] == ""
    assert everywhere.ask("GET", f"{place}/none", "LISTSTATUS").message == (
        f"File {place}/none does not exist.")


def test_an_empty_directory(everywhere: Client, place: str) -> None:
    assert everywhere.ask("GET", place, "LISTSTATUS").json == {"FileStatuses": {"FileStatus": []}}


def test_renames_as_hdfs_does(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/f", b"one")
    everywhere.create(f"{place}/g", b"two")
    everywhere.ask("PUT", f"{place}/d", "MKDIRS")

    def rename(source: str, destination: str, **options: str) -> object:
        answer = everywhere.ask(
            "PUT", f"{place}/{source}", "RENAME", destination=f"{place}/{destination}", **options)
        return answer.told if answer.status != 200 else answer.body and answer.json["boolean"]

    assert rename("f", "g") is False
    assert rename("none", "h") is False
    assert rename("f", "none/h") is False
    assert rename("f", "d") is True
    assert rename("d/f", "g", renameoptions="NONE") == ALREADY
    assert rename("none", "h", renameoptions="NONE") == MISSING
    assert rename("d/f", "g", renameoptions="OVERWRITE") == b""
    assert everywhere.read(f"{place}/g") == b"one"
    relative = everywhere.ask("PUT", f"{place}/g", "RENAME", destination="elsewhere")
    assert relative.told == (400, "IllegalArgumentException")


def test_deletes_as_hdfs_does(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/d/f")
    full = everywhere.ask("DELETE", f"{place}/d", "DELETE")
    assert full.told == (403, "PathIsNotEmptyDirectoryException")
    gone = everywhere.ask("DELETE", f"{place}/d", "DELETE", recursive="true")
    assert gone.json == {"boolean": True}
    assert everywhere.ask("DELETE", f"{place}/d", "DELETE").json == {"boolean": False}


def test_concat_and_truncate(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/f", b"one ")
    everywhere.create(f"{place}/g", b"two ")
    everywhere.create(f"{place}/h", b"three")
    joined = everywhere.ask("POST", f"{place}/f", "CONCAT", sources=f"{place}/g,{place}/h")
    assert (joined.status, joined.body) == (200, b"")
    assert everywhere.read(f"{place}/f") == b"one two three"
    assert everywhere.ask("GET", f"{place}/g", "GETFILESTATUS").told == MISSING
    assert everywhere.ask("POST", f"{place}/f", "TRUNCATE", newlength="0").json == {
        "boolean": True}
    assert everywhere.read(f"{place}/f") == b""


def test_attributes(everywhere: Client, place: str) -> None:
    path = f"{place}/f"
    everywhere.create(path)
    for op, params in (
            ("SETPERMISSION", {"permission": "600"}),
            ("SETTIMES", {"modificationtime": "1000"}),
            ("SETXATTR", {"xattr_name": "user.a", "xattr_value": "0x31", "flag": "CREATE"}),
            ("SETXATTR", {"xattr_name": "user.b", "xattr_value": '"two"', "flag": "CREATE"}),
            ("SETACL", {"aclspec": "user::rw-,group::r--,other::---,user:bob:r--"})):
        done = everywhere.ask("PUT", path, op, **params)
        assert (done.status, done.body) == (200, b""), (op, done)
    status = everywhere.ask("GET", path, "GETFILESTATUS").json["FileStatus"]
    assert (status["modificationTime"], status["aclBit"]) == (1000, True)
    xattrs = everywhere.ask("GET", path, "GETXATTRS", encoding="text").json["XAttrs"]
    assert {one["name"]: one["value"] for one in xattrs} == {"user.a": '"1"', "user.b": '"two"'}
    one = everywhere.ask("GET", path, "GETXATTRS", encoding="hex", xattr_name="user.a").json
    assert one == {"XAttrs": [{"name": "user.a", "value": "0x31"}]}
    acl = everywhere.ask("GET", path, "GETACLSTATUS").json["AclStatus"]
    assert "user:bob:r--" in acl["entries"]
    assert everywhere.ask("PUT", path, "SETREPLICATION", replication="2").json == {"boolean": True}
    assert everywhere.ask("PUT", place, "SETREPLICATION", replication="2").json == {
        "boolean": False}
    assert everywhere.ask("GET", path, "CHECKACCESS", fsaction="rw-").status == 200
    other = everywhere.as_user("other").ask("GET", path, "CHECKACCESS", fsaction="-w-")
    assert other.told == (403, "AccessControlException")
    assert everywhere.ask("PUT", path, "SETOWNER", owner="bob").told == (
        403, "AccessControlException")


def test_summaries(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/d/f", b"12345")
    summary = everywhere.ask("GET", place, "GETCONTENTSUMMARY").json["ContentSummary"]
    assert (summary["directoryCount"], summary["fileCount"], summary["length"]) == (2, 1, 5)
    assert summary["typeQuota"] == {}
    usage = everywhere.ask("GET", place, "GETQUOTAUSAGE").json["QuotaUsage"]
    assert (usage["fileAndDirectoryCount"], usage["quota"]) == (3, -1)


def test_where_things_are(everywhere: Client, place: str) -> None:
    assert everywhere.ask("GET", "/", "GETHOMEDIRECTORY").json == {"Path": "/user/alice"}
    assert everywhere.ask("GET", place, "GETTRASHROOT").json == {"Path": "/user/alice/.Trash"}
    defaults = everywhere.ask("GET", "/", "GETSERVERDEFAULTS").json["FsServerDefaults"]
    assert defaults["blockSize"] == 134217728
    everywhere.create(f"{place}/f", b"12345")
    (block,) = everywhere.ask("GET", f"{place}/f", "GETFILEBLOCKLOCATIONS").json[
        "BlockLocations"]["BlockLocation"]
    assert (block["offset"], block["length"]) == (0, 5)
    located = everywhere.ask("GET", f"{place}/f", "GET_BLOCK_LOCATIONS").json["LocatedBlocks"]
    assert located["fileLength"] == 5
    assert {one["blockToken"]["urlString"] for one in located["locatedBlocks"]} == {"AAAAAA"}


def test_there_are_no_links(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/f")
    link = everywhere.ask("PUT", f"{place}/l", "CREATESYMLINK", destination=f"{place}/f")
    assert (link.told, link.message) == (
        (400, "UnsupportedOperationException"), "Symlinks not supported")
    target = everywhere.ask("GET", f"{place}/f", "GETLINKTARGET")
    assert (target.told, target.message) == (
        (403, "IOException"), f"Path {place}/f is not a symbolic link")


def test_snapshots(everywhere: Client, place: str) -> None:
    everywhere.create(f"{place}/f")
    admin = everywhere.as_user("admin")
    assert everywhere.ask("PUT", place, "CREATESNAPSHOT", snapshotname="s").told == (
        403, "SnapshotException")
    assert admin.ask("PUT", place, "ALLOWSNAPSHOT").status == 200
    try:
        made = everywhere.ask("PUT", place, "CREATESNAPSHOT", snapshotname="s")
        assert made.json == {"Path": f"{place}/.snapshot/s"}
        renamed = everywhere.ask(
            "PUT", place, "RENAMESNAPSHOT", oldsnapshotname="s", snapshotname="t")
        assert renamed.status == 200
        (told,) = everywhere.ask("GET", place, "GETSNAPSHOTLIST").json["SnapshotList"]
        assert told["fullPath"] == f"{place}/.snapshot/t"
        everywhere.remove(f"{place}/f")
        assert everywhere.read(f"{place}/.snapshot/t/f") == b"content"
        found = everywhere.ask("GET", "/", "GETSNAPSHOTTABLEDIRECTORYLIST").json
        assert place.rpartition("/")[2] in {
            one["dirStatus"]["pathSuffix"] for one in found["SnapshottableDirectoryList"]}
    finally:
        everywhere.ask("DELETE", place, "DELETESNAPSHOT", snapshotname="t")
        assert admin.ask("PUT", place, "DISALLOWSNAPSHOT").status == 200


@pytest.mark.parametrize(("method", "op", "message"), [
    ("GET", "NULL", "op=NULL is not supported"),
    ("GET", "CREATE", ('Invalid value for webhdfs parameter "op": CREATE is not a valid GET'
                       " operation.")),
    ("PUT", "SETOWNER", "Both owner and group are empty."),
    ("PUT", "RENAME", "Required param destination for op: RENAME is null or empty"),
    ("POST", "TRUNCATE", "Required param newlength for op: TRUNCATE is null or empty"),
])
def test_what_is_asked_wrongly(hdfs: Client, method: str, op: str, message: str) -> None:
    answer = hdfs.ask(method, "/user/alice", op)
    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(("name", "value", "reason"), [
    ("permission", "999", 'Failed to parse "999" as a radix-8 short integer.'),
    ("permission", "7777", "Invalid parameter range: permission = 7777 > 1777"),
    ("overwrite", "maybe", 'Failed to parse "maybe" to Boolean.'),
    ("blocksize", "x", 'Failed to parse "x" as a radix-10 long integer.'),
    ("replication", "0", "Invalid parameter range: replication = 0 < 1"),
    ("createflag", "FOO", "No enum constant org.apache.hadoop.fs.CreateFlag.FOO"),
])
def test_a_wrong_value(hdfs: Client, name: str, value: str, reason: str) -> None:
    answer = hdfs.query("PUT", "/user/alice/x", {"op": "CREATE", name: value})
    assert answer.told == (400, "IllegalArgumentException")
    assert answer.message == f'Invalid value for webhdfs parameter "{name}": {reason}'


def test_names_of_parameters_are_the_same_in_any_case(hdfs: Client, room: str) -> None:
    hdfs.create(f"{room}/f", b"0123456789")
    answer = hdfs.query("GET", f"{room}/f", {"OP": "open", "Offset": "8"})
    assert answer.body == b"89"


def test_a_broken_upload_leaves_nothing(hdfs: Client, room: str) -> None:
    first = hdfs.ask("PUT", f"{room}/f", "CREATE")
    short = hdfs.send("PUT", first.headers["Location"], data=b"not gzip",
                      headers={"Content-Encoding": "gzip"})
    assert short.told == (400, "IllegalArgumentException")
    assert hdfs.ask("GET", room, "LISTSTATUS").json == {"FileStatuses": {"FileStatus": []}}
