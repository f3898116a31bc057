"""Rules of HDFS that hold without a cluster to compare with."""

from pathlib import Path

import pytest

from app.embedded import create_server
from tests.embedded.client import Client
from tests.embedded.invariants import check, data_files

HOME = "/user/alice"


def test_a_home_directory_is_made_on_first_sight(alice: Client, bob: Client) -> None:
    assert alice.get("GETHOMEDIRECTORY", "/").json == {"Path": HOME}
    home = bob.status("/user/bob")
    assert (home["owner"], home["group"], home["permission"]) == ("bob", "bob", "755")
    assert alice.status("/tmp")["permission"] == "1777"


def test_doas_is_the_effective_user(server: object, alice: Client) -> None:
    alice.create(f"{HOME}/secret", b"x", permission="600")
    answer = alice.get("OPEN", f"{HOME}/secret", doas="bob")
    assert answer.error == (403, "AccessControlException")
    gateway = Client(alice.application, "gateway")
    assert gateway.content(f"{HOME}/secret", doas="alice") == b"x"


def test_new_files_have_the_group_of_their_directory(alice: Client, superuser: Client) -> None:
    alice.put("MKDIRS", f"{HOME}/shared")
    superuser.put("SETOWNER", f"{HOME}/shared", group="staff")
    alice.create(f"{HOME}/shared/f")
    assert alice.status(f"{HOME}/shared/f")["group"] == "staff"


@pytest.mark.parametrize(
    ("mode", "operation", "allowed"),
    [
        ("700", "status", False),
        ("711", "status", True),
        ("711", "list", False),
        ("755", "list", True),
        ("755", "create", False),
        ("777", "create", True),
    ],
)
def test_others_need_the_bit(
    alice: Client, bob: Client, mode: str, operation: str, allowed: bool
) -> None:
    alice.create(f"{HOME}/d/f", b"x")
    alice.put("SETPERMISSION", f"{HOME}/d", permission=mode)
    answer = {
        "status": lambda: bob.get("GETFILESTATUS", f"{HOME}/d/f"),
        "list": lambda: bob.get("LISTSTATUS", f"{HOME}/d"),
        "create": lambda: bob.put("CREATE", f"{HOME}/d/bobs", b"y"),
    }[operation]()
    assert (answer.status < 300) is allowed
    if not allowed:
        assert answer.error == (403, "AccessControlException")


def test_the_superuser_may_do_all(alice: Client, superuser: Client) -> None:
    alice.create(f"{HOME}/d/f", b"x")
    alice.put("SETPERMISSION", f"{HOME}/d", permission="000")
    assert alice.get("OPEN", f"{HOME}/d/f").status == 403
    assert superuser.content(f"{HOME}/d/f") == b"x"


def test_a_sticky_directory_keeps_entries_for_their_owners(alice: Client, bob: Client) -> None:
    alice.create("/tmp/f", b"x", permission="666")
    assert bob.delete("/tmp/f").error == (403, "AccessControlException")
    assert bob.put("RENAME", "/tmp/f", destination="/tmp/g").status == 403
    assert alice.delete("/tmp/f").json == {"boolean": True}


def test_default_acls_are_inherited_and_enforced(alice: Client, bob: Client) -> None:
    alice.put("MKDIRS", f"{HOME}/d", permission="711")
    alice.put("MODIFYACLENTRIES", f"{HOME}/d", aclspec="default:user:bob:rw-")
    alice.create(f"{HOME}/d/f", b"x", permission="660")
    assert alice.get("GETACLSTATUS", f"{HOME}/d/f").json["AclStatus"]["entries"] == [
        "user:bob:rw-",
        "group::--x",
    ]
    assert bob.post("APPEND", f"{HOME}/d/f", b"y").status == 200
    alice.put("SETPERMISSION", f"{HOME}/d/f", permission="600")
    assert bob.get("OPEN", f"{HOME}/d/f").status == 403, "the group bits are the mask"


def test_quotas_are_enforced_and_given_back(alice: Client, superuser: Client) -> None:
    alice.put("MKDIRS", f"{HOME}/q")
    superuser.put("SETQUOTA", f"{HOME}/q", namespacequota=2, storagespacequota=3 * 4096)
    alice.create(f"{HOME}/q/f", b"x" * 4096, blocksize=4096)
    assert alice.put("MKDIRS", f"{HOME}/q/d").error == (403, "NSQuotaExceededException")
    refused = alice.post("APPEND", f"{HOME}/q/f", b"y")
    assert refused.error == (403, "DSQuotaExceededException")
    usage = alice.get("GETQUOTAUSAGE", f"{HOME}/q").json["QuotaUsage"]
    assert (usage["fileAndDirectoryCount"], usage["spaceConsumed"]) == (2, 3 * 4096)
    alice.delete(f"{HOME}/q/f")
    alice.create(f"{HOME}/q/g", b"z" * 4096, blocksize=4096)
    assert alice.content(f"{HOME}/q/g") == b"z" * 4096


def test_xattrs_have_limits(alice: Client) -> None:
    alice.create(f"{HOME}/f")

    def put(name: str, value: str) -> int:
        parameters = {"xattr.name": name, "xattr.value": value, "flag": "CREATE"}
        return alice.put("SETXATTR", f"{HOME}/f", **parameters).status

    assert put("user.big", "x" * (16384 - 3)) == 200
    assert put("user.more", "x" * 16384) == 400
    assert [put(f"user.{number}", "x") for number in range(32)] == [200] * 31 + [403]


def test_deleting_a_tree_gives_its_space_back(alice: Client, directory: Path) -> None:
    for number in range(30):
        alice.create(f"{HOME}/tree/{number % 3}/{number}", b"x" * 100)
    assert len(data_files(directory)) == 30
    assert alice.delete(f"{HOME}/tree", recursive="true").json == {"boolean": True}
    assert data_files(directory) == {}
    check(directory)


def test_what_is_not_webhdfs_is_refused(alice: Client) -> None:
    assert alice.once("GET", "http://embedded/elsewhere?op=LISTSTATUS").status == 404
    assert alice.once("GET", "http://embedded/webhdfs/v1/%ff?op=LISTSTATUS").status == 400
    assert alice.once("HEAD", "http://embedded/webhdfs/v1/?op=LISTSTATUS").status == 400


def test_another_layout_is_not_touched(directory: Path) -> None:
    server = create_server(directory)
    with server.store.database.write() as connection:  # type: ignore[attr-defined]
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ValueError, match="layout version 99"):
        create_server(directory)
