"""Owners, times, ACLs, xattrs, snapshots, quotas and the trash."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.client import CONTENT, Files, errors_of
from tests.gateway import Gateway

if TYPE_CHECKING:
    from pathlib import Path


def b64(content: bytes) -> str:
    """Return the base64 of a value."""
    return base64.b64encode(content).decode()


# --- owner and times


def test_owners_are_set_by_superusers(files: Files) -> None:
    files.put("f", b"x")
    where = {"path": files.at("f")}
    files.call("PUT", "/f/file/owner", 403, owner="bob", **where)
    files.by("admin").call("PUT", "/f/file/owner", 204, owner="bob", group="staff", **where)
    status = files.status("f")
    assert (status["owner"], status["group"]) == ("bob", "staff")
    files.by("admin").call("PUT", "/f/file/owner", 204, owner="alice", **where)
    assert files.status("f")["group"] == "staff"
    answer = files.call("PUT", "/f/file/owner", 400, **where)
    assert "'owner'" in errors_of(answer)


def test_times(files: Files) -> None:
    files.put("f", b"x")
    files.call("PUT", "/f/file/times", 204, path=files.at("f"),
               **{"modification-time": "1234567890123", "access-time": "1234567890456"})
    status = files.status("f")
    assert status["modificationTime"] == 1234567890123
    assert status["accessTime"] == 1234567890456
    files.call("PUT", "/f/file/times", 204, path=files.at("f"), modification_time="1000")
    status = files.status("f")
    assert (status["modificationTime"], status["accessTime"]) == (1000, 1234567890456)
    files.call("PUT", "/f/file/times", 400, path=files.at("f"))
    files.call("PUT", "/f/file/times", 400, path=files.at("f"), modification_time="-5")
    for late in ("9223372036854775808", "9999999999999999999"):
        answer = files.call(
            "PUT", "/f/file/times", 400, path=files.at("f"), modification_time=late)
        assert "'modification-time'" in errors_of(answer)
    assert files.status("f")["modificationTime"] == 1000


# --- ACLs


def acl(files: Files, name: str) -> dict[str, Any]:
    """Return an ACL."""
    result: dict[str, Any] = files.call(
        "GET", "/f/file/acl", path=files.at(name)).json()["result"]["acl"]
    return result


def change(files: Files, name: str, expect: int = 204, **more: str) -> Any:
    """Change an ACL."""
    return files.call("PUT", "/f/file/acl", expect, path=files.at(name), **more)


def test_acls(files: Files) -> None:
    files.put("f", b"for bob", permission="600")
    bob = files.by("other")
    bob.get("f", 403)
    change(files, "f", entries="user:bob:r--")
    assert bob.read("f") == b"for bob"
    found = acl(files, "f")
    assert found["owner"] == "alice"
    assert found["stickyBit"] is False
    assert "user:bob:r--" in found["entries"]
    change(files, "f", action="modify", entries="user:carol:rw-")
    assert {"user:bob:r--", "user:carol:rw-"} <= set(acl(files, "f")["entries"])
    change(files, "f", action="remove", entries="user:bob:")
    assert "user:bob:r--" not in acl(files, "f")["entries"]
    change(files, "f", entries="user:dora:r--,group:staff:r--")
    change(files, "f", action="remove", entries="user:dora,group:staff,user:nobody:")
    entries = acl(files, "f")["entries"]
    assert "user:carol:rw-" in entries
    assert not any("dora" in entry or "staff" in entry for entry in entries)
    bob.get("f", 403)
    change(files, "f", action="set", entries="user::rw-,group::---,other::---,user:bob:r--")
    assert bob.read("f") == b"for bob"
    change(files, "f", action="remove-all")
    assert acl(files, "f")["entries"] == []
    bob.get("f", 403)


def test_default_acls(files: Files) -> None:
    files.mkdir("d", permission="755")
    change(files, "d", entries="default:user:bob:rwx")
    assert "default:user:bob:rwx" in acl(files, "d")["entries"]
    files.put("d/f", b"x")
    assert any(entry.startswith("user:bob:") for entry in acl(files, "d/f")["entries"])
    change(files, "d", action="remove-default")
    assert acl(files, "d")["entries"] == []


@pytest.mark.parametrize(("action", "entries"), [
    ("modify", ""), ("modify", None), ("set", None), ("modify", "nonsense"),
    ("modify", "user:bob:q"), ("remove-all", "user:bob:r--"), ("erase", "user:bob:r--"),
    ("set", "user:bob:r--"), ("remove", "user:bob:rwx"), ("remove", "bob"),
    ("modify", "mask:bob:rwx"), ("modify", "other:bob:rwx"),
])
def test_acls_that_are_none(files: Files, action: str, entries: str | None) -> None:
    files.put("f", b"x")
    files.call("PUT", "/f/file/acl", 400, path=files.at("f"), action=action, entries=entries)
    assert acl(files, "f")["entries"] == []


def test_acls_are_changed_by_owners(files: Files) -> None:
    files.put("f", b"x")
    change(files.by("other"), "f", 403, entries="user:bob:rwx")
    change(files.by("reader"), "f", 403, entries="user:bob:rwx")


# --- xattrs


def xattrs(files: Files, name: str, expect: int = 200, **more: str) -> Any:
    """Return xattrs by name, decoded."""
    answer = files.call("GET", "/f/file/xattrs", expect, path=files.at(name), **more)
    if expect != 200:
        return answer
    return {key: base64.b64decode(value)
            for key, value in answer.json()["result"]["xattrs"].items()}


def set_xattr(files: Files, key: str, value: bytes, expect: int = 204, **more: str) -> Any:
    """Set an xattr of the file `f`."""
    return files.call("PUT", "/f/file/xattrs", expect, path=files.at("f"), name=key,
                      value=b64(value), **more)


def test_xattrs(files: Files) -> None:
    files.put("f", b"x")
    assert xattrs(files, "f") == {}
    values = {"user.text": b"text", "user.empty": b"", "user.bytes": bytes(range(256)),
              "user.odd é": "é".encode()}
    for key, value in values.items():
        set_xattr(files, key, value)
    assert xattrs(files, "f") == values
    assert xattrs(files, "f", names="user.text,user.empty") == {
        "user.text": b"text", "user.empty": b""}
    set_xattr(files, "user.text", b"other")
    files.call("DELETE", "/f/file/xattrs", 204, path=files.at("f"), name="user.empty")
    assert xattrs(files, "f", names="user.text") == {"user.text": b"other"}
    xattrs(files, "f", 404, names="user.empty")
    files.call("DELETE", "/f/file/xattrs", 404, path=files.at("f"), name="user.empty")


def test_xattrs_under_conditions(files: Files) -> None:
    files.put("f", b"x")
    set_xattr(files, "user.a", b"1", 404, **{"if": "present"})
    set_xattr(files, "user.a", b"1", **{"if": "absent"})
    set_xattr(files, "user.a", b"2", 409, **{"if": "absent"})
    set_xattr(files, "user.a", b"3", **{"if": "present"})
    assert xattrs(files, "f") == {"user.a": b"3"}


def test_xattrs_that_are_none(files: Files) -> None:
    files.put("f", b"x")
    set_xattr(files, "nonamespace", b"1", 400)
    set_xattr(files, "unknown.space", b"1", 400)
    files.call("PUT", "/f/file/xattrs", 400, path=files.at("f"), name="user.a", value="!!!")
    files.call("PUT", "/f/file/xattrs", 400, path=files.at("f"), value="eA==")
    assert xattrs(files, "f") == {}


def test_xattrs_of_superusers_are_theirs(files: Files) -> None:
    files.put("f", b"x")
    set_xattr(files, "trusted.a", b"1", 403)
    set_xattr(files.by("admin"), "trusted.a", b"1")
    assert xattrs(files, "f") == {}
    assert xattrs(files.by("admin"), "f") == {"trusted.a": b"1"}
    set_xattr(files.by("other"), "user.a", b"1", 403)
    set_xattr(files.by("reader"), "user.a", b"1", 403)


# --- snapshots


def test_snapshots(files: Files) -> None:
    files.put("d/f", b"then")
    where = {"path": files.at("d")}
    answer = files.call("POST", "/f/snapshot", 409, name="one", **where)
    assert "snapshottable" in errors_of(answer)
    files.call("PUT", "/f/snapshot", 403, allowed="true", **where)
    admin = files.by("admin")
    admin.call("PUT", "/f/snapshot", 204, allowed="true", **where)
    made = files.call("POST", "/f/snapshot", 201, name="one", **where)
    assert made.headers["Location"].endswith(f"{files.at('d')}/.snapshot/one")
    files.put("d/f", b"now", overwrite="true")
    assert files.read("d/.snapshot/one/f") == b"then"
    assert files.read("d/f") == b"now"
    assert snapshots(files) == ["one"]
    assert "snapshot" in errors_of(files.call("POST", "/f/snapshot", 409, name="one", **where))
    files.call("PUT", "/f/snapshot/name", 204, name="one", new_name="two", **where)
    assert snapshots(files) == ["two"]
    assert "no such snapshot" in errors_of(files.call(
        "PUT", "/f/snapshot/name", 404, name="one", new_name="three", **where))
    unnamed = files.call("POST", "/f/snapshot", 201, **where)
    assert "/.snapshot/" in unnamed.headers["Location"]
    files.call("POST", "/f/snapshot", 400, name=".snapshot", **where)
    for refused in (files.call("DELETE", "/f/file", 409, recursive="true", **where),
                    admin.call("PUT", "/f/snapshot", 409, allowed="false", **where)):
        assert "has snapshots" in errors_of(refused)
    for name in snapshots(files):
        files.call("DELETE", "/f/snapshot", 204, name=name, **where)
    assert "no such snapshot" in errors_of(
        files.call("DELETE", "/f/snapshot", 404, name="two", **where))
    admin.call("PUT", "/f/snapshot", 204, allowed="false", **where)
    files.call("DELETE", "/f/file", 204, recursive="true", **where)


def test_snapshots_do_not_change(files: Files) -> None:
    files.put("d/f", b"then")
    where = {"path": files.at("d")}
    files.by("admin").call("PUT", "/f/snapshot", 204, allowed="true", **where)
    files.call("POST", "/f/snapshot", 201, name="s", **where)
    frozen = files.at("d/.snapshot/s/f")
    for method, url, more in (
        ("PUT", CONTENT, {"path": files.at("d/.snapshot/s/g")}), ("DELETE", CONTENT, {}),
        ("PUT", CONTENT, {"overwrite": "true"}), ("DELETE", "/f/file", {}),
        ("PUT", "/f/file/permission", {"permission": "777"}),
        ("PUT", "/f/name", {"destination": files.at("g")}),
    ):
        answer = files.gateway.request(method, url, params={"path": frozen, **more}, data=b"x")
        assert answer.status_code in (400, 403, 409), (method, url, answer.text)
    assert files.read("d/.snapshot/s/f") == b"then"
    assert files.names(files.at("d/.snapshot/s")) == ["f"]
    files.call("DELETE", "/f/snapshot", 204, name="s", **where)
    files.by("admin").call("PUT", "/f/snapshot", 204, allowed="false", **where)


def snapshots(files: Files) -> list[str]:
    """Return the names of the snapshots of the directory `d`."""
    result = files.call("GET", "/f/snapshot", path=files.at("d")).json()["result"]
    return [snapshot["name"] for snapshot in result["snapshots"]]


# --- quotas


def test_quotas(files: Files) -> None:
    files.mkdir("d")
    where = {"path": files.at("d")}
    admin = files.by("admin")
    if files.backend == "httpfs":
        admin.call("PUT", "/f/quota", 501, names="3", **where)
        return
    files.call("PUT", "/f/quota", 403, names="3", **where)
    admin.call("PUT", "/f/quota", 204, names="3", space="2000000000", **where)
    summary = files.call("GET", "/f/file/summary", **where).json()["result"]["summary"]
    assert (summary["quota"], summary["spaceQuota"]) == (3, 2_000_000_000)
    files.put("d/one", b"1", replication="1")
    files.put("d/two", b"2", replication="1")
    answer = files.put("d/three", b"3", 403)
    assert "quota" in errors_of(answer)
    files.put("d/one", b"x", 403, overwrite="true", replication="512")
    assert sorted(files.names(files.at("d"))) == ["one", "two"]
    assert files.read("d/one") == b"1"
    admin.call("PUT", "/f/quota", 204, names="-1", space="-1", **where)
    files.put("d/three", b"3")
    answer = admin.call("PUT", "/f/quota", 400, **where)
    assert "'names'" in errors_of(answer)


# --- trash


def test_trash(files: Files) -> None:
    for content in (b"first", b"second"):
        files.put("f", content, overwrite="true")
        files.call("DELETE", "/f/file", 204, path=files.at("f"), skip_trash="false")
        files.missing("f")
    trash = f"/user/alice/.Trash/Current{files.directory}"
    kept = files.names(trash)
    assert len(kept) == 2
    contents = {files.call("GET", CONTENT, path=f"{trash}/{name}").content for name in kept}
    assert contents == {b"first", b"second"}


def test_trash_of_directories(files: Files) -> None:
    files.put("d/f", b"x")
    files.mkdir("void")
    files.call("DELETE", "/f/file", 409, path=files.at("d"), skip_trash="false")
    files.call("DELETE", "/f/file", 204, path=files.at("d"), skip_trash="false", recursive="true")
    files.call("DELETE", "/f/file", 204, path=files.at("void"), skip_trash="false")
    assert files.names() == []
    trash = f"/user/alice/.Trash/Current{files.directory}"
    assert files.call("GET", CONTENT, path=f"{trash}/d/f").content == b"x"
    files.call("DELETE", "/f/file", 403, path="/user/alice/.Trash", recursive="true",
               skip_trash="false")
    files.call("DELETE", "/f/file", 204, path=f"{trash}/d", recursive="true")


@pytest.mark.gunicorn
def test_no_trash_on_an_embedded_backend_with_an_interval_of_0(tmp_path: Path) -> None:
    settings = {"backend": {"embedded_trash_minutes": 0}}
    with Gateway(tmp_path, settings=settings) as gateway:
        gateway.make_home("alice")
        files = Files(gateway, "embedded", "/user/alice")
        files.put("f", b"content")
        answer = files.call("DELETE", "/f/file", 409, path=files.at("f"), skip_trash="false")
        assert "trash" in errors_of(answer)
        assert files.read("f") == b"content"
        assert files.names() == ["f"]
