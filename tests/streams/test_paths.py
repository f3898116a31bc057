"""Paths made, removed, renamed, freed and changed, on every kind of backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import wait_for
from tests.streams.conftest import HOME

if TYPE_CHECKING:
    from tests.streams.conftest import Alluxio, Answer

pytestmark = pytest.mark.gunicorn

MODE = {"ownerBits": "ALL", "groupBits": "READ_EXECUTE", "otherBits": "NONE"}


def refused(answer: Answer, code: str, message: str) -> None:
    """See that an operation failed as Alluxio says it."""
    assert answer.status == 500, answer
    assert (answer.code, answer.message) == (code, message)


def names(answer: Answer) -> list[str]:
    """Return the paths below HOME that a listing told."""
    assert answer.status == 200, answer
    return [one["path"].removeprefix(HOME + "/") for one in answer.json]


# --- create-directory


def test_a_directory_is_made(everywhere: Alluxio) -> None:
    everywhere.done(f"{HOME}/d", "create-directory")
    told = everywhere.info(f"{HOME}/d")
    assert (told["folder"], told["mode"], told["owner"]) == (True, 0o755, "alice")


def test_a_directory_is_not_made_without_its_parents(everywhere: Alluxio) -> None:
    refused(everywhere.act(f"{HOME}/a/b/c", "create-directory"), "NOT_FOUND",
            f"File {HOME}/a/b/c creation failed. Component 4(a) does not exist")
    everywhere.done(f"{HOME}/a/b/c", "create-directory", {"recursive": True, "mode": MODE})
    assert everywhere.info(f"{HOME}/a/b/c")["mode"] == 0o750
    assert everywhere.info(f"{HOME}/a/b")["mode"] == 0o755


def test_a_directory_is_made_once_unless_it_may_exist(everywhere: Alluxio) -> None:
    everywhere.done(f"{HOME}/d", "create-directory", {"mode": MODE})
    refused(everywhere.act(f"{HOME}/d", "create-directory"), "ALREADY_EXISTS",
            f"Not allowed to create directory because path already exists: {HOME}/d")
    everywhere.done(f"{HOME}/d", "create-directory", {"allowExists": True, "mode": 0o777})
    assert everywhere.info(f"{HOME}/d")["mode"] == 0o750
    everywhere.put(f"{HOME}/f")
    refused(everywhere.act(f"{HOME}/f", "create-directory", {"allowExists": True}),
            "ALREADY_EXISTS",
            f"Not allowed to create directory because path already exists: {HOME}/f")


def test_a_directory_with_a_ttl(everywhere: Alluxio) -> None:
    path = f"{HOME}/d"
    everywhere.done(path, "create-directory", {"ttl": 10**8})
    told = everywhere.info(path)
    assert (told["ttl"], told["ttlAction"]) == (10**8, "DELETE")
    everywhere.done(path, "create-directory", {"allowExists": True, "ttl": 1})
    assert everywhere.info(path) == told
    everywhere.done(f"{HOME}/e", "create-directory", {"ttl": -1, "ttlAction": "DELETE"})
    assert everywhere.info(f"{HOME}/e")["ttlAction"] == "FREE"
    everywhere.done(f"{HOME}/f/g", "create-directory", {
        "recursive": True, "commonOptions": {"ttl": 1, "ttlAction": "DELETE"}})
    wait_for("the directory's end", lambda: everywhere.act(
        f"{HOME}/f/g", "exists").body == b"false")
    assert everywhere.act(f"{HOME}/f", "exists").body == b"true"


def test_no_directory_is_made_below_a_file(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f")
    for path in (f"{HOME}/f/x", f"{HOME}/f/x/y"):
        refused(everywhere.act(path, "create-directory", {"recursive": True}), "INVALID_ARGUMENT",
                f"Traversal failed for path {path}. Component 4(f) is a file, not a directory.")


# --- delete


def test_delete(everywhere: Alluxio) -> None:
    everywhere.done(f"{HOME}/d/e", "create-directory", {"recursive": True})
    refused(everywhere.act(f"{HOME}/d", "delete"), "FAILED_PRECONDITION",
            "Cannot delete non-empty directory d because recursive is set to false")
    everywhere.done(f"{HOME}/d/e", "delete", {})
    everywhere.done(f"{HOME}/d/e", "create-directory")
    everywhere.done(f"{HOME}/d", "delete", {"recursive": True})
    refused(everywhere.act(f"{HOME}/d", "delete"), "NOT_FOUND",
            f'Path "{HOME}/d" does not exist.')
    everywhere.put(f"{HOME}/f")
    everywhere.done(f"{HOME}/f", "delete", {"unchecked": True})
    assert everywhere.act(f"{HOME}/f", "exists").body == b"false"


def test_delete_keeps_the_root(alx: Alluxio) -> None:
    for user in ("someone", "admin", "confined"):
        refused(alx.as_user(user).act("/", "delete", {"recursive": True, "deleteMountPoint": True}),
                "PERMISSION_DENIED", "Cannot delete path / which is or contains a mount point"
                " without --deleteMountPoint/-m option specified")


def test_no_ttl_ends_the_root(alx: Alluxio) -> None:
    alx.as_user("confined").act("/", "create-directory", {"recursive": True})
    for user in ("admin", "confined"):
        client = alx.as_user(user)
        for options in ({"ttl": 0}, {"ttl": 0, "ttlAction": "DELETE", "recursive": True},
                        {"commonOptions": {"ttl": 0, "ttlAction": "DELETE"}},
                        {"ttlAction": "DELETE"}):
            assert client.act("/", "set-attribute", options).code == "PERMISSION_DENIED"
        for options in ({"ttl": 86400000, "ttlAction": "FREE"}, {"ttl": -1}):
            client.done("/", "set-attribute", options)


def test_delete_refuses_to_take_the_data_for_a_copy(alx: Alluxio) -> None:
    alx.put(f"{HOME}/f")
    answer = alx.act(f"{HOME}/f", "delete", {"alluxioOnly": True})
    assert (answer.status, answer.code) == (500, "UNIMPLEMENTED")
    assert alx.act(f"{HOME}/f", "exists").body == b"true"
    alx.done(f"{HOME}/f", "delete", {"alluxioOnly": False})


# --- exists


def test_exists(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/a b")
    for path, found in ((HOME, b"true"), (f"{HOME}/a b", b"true"), (f"{HOME}/nope", b"false"),
                        (f"{HOME}/a b/below-a-file", b"false")):
        answer = everywhere.act(path, "exists", {"loadMetadataType": "Once"})
        assert (answer.status, answer.body) == (200, found), path
        assert answer.json is (found == b"true")


# --- rename


def test_rename(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f", b"first")
    everywhere.done(f"{HOME}/f", "rename", dst=f"{HOME}/g")
    assert everywhere.info(f"{HOME}/g")["length"] == 5
    assert everywhere.act(f"{HOME}/f", "exists").body == b"false"
    everywhere.done(f"{HOME}/g", "rename", dst=f"{HOME}//g/")
    refused(everywhere.act(f"{HOME}/f", "rename", dst=f"{HOME}/h"), "NOT_FOUND",
            f'Path "{HOME}/f" does not exist.')
    refused(everywhere.act(f"{HOME}/f", "rename", dst=f"{HOME}/f"), "NOT_FOUND",
            f'Path "{HOME}/f" does not exist.')


@pytest.mark.parametrize("kind", ["file", "empty directory", "directory"])
@pytest.mark.parametrize("source", ["file", "directory"])
def test_rename_replaces_nothing_and_moves_into_nothing(
    everywhere: Alluxio, kind: str, source: str,
) -> None:
    old, new = f"{HOME}/old", f"{HOME}/new"
    if source == "file":
        everywhere.put(old)
    else:
        everywhere.done(f"{old}/x", "create-directory", {"recursive": True})
    if kind == "file":
        everywhere.put(new, b"precious")
    else:
        everywhere.done(new, "create-directory")
    if kind == "directory":
        everywhere.put(f"{new}/inside")
    before = names(everywhere.act(HOME, "list-status", {"recursive": True}))
    refused(everywhere.act(old, "rename", dst=new), "ALREADY_EXISTS",
            f"Cannot rename because destination already exists. src: {old} dst: {new}")
    assert names(everywhere.act(HOME, "list-status", {"recursive": True})) == before


def test_rename_needs_the_parent(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f")
    refused(everywhere.act(f"{HOME}/f", "rename", dst=f"{HOME}/no/where/f"), "NOT_FOUND",
            f'Path "{HOME}/no" does not exist.')
    refused(everywhere.act(f"{HOME}/missing", "rename", dst=f"{HOME}/no/where/f"), "NOT_FOUND",
            f'Path "{HOME}/missing" does not exist.')
    everywhere.put(f"{HOME}/g")
    answer = everywhere.act(f"{HOME}/f", "rename", dst=f"{HOME}/g/f")
    assert (answer.status, answer.code) == (500, "INVALID_ARGUMENT"), answer
    assert everywhere.act(f"{HOME}/f", "exists").body == b"true"


def test_rename_of_what_cannot_be(alx: Alluxio) -> None:
    alx.done(f"{HOME}/a", "create-directory")
    refused(alx.act(f"{HOME}/a", "rename", dst=f"{HOME}/a/b/c"), "INVALID_ARGUMENT",
            f"Cannot rename because {HOME}/a is a prefix of {HOME}/a/b/c")
    refused(alx.act("/", "rename", dst=f"{HOME}/root"), "INVALID_ARGUMENT",
            "The root directory cannot be renamed")
    assert alx.act(f"{HOME}/a", "rename", dst="/").code == "INVALID_ARGUMENT"
    refused(alx.act(f"{HOME}/a", "rename"), "INTERNAL", "required 'dst' parameter is missing")
    refused(alx.act(f"{HOME}/a", "rename", dst="relative"), "INVALID_ARGUMENT",
            'Path "relative" is invalid.')


# --- free


def test_free(everywhere: Alluxio) -> None:
    everywhere.done(f"{HOME}/d", "create-directory")
    everywhere.done(f"{HOME}/d", "free")
    everywhere.put(f"{HOME}/d/f")
    refused(everywhere.act(f"{HOME}/d", "free"), "UNKNOWN",
            f"Cannot free directory {HOME}/d which is not empty."
            ' Please set the "recursive" flag of free operation to true')
    everywhere.done(f"{HOME}/d", "free", {"recursive": True})
    everywhere.done(f"{HOME}/d/f", "set-attribute", {"pinned": True})
    refused(everywhere.act(f"{HOME}/d/f", "free"), "UNKNOWN",
            f"Cannot free file {HOME}/d/f which is pinned. Please unpin it first or set the"
            ' "forced" flag of free operation to true')
    everywhere.done(f"{HOME}/d/f", "free", {"forced": True})
    assert everywhere.info(f"{HOME}/d/f")["length"] == 7
    refused(everywhere.act(f"{HOME}/nope", "free"), "NOT_FOUND",
            f'Path "{HOME}/nope" does not exist.')


# --- set-attribute


def test_set_attribute_of_a_file(everywhere: Alluxio) -> None:
    path = f"{HOME}/f"
    everywhere.put(path)
    before = everywhere.info(path)
    everywhere.done(path, "set-attribute")
    everywhere.done(path, "set-attribute", {})
    assert everywhere.info(path) == before
    everywhere.done(path, "set-attribute", {"mode": MODE, "owner": "alice"})
    everywhere.done(path, "set-attribute", {"pinned": True, "ttl": 86400000})
    told = everywhere.info(path)
    assert {key: told[key] for key in ("mode", "owner", "pinned", "ttl", "ttlAction")} == {
        "mode": 0o750, "owner": "alice", "pinned": True, "ttl": 86400000, "ttlAction": "DELETE"}
    assert told["xattr"] == {}
    everywhere.done(path, "set-attribute", {"commonOptions": {"ttl": 5000000}, "pinned": False})
    told = everywhere.info(path)
    assert (told["pinned"], told["ttl"], told["ttlAction"]) == (False, 5000000, "FREE")
    everywhere.done(path, "set-attribute", {"ttl": -1})
    told = everywhere.info(path)
    assert (told["ttl"], told["ttlAction"]) == (-1, "FREE")


def test_set_attribute_of_a_directory(everywhere: Alluxio) -> None:
    everywhere.done(f"{HOME}/d", "create-directory")
    everywhere.done(f"{HOME}/d", "set-attribute", {"pinned": True, "mode": 0o700})
    told = everywhere.info(f"{HOME}/d")
    assert (told["pinned"], told["mode"]) == (True, 0o700)


@pytest.mark.parametrize(("options", "factor"), [
    ({"replicationMin": 2, "replicationMax": 2}, 2), ({"replicationMin": 4}, 4),
    ({"replicationMin": 0, "replicationMax": 1}, 1), ({"replicationMin": 1}, 3),
    ({"replicationMax": -1}, 3), ({"replicationMin": 1, "replicationMax": 5}, 3)])
def test_replication(alx: Alluxio, options: dict[str, Any], factor: int) -> None:
    alx.put(f"{HOME}/f")
    alx.done(f"{HOME}/f", "set-attribute", {"replicationMin": 3, "replicationMax": 3})
    alx.done(f"{HOME}/f", "set-attribute", options)
    told = alx.info(f"{HOME}/f")
    assert (told["replicationMin"], told["replicationMax"]) == (factor, factor)


def test_replication_that_cannot_be(alx: Alluxio) -> None:
    alx.put(f"{HOME}/f")
    for options in ({"replicationMin": 3, "replicationMax": 2}, {"replicationMin": 100000}):
        assert alx.act(f"{HOME}/f", "set-attribute", options).code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("mode", [0o750, 0o400, 0o300])
def test_set_attribute_of_a_tree(everywhere: Alluxio, mode: int) -> None:
    for path in ("t/a/b/c", "t/d"):
        everywhere.done(f"{HOME}/{path}", "create-directory", {"recursive": True})
    everywhere.put(f"{HOME}/t/a/b/f")
    everywhere.done(f"{HOME}/t", "set-attribute",
                    {"recursive": True, "pinned": True, "mode": mode})
    admin = everywhere.as_user("admin")
    answer = admin.act(HOME, "list-status", {"recursive": True})
    assert names(answer) == ["t", "t/a", "t/a/b", "t/a/b/c", "t/a/b/f", "t/d"]
    assert {(one["mode"], one["pinned"]) for one in answer.json} == {(mode, True)}
    admin.done(f"{HOME}/t", "set-attribute", {"recursive": True, "owner": "bob", "mode": 0o777})
    answer = admin.act(HOME, "list-status", {"recursive": True})
    assert {(one["mode"], one["owner"]) for one in answer.json} == {(0o777, "bob")}


def test_a_tree_that_can_be_changed_in_part_says_how_far_it_came(everywhere: Alluxio) -> None:
    everywhere.done(f"{HOME}/t/b", "create-directory", {"recursive": True})
    everywhere.done(f"{HOME}/t/a", "create-directory", {"mode": 0o777})
    everywhere.as_user("admin").done(f"{HOME}/t/b", "set-attribute", {"owner": "bob"})
    answer = everywhere.act(f"{HOME}/t", "set-attribute", {"recursive": True, "mode": 0o700})
    assert answer.code == "PERMISSION_DENIED"
    assert f"{HOME}/t/b" in answer.message
    assert "2 were changed before" in answer.message
    everywhere.as_user("admin").done(f"{HOME}/t", "set-attribute",
                                     {"recursive": True, "owner": "alice"})


def test_who_may_not_give_a_file_away_is_told_in_alluxios_words(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/f")
    for options in ({"owner": "nosuchuser"}, {"group": "nosuchgroup"}):
        answer = everywhere.act(f"{HOME}/f", "set-attribute", options)
        assert (answer.status, answer.code) == (500, "PERMISSION_DENIED")
        assert answer.message.startswith(
            f"Could not setOwner for UFS file {HOME}/f ."
            " Aborting the setAttribute operation in Alluxio.")


def test_set_attribute_of_nothing(alx: Alluxio) -> None:
    for options in ({}, {"pinned": True}, {"mode": 0o700}, {"recursive": True, "ttl": 1}):
        refused(alx.act(f"{HOME}/nope", "set-attribute", options), "NOT_FOUND",
                f'Path "{HOME}/nope" does not exist.')


def test_a_file_is_persisted_and_stays_so(alx: Alluxio) -> None:
    alx.put(f"{HOME}/f")
    alx.done(f"{HOME}/f", "set-attribute", {"persisted": True})
    assert alx.act(f"{HOME}/f", "set-attribute", {"persisted": False}).code == "UNIMPLEMENTED"


# --- who


def test_readers_change_nothing(alx: Alluxio) -> None:
    alx.put(f"{HOME}/f")
    reader = alx.as_user("reader")
    assert reader.info(f"{HOME}/f")["length"] == 7
    assert names(reader.act(HOME, "list-status")) == ["f"]
    for action, query in (("create-directory", {}), ("delete", {}), ("set-attribute", {}),
                          ("rename", {"dst": f"{HOME}/g"}), ("create-file", {})):
        answer = reader.act(f"{HOME}/f", action, **query)
        assert (answer.status, answer.code) == (500, "PERMISSION_DENIED"), action
    assert alx.info(f"{HOME}/f")["length"] == 7


def test_what_hdfs_forbids(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/d/f")
    everywhere.done(f"{HOME}/d", "set-attribute", {"mode": 0o700})
    other = everywhere.as_user("other")
    for action in ("get-status", "exists", "list-status", "delete", "free", "set-attribute"):
        answer = other.act(f"{HOME}/d/f", action)
        assert (answer.status, answer.code) == (500, "PERMISSION_DENIED"), action
    for action in ("list-status",):
        assert other.act(f"{HOME}/d", action).code == "PERMISSION_DENIED"
    assert other.act(f"{HOME}/d/new", "create-directory").code == "PERMISSION_DENIED"


def test_nobody_leaves_their_room(alx: Alluxio) -> None:
    confined = alx.as_user("confined")
    answer = confined.act("/in", "create-directory", {"allowExists": True})
    assert answer.status == 200
    told = confined.info("/in")
    assert (told["path"], told["ufsPath"].endswith("room/in")) == ("/in", False)
    assert "/user/alice" not in str(told)
    for path in ("/../x", "/in/../../x"):
        assert confined.act(path, "get-status").code == "INVALID_ARGUMENT"
        assert confined.act(path, "exists").body == b"false"
    refused(confined.act("/in/a/b", "create-directory"), "NOT_FOUND",
            "File /in/a/b creation failed. Component 2(a) does not exist")
    assert "/user/alice" not in confined.act("/in/x", "get-status").message
    confined.done("/in", "delete", {"recursive": True})
