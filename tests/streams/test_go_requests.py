"""What Alluxio's Go client sends, byte for byte, and what it insists on in the answers.

The client cannot be fetched by Go's own means, so its requests are written down here: a bare `?`
where there are no parameters, `{}` with a newline where there are no options and `null` where there
is nothing to send, a Content-Type on a read that has no body, form-encoded values in the query (a
blank is `+` there, and a plus sign stands for itself in the path). Credentials come from the host
that it is given, as `user:password@host`. It compares Content-Type to the letter.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BACKENDS, backend_options, furnish
from tests.contract.wire import Wire
from tests.gateway import Gateway, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.wire import WireAnswer

pytestmark = pytest.mark.gunicorn
ROOT = "/user/alice/go"
JSON = "application/json"
OCTETS = "application/octet-stream"
OPTIONS = {
    "create-directory": {
        "allowExists": True, "recursive": True, "writeType": "THROUGH",
        "mode": {"ownerBits": "ALL", "groupBits": "READ_EXECUTE", "otherBits": "NONE"}},
    "create-file": {
        "blockSizeBytes": 1_048_576, "recursive": True, "ttl": 3_600_000, "ttlAction": "FREE",
        "locationPolicyClass": "alluxio.client.file.policy.RoundRobinPolicy",
        "mode": {"ownerBits": "READ_WRITE", "groupBits": "READ", "otherBits": "NONE"},
        "writeType": "CACHE_THROUGH"},
    "open-file": {"locationPolicyClass": "alluxio.client.file.policy.LocalFirstPolicy",
                  "readType": "CACHE_PROMOTE"},
    "set-attribute": {
        "persisted": True, "pinned": True, "recursive": True, "ttl": 7_200_000,
        "ttlAction": "DELETE",
        "mode": {"ownerBits": "ALL", "groupBits": "READ", "otherBits": "READ"}},
}
"""All options that the client's option types have, but for owner and group."""


class GoClient:
    """Sends requests as Go's net/http does for the client's methods, on one connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def post(self, resource: str, options: Any = None, query: str = "") -> WireAnswer:
        """Send what `Client.post` sends: JSON, `null` included, with a newline behind it."""
        body = json.dumps(options, separators=(",", ":")).encode() + b"\n"
        return self._send(resource, JSON, body, query)

    def read(self, stream: int) -> WireAnswer:
        """Send what `Client.Read` sends."""
        return self._send(f"streams/{stream}/read", JSON, b"")

    def write(self, stream: int, body: bytes) -> WireAnswer:
        """Send what `Client.Write` sends for a reader whose length is known."""
        return self._send(f"streams/{stream}/write", OCTETS, body)

    def write_chunks(self, stream: int, *chunks: bytes) -> WireAnswer:
        """Send what `Client.Write` sends for any other reader."""
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
        headers = [("User-Agent", "Go-http-client/1.1"), ("Transfer-Encoding", "chunked"),
                   ("Content-Type", OCTETS), ("Accept-Encoding", "gzip")]
        return self._wire.ask("POST", f"/api/v1/streams/{stream}/write?", headers, body)

    def _send(self, resource: str, media: str, body: bytes, query: str = "") -> WireAnswer:
        headers = [("User-Agent", "Go-http-client/1.1"), ("Content-Length", str(len(body))),
                   ("Content-Type", media), ("Accept-Encoding", "gzip")]
        return self._wire.ask("POST", f"/api/v1/{resource}?{query}", headers, body)

    def value(self, resource: str, options: Any = None, query: str = "") -> Any:
        """Return the JSON that an answer is, if the client would take it for JSON."""
        answer = self.post(resource, options, query)
        assert (answer.status, answer.headers["content-type"]) == (200, JSON), answer
        # Go unpacks what it had asked for to be packed.
        packed = answer.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(answer.body) if packed else answer.body)

    def done(self, resource: str, options: Any = None, query: str = "") -> None:
        """Post what has no answer but success."""
        answer = self.post(resource, options, query)
        assert (answer.status, answer.body) == (200, b""), answer


@pytest.fixture(scope="module", params=BACKENDS[:2])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    options = backend_options(request, request.param)
    users = {**default_users(options["superuser"]),
             "gopher": {"hadoop_user": "alice", "root": ROOT}}
    with Gateway(tmp_path_factory.mktemp("go"), users=users, **options) as gateway:
        furnish(gateway)
        made = gateway.request("PUT", "/f/directory", params={"path": ROOT})
        assert made.status_code == 201, made.text
        yield gateway


@pytest.fixture
def go(gateway: Gateway) -> Iterator[GoClient]:
    with Wire(gateway, user="gopher") as wire:
        yield GoClient(wire)


def test_the_published_example(go: GoClient) -> None:
    for existed in (False, True):
        assert go.value("paths//test_path/exists", {}) is existed
        if existed:
            go.done("paths//test_path/delete", {})
        stream = go.value("paths//test_path/create-file", {})
        written = go.write(stream, b"Success")
        assert (written.status, written.headers["content-type"], written.body) == (
            200, JSON, b"7")
        go.done(f"streams/{stream}/close")
        stream = go.value("paths//test_path/open-file", {})
        content = go.read(stream)
        assert (content.status, content.body) == (200, b"Success")
        go.done(f"streams/{stream}/close")
    go.done("paths//test_path/delete", {})


def test_each_option(go: GoClient) -> None:
    go.done("paths//opts/dir/create-directory", OPTIONS["create-directory"])
    stream = go.value("paths//opts/made/file/create-file", OPTIONS["create-file"])
    assert go.write(stream, b"sized ").body == b"6"
    assert go.write_chunks(stream, b"chun", b"ked").body == b"7"
    go.done(f"streams/{stream}/close")
    stream = go.value("paths//opts/made/file/open-file", OPTIONS["open-file"])
    assert go.read(stream).body == b"sized chunked"
    assert go.read(stream).body == b""
    go.done(f"streams/{stream}/close")
    status = go.value("paths//opts/made/file/get-status", {})
    assert (status["ttl"], status["ttlAction"], status["mode"]) == (3_600_000, "FREE", 0o640)
    go.done("paths//opts/made/set-attribute", OPTIONS["set-attribute"])
    status = go.value("paths//opts/made/file/get-status", {})
    assert (status["ttl"], status["ttlAction"], status["mode"]) == (7_200_000, "DELETE", 0o744)
    assert status["pinned"] is True
    for loading in ("Never", "Once", "Always"):
        infos = go.value("paths//opts/list-status", {"loadMetadataType": loading})
        assert [info["name"] for info in infos] == ["dir", "made"]
    go.done("paths//opts/made/set-attribute", {"pinned": False, "recursive": True})
    go.done("paths//opts/made/free", {"recursive": True})
    go.done("paths//opts/delete", {"recursive": True})


def test_options_that_are_nil(go: GoClient) -> None:
    go.done("paths//nil/create-directory")
    assert [info["name"] for info in go.value("paths///list-status")] == ["nil"]
    go.done("paths//nil/delete")


def test_names_in_the_query_are_forms_and_in_the_path_are_not(go: GoClient) -> None:
    go.done("paths//a+b/create-directory", {})
    go.done("paths//a+b/rename", {}, query="dst=%2Fmoved+%C3%A9%2B+%26%25")
    assert [info["path"] for info in go.value("paths///list-status", {})] == ["/moved é+ &%"]
    go.done("paths//moved%20%C3%A9+%20&%25/delete", {})


def test_errors_are_text_that_says_what_happened(go: GoClient) -> None:
    answer = go.post("paths//none/get-status", {})
    assert answer.status == 500
    assert json.loads(answer.body)["message"] == 'Path "/none" does not exist.'
    answer = go.read(99_999_999)
    assert answer.status == 500
    assert b"stream does not exist" in answer.body
    mounted = go.post("paths//m/mount", {"readOnly": True, "shared": True, "properties": {
        "a": "b"}}, query="src=%2Fnone")
    assert json.loads(mounted.body)["statusCode"] == "PERMISSION_DENIED"
