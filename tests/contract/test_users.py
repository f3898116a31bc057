"""Who may: authentication, read-only users, users kept in a directory, Hadoop's own rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOM
from tests.contract.client import CONTENT, Files, errors_of, fresh_name, status_of

if TYPE_CHECKING:
    from tests.gateway import Gateway

REAL = ("/user/alice", "room")


@pytest.fixture
def confined(gateway: Gateway, backend: str) -> Files:
    """Return the user who sees /user/alice/room as `/`; no answer may show a real path."""
    work = Files(gateway, backend, f"/{fresh_name()}", "confined", REAL)
    work.call("PUT", "/f/directory", 201, path=work.directory)
    return work


# --- authentication


@pytest.mark.parametrize("url", ["/f/home-directory", "/f/file/content?path=x", "/users/me"])
def test_nobody_comes_in(files: Files, url: str) -> None:
    files.by(None).call("GET", url, 401)
    for header in ("Basic", "Basic !!!", "Basic c29tZW9uZQ==", "Bearer abc", "Basic 4pyT",
                   "Basic c29tZW9uZTp3cm9uZw=="):
        files.by(None).call("GET", url, 401, headers={"Authorization": header})
    for user in ("nobody-known", "gone", "SOMEONE"):
        files.by(user).call("GET", url, 401)


def test_refusals_do_not_tell_what_was_wrong(files: Files) -> None:
    def refusal(user: str, password: str) -> str:
        answer = files.gateway.request("GET", "/f/home-directory", auth=(user, password))
        assert answer.status_code == 401
        return errors_of(answer)

    assert len({refusal("someone", "wrong"), refusal("nobody", "secret"),
                refusal("gone", "secret")}) == 1


def test_users_me(files: Files) -> None:
    for user, hadoop_user in (("someone", "alice"), ("other", "bob")):
        answer = files.by(user).call("GET", "/users/me")
        text = answer.text
        assert user in text
        assert hadoop_user in text


def test_files_belong_to_the_hadoop_user(files: Files) -> None:
    files.put("mine", b"x")
    assert files.status("mine")["owner"] == "alice"
    other = files.by("other")
    assert other.call("GET", "/f/home-directory").json()["result"] == {"path": "/user/bob"}
    name = f"/user/bob/{fresh_name()}"
    other.call("PUT", CONTENT, 201, path=name, data=b"x")
    assert status_of(other, name)["owner"] == "bob"
    answer = files.call("DELETE", "/f/file", 403, path=name)
    assert name in errors_of(answer)
    other.call("DELETE", "/f/file", 204, path=name)


# --- read only


def test_readers_read(files: Files) -> None:
    files.put("f", b"content")
    reader = files.by("reader")
    assert reader.read("f") == b"content"
    assert reader.names() == ["f"]
    assert reader.status("f")["length"] == 7
    reader.call("GET", "/f/archive", path=files.directory)
    reader.call("GET", "/f/file/summary", path=files.directory)


def test_readers_change_nothing(files: Files) -> None:
    files.put("f", b"content")
    files.put("g", b"content")
    reader, where = files.by("reader"), {"path": files.at("f")}
    reader.put("new", b"x", 403)
    reader.put("f", b"x", 403, overwrite="true")
    reader.append("f", b"x", 403)
    reader.mkdir("d", 403)
    for method, url, more in (
        ("POST", CONTENT, {"sources": "g"}), ("DELETE", CONTENT, {}), ("DELETE", "/f/file", {}),
        ("DELETE", "/f/file", {"skip-trash": "false"}),
        ("PUT", "/f/name", {"destination": files.at("h")}),
        ("PUT", "/f/file/permission", {"permission": "777"}),
        ("PUT", "/f/file/replication", {"replication": "2"}),
        ("PUT", "/f/file/owner", {"owner": "bob"}),
        ("PUT", "/f/file/times", {"access-time": "1"}),
        ("PUT", "/f/file/acl", {"entries": "user:bob:rwx"}),
        ("PUT", "/f/file/xattrs", {"name": "user.a", "value": "eA=="}),
        ("DELETE", "/f/file/xattrs", {"name": "user.a"}),
        ("POST", "/f/snapshot", {}), ("PUT", "/f/quota", {"names": "3"}),
        ("PUT", "/f/snapshot", {"allowed": "true"}),
        ("PUT", "/f/snapshot/name", {"name": "a", "new-name": "b"}),
        ("DELETE", "/f/snapshot", {"name": "a"}),
    ):
        answer = reader.call(method, url, 403, **where, **more)
        assert "only read" in errors_of(answer)
    assert files.names() == ["f", "g"]
    assert files.read("f") == b"content"


# --- kept inside


def test_a_confined_user_works_inside(confined: Files, gateway: Gateway) -> None:
    home = confined.call("GET", "/f/home-directory").json()["result"]["path"]
    assert home == "/"
    confined.put("f", b"content")
    confined.append("f", b"!")
    assert confined.read("f") == b"content!"
    assert confined.names() == ["f"]
    relative = confined.directory[1:] + "/f"
    assert status_of(confined, relative) == confined.status("f")
    confined.call("PUT", "/f/name", 201, path=confined.at("f"), destination=confined.at("g"))
    everyone = gateway.request(
        "GET", CONTENT, params={"path": f"{ROOM}{confined.at('g')}"}).content
    assert everyone == b"content!"
    confined.call("DELETE", "/f/file", 204, path=confined.directory, recursive="true")


@pytest.mark.parametrize("path", [
    "/..", "/../..", "../x", "/../user/bob", "..", "/x/../../../user/alice", "./../y",
])
def test_a_confined_user_does_not_get_out(confined: Files, path: str) -> None:
    confined = confined.by("confined")  # answers may repeat what was asked for
    for method, url, more in (
        ("GET", "/f/file/status", {}), ("GET", "/f/listing", {}), ("GET", CONTENT, {}),
        ("PUT", CONTENT, {}), ("DELETE", "/f/file", {"recursive": "true"}),
        ("GET", "/f/archive", {}), ("PUT", "/f/directory", {}),
        ("PUT", "/f/name", {"destination": "/x"}),
    ):
        confined.call(method, url, 400, path=path, **more)
    confined.call("PUT", "/f/name", 400, path=confined.directory, destination=path)


def test_a_confined_user_sees_nothing_outside(confined: Files, gateway: Gateway) -> None:
    for path in ("/user/alice", "/user/bob", "/tmp", "/user/alice/room"):
        # The whole of the real file system has other names here: these are plain misses.
        work = Files(gateway, confined.backend, "/", "confined")
        work.call("GET", "/f/file/status", 404, path=path)
        work.call("GET", "/f/listing", 404, path=path)
    names = confined.names("/")
    assert "alice" not in names
    assert confined.directory[1:] in names


def test_no_answer_to_a_confined_user_shows_a_real_path(confined: Files) -> None:
    confined.put("f", b"x")
    confined.mkdir("d/e")
    where = {"path": confined.at("f")}
    confined.put("f", b"x", 409)
    confined.put("d", b"x", 409)
    confined.put("f/below", b"x", 409)
    confined.mkdir("f", 409)
    confined.get("nothing", 404)
    confined.get("d", 404)
    confined.get("f", 416, offset="10")
    confined.append("nothing", b"x", 404)
    confined.call("POST", CONTENT, 404, sources="nothing", **where)
    confined.call("POST", CONTENT, 400, sources="f", **where)
    confined.call("DELETE", "/f/file", 409, path=confined.at("d"))
    confined.call("DELETE", "/f/file", 404, path=confined.at("nothing"))
    confined.call("DELETE", "/f/file", 403, path="/", recursive="true")
    confined.call("PUT", "/f/name", 409, path=confined.at("d"), destination=confined.at("f"))
    confined.call("PUT", "/f/name", 404, destination=confined.at("no/where"), **where)
    confined.call("PUT", "/f/name", 409, path=confined.at("d"), destination=confined.at("d/e/x"))
    moved = confined.call("PUT", "/f/name", 201, destination=confined.at("d"), **where)
    assert moved.headers["Location"].endswith(confined.at("d/f"))
    confined.call("PUT", "/f/file/owner", 403, path=confined.at("d"), owner="bob")
    confined.call("PUT", "/f/file/replication", 400, path=confined.at("d"), replication="2")
    confined.call("PUT", "/f/file/acl", 400, path=confined.at("d"), entries="nonsense")
    confined.call("GET", "/f/file/xattrs", 404, path=confined.at("d"), names="user.none")
    confined.call("POST", "/f/snapshot", 409, path=confined.at("d"), name="s")
    confined.call("PUT", "/f/snapshot", 403, path=confined.at("d"), allowed="true")
    confined.call("GET", "/f/archive", 404, path=confined.at("nothing"))


def test_the_archive_of_a_confined_root_does_not_name_it(confined: Files) -> None:
    confined.put("f", b"x")
    answer = confined.call("GET", "/f/archive", path="/")
    assert b"room" not in answer.content
    assert b"f" in answer.content


def test_a_confined_user_is_told_to_be_confined_and_not_where(confined: Files) -> None:
    user = confined.call("GET", "/users/me").json()["result"]["user"]
    assert (user["confined"], user["home"]) == (True, "/")
    user = confined.by("other").call("GET", "/users/me").json()["result"]["user"]
    assert (user["confined"], user["home"]) == (False, "/user/bob")


def test_a_confined_user_has_no_trash_outside(confined: Files) -> None:
    confined.put("f", b"x")
    answer = confined.call("DELETE", "/f/file", 409, path=confined.at("f"), skip_trash="false")
    assert "trash" in errors_of(answer)
    assert confined.read("f") == b"x"
