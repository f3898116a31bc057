"""How a request comes to its operation, path and caller, and what HTTP says for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.core.paths import HdfsPath
from app.streams import table
from app.streams.call import normalised, shown
from app.streams.info import plain
from tests.gateway import wait_for
from tests.streams.conftest import HOME, Alluxio

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn
PATHS = "/api/v1/paths/"
JSON = {"Content-Type": "application/json"}


def path_of(alx: Alluxio, target: str) -> str:
    """Return the path that a target was understood as."""
    answer = alx.raw("POST", target)
    assert answer.status == 200, answer
    return str(answer.json["path"])


# --- the path as it was sent


@pytest.mark.parametrize("written", [
    f"/{HOME}/f", HOME[1:] + "/f", f"{HOME}//f", f"{HOME}/f/", f"//{HOME}///f//", f"{HOME}/./f",
    f"{HOME}/x/../f", HOME.replace("/", "%2F") + "/f", f"{HOME}/%66"])
def test_ways_to_write_a_path(alx: Alluxio, written: str) -> None:
    alx.put(f"{HOME}/f")
    if written[0] in "/%":
        assert path_of(alx, f"{PATHS}{written}/get-status") == f"{HOME}/f"
    else:
        # Alluxio's clients send two slashes: with one alone the path is relative.
        answer = alx.raw("POST", f"{PATHS}{written}/get-status")
        assert (answer.status, answer.code) == (500, "INVALID_ARGUMENT")
        assert answer.message == f'Path "{written}" is invalid.'


@pytest.mark.parametrize("target", [f"{PATHS}//get-status", f"{PATHS}//get-status?",
                                    f"{PATHS}///get-status", f"{PATHS}%2F/get-status"])
def test_the_root(alx: Alluxio, target: str) -> None:
    assert path_of(alx, target) == "/"


def test_no_path_at_all(alx: Alluxio) -> None:
    assert alx.raw("POST", f"{PATHS}/exists").body == b"false"
    answer = alx.raw("POST", f"{PATHS}/get-status")
    assert (answer.code, answer.message) == ("INVALID_ARGUMENT", 'Path "" is invalid.')


@pytest.mark.parametrize("name", [
    "a b", "a+b", "a%20b", "a?b", "a#b", "a;b", "é中\N{GRINNING FACE}", "a\nb", "get-status",
    "exists", "\\", "'\"", "&=", "a" * 255])
def test_names_of_all_kinds(alx: Alluxio, name: str) -> None:
    alx.put(f"{HOME}/{name}")
    assert alx.info(f"{HOME}/{name}")["name"] == name
    assert [one["name"] for one in alx.act(HOME, "list-status").json] == [name]
    alx.done(f"{HOME}/{name}", "rename", dst=f"{HOME}/{name[1:]}x")
    alx.done(f"{HOME}/{name[1:]}x", "delete", {})


@pytest.mark.parametrize("path", ["", "relative", "a:b/c", "/a:b", "/..", "/a/../../b", "/a\0b",
                                  "/" + "x" * 256, "/" + "x/" * 1500])
def test_what_is_no_path(alx: Alluxio, path: str) -> None:
    assert alx.act(path, "exists").body == b"false"
    for action in ("get-status", "list-status", "delete", "create-directory", "create-file",
                   "open-file", "free", "set-attribute", "unmount"):
        answer = alx.act(path, action)
        assert (answer.status, answer.code) == (500, "INVALID_ARGUMENT"), action
        assert answer.message.startswith('Path "')


@pytest.mark.parametrize("escape", ["%", "%4", "%GG", "%FF", "%C3%28"])
def test_a_path_that_cannot_be_decoded(alx: Alluxio, escape: str) -> None:
    answer = alx.raw("POST", f"{PATHS}/{escape}/exists")
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")


@given(st.text(alphabet=st.sampled_from("/.ab:\0%é \n")))
def test_any_path_is_normalised_or_refused(path: str) -> None:
    try:
        found = normalised(path)
    except GatewayError:
        return
    assert path.startswith("/")
    assert found == normalised(found)
    assert found == "/" or not found.endswith("/")
    assert not {"", ".", ".."} & set(HdfsPath(found).split("/")[1:] if found != "/" else [])


@given(st.text())
def test_what_the_log_shows_can_be_of_any_path(path: str) -> None:
    assert isinstance(shown(path), str)


# --- the query, as Go's client sends it


def test_an_empty_query(alx: Alluxio) -> None:
    assert path_of(alx, f"{PATHS}{HOME}/get-status?") == HOME
    answer = alx.raw("POST", f"{PATHS}{HOME}/d/create-directory?", b"{}\n", JSON)
    assert (answer.status, answer.body) == (200, b"")


def test_a_query_that_cannot_be_read(alx: Alluxio) -> None:
    answer = alx.raw("POST", f"{PATHS}{HOME}/rename?dst=%G")
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")


# --- what is no operation


@pytest.mark.parametrize("target", [
    "/api/v1", "/api/v1/", "/api/v1/paths", "/api/v1/paths/", "/api/v1/paths/get-status",
    "/api/v1/paths//a/frob", "/api/v1/paths//a", "/api/v1/paths//a/get-status/",
    "/api/v1/paths//a/Get-Status", "/api/v1/paths//a/read", "/api/v1/streams/1/get-status",
    "/api/v1/streams", "/api/v1/streams/1", "/api/v1/streams/abc/close", "/api/v1/streams//close",
    "/api/v1/streams/99999999999/close", "/api/v1/streams/2147483648/close",
    "/api/v1/streams/1.0/close", "/api/v1/streams/%31/close", "/api/v1/proxy", "/api/v1/proxy/",
    "/api/v1/proxy/info/", "/api/v1/nothing/of/this", "/api/v1/master/info",
    "/api/v1/paths//a?b/exists"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_urls_that_are_not_served(alx: Alluxio, method: str, target: str) -> None:
    answer = alx.raw(method, target)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_s3_and_what_only_begins_like_the_prefix_are_none_of_it(alx: Alluxio) -> None:
    assert b"<?xml" in alx.raw("GET", "/api/v1/s3/no-such-bucket").body
    assert alx.raw("GET", "/api/v10").headers["Content-Type"] != "application/json"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_methods_that_are_not_served(alx: Alluxio, method: str) -> None:
    answer = alx.raw(method, f"{PATHS}{HOME}/get-status")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    if method != "HEAD":
        assert answer.code == "UNIMPLEMENTED"


def test_methods_of_what_is_got(alx: Alluxio) -> None:
    assert alx.raw("POST", "/api/v1/proxy/info").headers["Allow"] == "GET, HEAD"
    assert alx.raw("POST", f"{PATHS}{HOME}/download-file").headers["Allow"] == "GET, HEAD"


# --- types


@pytest.mark.parametrize("media", [
    "application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "nonsense"])
def test_bodies_of_other_types(alx: Alluxio, media: str) -> None:
    answer = alx.raw("POST", f"{PATHS}{HOME}/get-status", b"{}", {"Content-Type": media})
    assert (answer.status, answer.code) == (415, "INVALID_ARGUMENT")


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8",
                                   "APPLICATION/JSON", ""])
def test_bodies_of_json(alx: Alluxio, media: str) -> None:
    headers = {"Content-Type": media} if media else {}
    assert alx.raw("POST", f"{PATHS}{HOME}/exists", b"{}", headers).body == b"true"


def test_content_is_no_json(alx: Alluxio) -> None:
    answer = alx.raw("POST", "/api/v1/streams/1/write", b"{}", JSON)
    assert (answer.status, answer.code) == (415, "INVALID_ARGUMENT")


@pytest.mark.parametrize(("accept", "status"), [
    ("application/json", 200), ("*/*", 200), ("application/*", 200), ("", 200),
    ("text/html, */*;q=0.1", 200), ("application/xml", 406), ("application/octet-stream", 406),
    ("application/json;q=0", 406)])
def test_answers_that_are_wanted(alx: Alluxio, accept: str, status: int) -> None:
    answer = alx.raw("POST", f"{PATHS}{HOME}/exists", headers={"Accept": accept})
    assert answer.status == status
    assert status == 200 or answer.code == "INVALID_ARGUMENT"


def test_a_body_that_is_too_large(alx: Alluxio) -> None:
    body = b'{"recursive": true, "x": "' + b"x" * (1024 * 1024) + b'"}'
    answer = alx.raw("POST", f"{PATHS}{HOME}/delete", body, JSON)
    assert (answer.status, answer.code) == (413, "RESOURCE_EXHAUSTED")
    assert alx.act(HOME, "exists").body == b"true"


# --- who


def test_who_asks(alx: Alluxio) -> None:
    nobody = alx.as_user(None)
    for target in (f"{PATHS}{HOME}/get-status", "/api/v1/streams/1/read", "/api/v1/streams/1/write",
                   f"{PATHS}relative/delete"):
        for wrong in (None, "Basic c29tZW9uZTp3cm9uZw==", "Bearer x"):
            headers = {"Authorization": wrong} if wrong else {}
            answer = nobody.raw("POST", target, headers=headers)
            assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_credentials_come_before_options(alx: Alluxio) -> None:
    answer = alx.as_user(None).raw("POST", f"{PATHS}{HOME}/delete", b"{bad", JSON)
    assert answer.status == 401


@pytest.mark.parametrize("headers", [
    {"Origin": "http://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}])
def test_pages_of_other_origins_change_nothing(alx: Alluxio, headers: dict[str, str]) -> None:
    alx.put(f"{HOME}/f")
    target = f"{PATHS}{HOME}/f"
    for url in (f"{target}/delete", f"{target}/rename?dst={HOME}/g", f"{target}/set-attribute",
                f"{target}/create-file", f"{target}/create-directory", f"{target}/mount?src=/",
                f"{target}/unmount", "/api/v1/streams/1/write", "/api/v1/streams/1/close"):
        answer = alx.raw("POST", url, headers=headers)
        assert (answer.status, answer.code) == (500, "PERMISSION_DENIED"), url
        assert "another origin" in answer.message
    for action in ("exists", "get-status", "list-status"):
        assert alx.raw("POST", f"{target}/{action}", headers=headers).status == 200
    own = {"Origin": alx.gateway.url, "Sec-Fetch-Site": "same-origin"}
    assert alx.raw("POST", f"{target}/delete", headers=own).status == 200


def test_what_the_audit_log_says(alx: Alluxio, embedded_streams: Gateway) -> None:
    path, renamed = f"{HOME}/audited", f"{HOME}/renamed"
    alx.put(path)
    alx.done(f"{HOME}//audited/", "rename", dst=renamed)
    alx.as_user(None).act(path, "get-status")
    for wanted in (
            {"operation": "alluxio.rename", "path": path, "user": "someone", "status": 200,
             "hadoopUser": "alice", "destination": renamed},
            {"operation": "alluxio.get-status", "path": path, "user": None, "status": 401}):
        # A line is written after the answer, by whichever worker gave it.
        wait_for(f"the line of {wanted}", lambda wanted=wanted: any(
            wanted.items() <= line.items() for line in embedded_streams.audit()))


# --- proxy/info


def test_info_tells_version_and_what_callers_may_send(alx: Alluxio) -> None:
    told: dict[str, Any] = alx.raw("GET", "/api/v1/proxy/info?anything=1").json
    assert set(told) == {"version", "configuration"}
    assert told["configuration"]["streams.idle_seconds"] == 3600.0
    assert str(alx.gateway.directory) not in str(told)
    assert not [name for name in told["configuration"] if name.startswith(("backend", "auth"))]


def test_info_tells_admins_all_but_secrets(alx: Alluxio) -> None:
    told = alx.as_user("admin").raw("GET", "/api/v1/proxy/info").json["configuration"]
    assert told["auth.users_file"] == str(alx.gateway.users_file)
    assert told["backend.url"]


@pytest.mark.parametrize(("value", "told"), [
    ("postgresql://gateway:secret@db/state", "postgresql://***@db/state"),
    ("redis://:s@e@db:6379/0?x=1", "redis://***@db:6379/0?x=1"),
    ("rediss://db/0?password=secret&x=1", "rediss://db/0?password=***&x=1"),
    (("http://a:b@c:1", "http://d"), ["http://***@c:1", "http://d"]),
    ({"a": "x://u:p@h"}, {"a": "x://***@h"}), (None, None), (1.5, 1.5), (True, True)])
def test_no_password_is_told(value: Any, told: Any) -> None:
    assert plain(value) == told


def test_every_operation_has_a_place(alx: Alluxio) -> None:
    places = {(one.kind, one.action) for one in table.OPERATIONS}
    assert len(places) == len(table.OPERATIONS)
    assert {action for kind, action in places if kind == "paths"} == {
        "create-directory", "create-file", "delete", "download-file", "exists", "free",
        "get-status", "list-status", "mount", "open-file", "rename", "set-attribute", "unmount"}
    assert {action for kind, action in places if kind == "streams"} == {"read", "write", "close"}
