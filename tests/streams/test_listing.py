"""list-status: files, directories, trees of any size; files that are being written; mounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.gateway import Gateway
from tests.streams.conftest import HOME, SETTINGS, Alluxio, furnished

if TYPE_CHECKING:
    from pathlib import Path

    from tests.streams.conftest import Answer

pytestmark = pytest.mark.gunicorn


def names(answer: Answer) -> list[str]:
    """Return the paths below HOME that a listing told."""
    assert answer.status == 200, answer
    return [one["path"].removeprefix(HOME + "/") for one in answer.json]


def test_an_empty_directory(everywhere: Alluxio) -> None:
    answer = everywhere.act(HOME, "list-status")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"[]", "2")


def test_a_file_lists_itself(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f")
    [info] = everywhere.act(f"{HOME}/f", "list-status").json
    assert info == everywhere.info(f"{HOME}/f")


def test_entries_are_told_as_get_status_tells_them(everywhere: Alluxio) -> None:
    for name in ("a", "b", "c"):
        everywhere.put(f"{HOME}/{name}", name.encode() * 5)
        everywhere.done(f"{HOME}/d{name}", "create-directory")
    everywhere.done(f"{HOME}/da", "set-attribute", {"pinned": True, "ttl": 10**9})
    told = everywhere.act(HOME, "list-status", {"loadMetadataType": "Once"}).json
    assert [one["name"] for one in told] == ["a", "b", "c", "da", "db", "dc"]
    assert told == [everywhere.info(one["path"]) for one in told]


def test_a_tree(everywhere: Alluxio) -> None:
    for path in ("a/x", "a/y/z", "b"):
        everywhere.put(f"{HOME}/{path}")
    assert names(everywhere.act(HOME, "list-status")) == ["a", "b"]
    assert names(everywhere.act(HOME, "list-status", {"recursive": True})) == [
        "a", "a/x", "a/y", "a/y/z", "b"]
    assert everywhere.act(HOME, "list-status", {"loadMetadataOnly": True}).json == []


def test_nothing_there(everywhere: Alluxio) -> None:
    answer = everywhere.act(f"{HOME}/nope", "list-status")
    assert (answer.status, answer.code) == (500, "NOT_FOUND")
    assert answer.message == f'Path "{HOME}/nope" does not exist.'


def test_a_directory_that_may_not_be_read_is_no_hole(everywhere: Alluxio) -> None:
    for name in ("a", "b", "c"):
        everywhere.put(f"{HOME}/{name}/f")
    everywhere.done(f"{HOME}/b", "set-attribute", {"mode": 0o700})
    other = everywhere.as_user("other")
    assert names(other.act(HOME, "list-status")) == ["a", "b", "c"]
    answer = other.act(HOME, "list-status", {"recursive": True})
    assert (answer.status, answer.code) == (500, "PERMISSION_DENIED")


def test_many_entries_come_in_pieces(alx: Alluxio) -> None:
    for number in range(400):
        alx.done(f"{HOME}/d{number:03}", "create-directory")
    answer = alx.act(HOME, "list-status")
    assert names(answer) == [f"d{number:03}" for number in range(400)]
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Type"] == "application/json"


def test_the_gateways_own_files_are_not_told(alx: Alluxio) -> None:
    number = int(alx.act(f"{HOME}/w", "create-file").body)
    assert alx.raw("POST", f"/api/v1/streams/{number}/write", b"some").body == b"4"
    alx.done(f"{HOME}/d", "create-directory")
    # What is being written has no place in HDFS's order yet: it comes first.
    answer = alx.act(HOME, "list-status")
    assert names(answer) == ["w", "d"]
    assert [(one["completed"], one["length"]) for one in answer.json] == [(False, 0), (True, 0)]
    tree = names(alx.act("/user/alice", "list-status", {"recursive": True}))
    assert tree[tree.index(HOME):][:3] == [HOME, "w", "d"]
    assert alx.act(f"{HOME}/w", "list-status").json == [answer.json[0]]
    assert alx.raw("POST", f"/api/v1/streams/{number}/close").status == 200
    answer = alx.act(HOME, "list-status")
    assert [(one["name"], one["completed"], one["length"]) for one in answer.json] == [
        ("d", True, 0), ("w", True, 4)]


def test_a_file_that_is_to_be_replaced_is_told_as_it_is(alx: Alluxio) -> None:
    alx.put(f"{HOME}/f", b"old")
    number = int(alx.act(f"{HOME}/f", "create-file", {"overwrite": True}).body)
    [info] = alx.act(HOME, "list-status").json
    assert (info["completed"], info["length"]) == (True, 3)
    assert alx.raw("POST", f"/api/v1/streams/{number}/close").status == 200
    assert alx.info(f"{HOME}/f")["length"] == 0


def test_what_is_being_written_is_there_for_alluxios_clients(alx: Alluxio) -> None:
    path = f"{HOME}/w"
    assert alx.act(path, "create-file").status == 200
    assert alx.act(path, "exists").body == b"true"
    assert alx.info(path)["completed"] is False
    for answer in (alx.act(path, "create-directory"), alx.act(path, "create-file")):
        assert answer.code == "ALREADY_EXISTS"
    alx.put(f"{HOME}/f")
    assert alx.act(f"{HOME}/f", "rename", dst=path).code == "ALREADY_EXISTS"
    answer = alx.act(path, "open-file")
    assert (answer.code, answer.message) == (
        "UNKNOWN", (f"Cannot read from {path} because it is incomplete. Wait for the file to be"
                   " marked as complete by the writing thread or application."))
    alx.done(path, "delete")
    assert alx.act(path, "exists").body == b"false"
    assert alx.act(path, "delete").code == "NOT_FOUND"


def test_what_is_being_written_is_gone_with_its_directory(alx: Alluxio) -> None:
    assert alx.act(f"{HOME}/gone/w", "create-file", {"recursive": True}).status == 200
    alx.done(f"{HOME}/gone", "delete", {"recursive": True})
    assert alx.act(f"{HOME}/gone/w", "exists").body == b"false"
    assert alx.act(f"{HOME}/gone/w", "get-status").code == "NOT_FOUND"
    assert alx.act(f"{HOME}/gone/w", "list-status").code == "NOT_FOUND"


def test_nobody_learns_of_writing_where_they_may_not_look(alx: Alluxio) -> None:
    alx.done(f"{HOME}/d", "create-directory", {"mode": 0o700})
    assert alx.act(f"{HOME}/d/w", "create-file").status == 200
    other = alx.as_user("other")
    for action in ("exists", "get-status", "list-status", "create-directory", "delete"):
        assert other.act(f"{HOME}/d/w", action).code == "PERMISSION_DENIED", action
    alx.done(f"{HOME}/d/w", "delete")


@pytest.mark.parametrize("mode", ["711", "744"])
def test_a_tree_tells_no_writing_where_its_reader_may_not_look(alx: Alluxio, mode: str) -> None:
    alx.done(f"{HOME}/d", "create-directory", {"mode": int(mode, 8)})
    assert alx.act(f"{HOME}/d/secret", "create-file").status == 200
    listed = alx.as_user("other").act(HOME, "list-status", {"recursive": True})
    assert names(listed) == ["d"]
    assert names(alx.act(HOME, "list-status", {"recursive": True})) == ["d", "d/secret"]
    alx.done(f"{HOME}/d/secret", "delete")


def test_without_details(tmp_path: Path) -> None:
    settings = {"streams": {**SETTINGS["streams"], "list_details": False}}
    with Gateway(tmp_path, settings=settings, workers=1) as gateway:
        gateway.make_home("alice")
        alx = furnished(gateway)
        alx.put(f"{HOME}/f")
        alx.done(f"{HOME}/f", "set-attribute", {"pinned": True})
        [listed] = alx.act(HOME, "list-status").json
        assert (listed["fileBlockInfos"], listed["pinned"], listed["length"]) == ([], False, 7)
        assert alx.info(f"{HOME}/f")["pinned"] is True


# --- mounts


def test_mounts(alx: Alluxio) -> None:
    admin = alx.as_user("admin")
    alx.put(f"{HOME}/source/f")
    point = f"{HOME}/m"
    answer = alx.act(point, "mount", src=f"{HOME}/source")
    assert (answer.status, answer.code) == (500, "PERMISSION_DENIED")
    assert admin.act(point, "mount").message == "required 'src' parameter is missing"
    admin.done(point, "mount", {"readOnly": True, "properties": {"a": "b"}, "shared": True},
               src=f"{HOME}/source")
    listed = {one["name"]: one for one in alx.act(HOME, "list-status").json}
    assert (listed["m"]["mountPoint"], listed["source"]["mountPoint"]) == (True, False)
    assert listed["m"]["ufsPath"].endswith(f"{HOME}/source")
    assert alx.info(f"{point}/f")["ufsPath"].endswith(f"{HOME}/source/f")
    assert alx.info(f"{point}/f")["mountId"] == alx.info(point)["mountId"] != 1
    answer = alx.act(f"{point}/x", "create-directory")
    assert (answer.code, answer.message) == (
        "PERMISSION_DENIED",
        f"A write operation on {point}/x under a readonly mount point {point} is not allowed")
    answer = admin.act(point, "mount", src=f"{HOME}/source")
    assert (answer.code, answer.message) == (
        "UNKNOWN", (f"Mount point target path {point} already exists in Alluxio namespace."
                   " Try mounting to another path."))
    admin.done(point, "unmount")
    answer = admin.act(point, "unmount")
    assert (answer.code, answer.message) == (
        "NOT_FOUND", f"Failed to unmount: Path {point} does not exist")
    assert alx.act(f"{HOME}/source/f", "exists").body == b"true"


def test_mounts_that_cannot_be(alx: Alluxio) -> None:
    admin = alx.as_user("admin")
    answer = admin.act(f"{HOME}/m", "mount", src=f"{HOME}/nothing")
    assert (answer.code, answer.message) == (
        "UNKNOWN", f"Ufs path {HOME}/nothing does not exist")
    answer = admin.act(f"{HOME}/no/x", "mount", src=HOME)
    assert (answer.code, answer.message) == (
        "UNKNOWN", (f"Failed to mount {HOME} at {HOME}/no/x: File {HOME}/no/x creation failed."
                   " Component 4(no) does not exist"))
    assert admin.act(f"{HOME}/m", "mount", src="ftp://x/y").code == "INVALID_ARGUMENT"


def test_mounts_are_not_deleted_unless_that_is_said(alx: Alluxio) -> None:
    admin = alx.as_user("admin")
    alx.put(f"{HOME}/source/f")
    alx.put(f"{HOME}/d/other")
    admin.done(f"{HOME}/d/m", "mount", src=f"{HOME}/source")
    for path in (f"{HOME}/d/m", f"{HOME}/d"):
        answer = alx.act(path, "delete", {"recursive": True})
        assert (answer.code, answer.message) == (
            "PERMISSION_DENIED", (f"Cannot delete path {path} which is or contains a mount point"
                                 " without --deleteMountPoint/-m option specified"))
        assert alx.act(path, "delete", {"recursive": True, "deleteMountPoint": True}).code == (
            "PERMISSION_DENIED")
    assert admin.act(f"{HOME}/d", "delete", {"deleteMountPoint": True}).code == (
        "FAILED_PRECONDITION")
    admin.done(f"{HOME}/d", "delete", {"recursive": True, "deleteMountPoint": True})
    assert alx.act(f"{HOME}/d", "exists").body == b"false"
    admin.done(f"{HOME}/m", "mount", src=f"{HOME}/source")
    admin.done(f"{HOME}/m", "delete", {"deleteMountPoint": True})
    assert alx.act(f"{HOME}/m", "exists").body == b"false"
    assert alx.act(f"{HOME}/source/f", "exists").body == b"true"


def test_what_is_listed_is_json_to_the_end(alx: Alluxio) -> None:
    for number in range(30):
        alx.put(f"{HOME}/f{number}")
    body = alx.act(HOME, "list-status").body
    assert len(json.loads(body)) == 30


def test_what_is_being_written_cannot_be_changed_yet(alx: Alluxio) -> None:
    path = f"{HOME}/w"
    number = int(alx.act(path, "create-file").body)
    for action, query in (("set-attribute", {}), ("free", {}), ("rename", {"dst": f"{HOME}/x"})):
        answer = alx.act(path, action, **query)
        assert (answer.code, answer.message) == (
            "NOT_FOUND", f'Path "{path}" does not exist.'), action
    assert alx.raw("POST", f"/api/v1/streams/{number}/close").status == 200
    alx.done(path, "set-attribute", {"mode": 0o600})
    alx.done(path, "rename", dst=f"{HOME}/x")
