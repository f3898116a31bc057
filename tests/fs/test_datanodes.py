"""Redirects to DataNodes: what of them is believed, long paths, dead DataNodes, whole bodies."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import (
    AlreadyExists,
    FileBusy,
    PathNotFound,
    Unsupported,
    UpstreamFault,
    UpstreamUnavailable,
)
from app.core.paths import HdfsPath
from app.fs import content
from app.fs.http_faults import BadAnswer
from app.fs.redirects import data_url, is_too_long
from app.fs.webhdfs import quoted
from tests.fs.conftest import backend_at
from tests.fs.upstream import Peer, Request, Upstream, answer, answering, chunked, remote
from tests.fs.upstream import status_answer as status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.fs.filesystem import WebHdfsFileSystem

    Serve = Callable[..., Upstream]
    Pair = Callable[..., tuple[Upstream, Upstream, WebHdfsFileSystem]]

PATH = HdfsPath("/user/alice/file")
QUERY = "op=OPEN&user.name=alice&namenoderpcaddress=nn:8020"


def leading_to(*urls: str, otherwise: bytes = b"") -> Callable[[Peer], None]:
    """Return a NameNode's script: one redirect after the other, statuses in between."""
    waiting = list(urls)

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if "op=GETFILESTATUS" in request.target or "op=MKDIRS" in request.target:
                peer.send(otherwise or status())
                continue
            url = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            peer.send(answer(b"", "307 Temporary Redirect",
                             f"Location: {url}/webhdfs/v1/composed?{QUERY}"))

    return script


@pytest.fixture
def pair(serve: Serve) -> Pair:
    """Start a NameNode that leads to a DataNode with the given answers."""

    def start(*raw: bytes) -> tuple[Upstream, Upstream, WebHdfsFileSystem]:
        datanode = serve(answering(*raw))
        namenode = serve(leading_to(datanode.url))
        return namenode, datanode, backend_at(namenode.url).as_user("alice")

    return start


def read(fs: WebHdfsFileSystem, path: str = PATH, length: int = 5, file_id: int = 9) -> bytes:
    source = fs.open(HdfsPath(path), 0, length, file_id)
    try:
        return b"".join(iter(lambda: source.read(3), b""))
    finally:
        source.close()


@pytest.mark.parametrize("raw", [answer(b"hello"), chunked(b"he", b"llo")])
def test_an_inode_is_read_by_its_number(pair: Pair, raw: bytes) -> None:
    namenode, datanode, fs = pair(raw)
    assert read(fs) == b"hello"
    assert [path_of(request) for request in (*namenode.requests, *datanode.requests)] == [
        "/webhdfs/v1/.reserved/.inodes/9"] * 2
    assert parse_qs(urlsplit(namenode.requests[0].target).query) == {
        "op": ["OPEN"], "user.name": ["alice"], "offset": ["0"], "length": ["5"]}


@pytest.mark.parametrize("raw", [
    pytest.param(answer(b"hell"), id="shorter than asked"),
    pytest.param(answer(b"hello!"), id="longer than asked"),
    pytest.param(chunked(b"hell"), id="fewer chunks"),
    pytest.param(chunked(b"hello", b"!"), id="more chunks"),
    pytest.param(answer(b"hello", "204 No Content"), id="no content"),
    pytest.param(answer(b"hello")[:-1] + b"", id="cut short"),
    pytest.param(chunked(b"hello")[:-5], id="no last chunk"),
    pytest.param(answer(b"", "307 Again", "Location: http://127.0.0.1:1/webhdfs/v1/x?y"),
                 id="redirect"),
])
def test_a_body_is_whole_or_a_fault(serve: Serve, raw: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(raw)

    datanode = serve(script)
    namenode = serve(leading_to(datanode.url))
    with pytest.raises(UpstreamFault):
        read(backend_at(namenode.url).as_user("alice"))


def cutting(content: bytes, after: int, times: int) -> Callable[[Peer], None]:
    """Return a DataNode's script: the first `times` answers break off after `after` bytes."""

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            asked = parse_qs(urlsplit(request.target).query)
            start = int(asked.get("offset", ["0"])[0])
            part = content[start:start + int(asked["length"][0])]
            whole = answer(part)
            if peer.number < times:
                peer.send(whole[:len(whole) - len(part) + after])
                peer.reset()
                return
            peer.send(whole)

    return script


def leading_on(datanode: Upstream) -> Callable[[Peer], None]:
    """Return a NameNode's script that leads to a DataNode by the query that was asked."""

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            peer.send(answer(b"", "307 Temporary Redirect", "Location: "
                             f"{datanode.url}/webhdfs/v1/x?{urlsplit(request.target).query}"))

    return script


@pytest.mark.parametrize("after", [0, 4])
def test_a_broken_read_of_one_inode_goes_on_where_it_broke(serve: Serve, after: int) -> None:
    datanode = serve(cutting(b"0123456789", after, times=2))
    fs = backend_at(serve(leading_on(datanode)).url).as_user("alice")
    assert read(fs, length=10) == b"0123456789"
    offsets = [parse_qs(urlsplit(request.target).query).get("offset") for request
               in datanode.requests]
    assert len(offsets) == 3


def test_a_read_that_never_gets_on_is_a_fault(serve: Serve) -> None:
    datanode = serve(cutting(b"0123456789", 0, times=100))
    fs = backend_at(serve(leading_on(datanode)).url).as_user("alice")
    with pytest.raises((UpstreamFault, UpstreamUnavailable)):
        read(fs, length=10)
    assert 1 < len(datanode.requests) < 10


def test_a_broken_read_without_an_inode_number_is_a_fault(serve: Serve) -> None:
    datanode = serve(cutting(b"0123456789", 4, times=1))

    def namenode(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            peer.send(status() if "GETFILESTATUS" in request.target else answer(
                b"", "307 Temporary Redirect",
                f"Location: {datanode.url}/webhdfs/v1/x?{urlsplit(request.target).query}"))

    fs = backend_at(serve(namenode).url).as_user("alice")
    with pytest.raises((UpstreamFault, UpstreamUnavailable)):
        read(fs, length=10, file_id=0)


def test_an_end_that_nobody_declared_is_taken_at_the_length_asked_for(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")

    datanode = serve(script)
    assert read(backend_at(serve(leading_to(datanode.url)).url).as_user("alice")) == b"hello"


def test_the_last_piece_is_held_back_until_the_end_was_seen(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(chunked(b"hello")[:-5])

    namenode = serve(leading_to(serve(script).url))
    source = backend_at(namenode.url).as_user("alice").open(PATH, 0, 5, 9)
    assert source.read(3) == b"hel"
    with pytest.raises(UpstreamFault):
        source.read(3)


@pytest.mark.parametrize("changed", [{"modificationTime": 3}, {"length": 6}, {"fileId": 5}])
def test_without_an_inode_number_a_changed_file_breaks_the_body(
    serve: Serve, changed: dict[str, int],
) -> None:
    upstream = serve(answering(status(), chunked(b"hel", b"lo"), status(**changed)))
    fs = backend_at(upstream.url, kind="httpfs").as_user("alice")
    source = fs.open(PATH, 0, 5)
    assert source.read(3) == b"hel"
    with pytest.raises(UpstreamFault, match="changed while"):
        source.read(3)


def test_without_an_inode_number_an_unchanged_file_is_read(serve: Serve) -> None:
    upstream = serve(answering(status(), chunked(b"hel", b"lo"), status(accessTime=99)))
    assert read(backend_at(upstream.url, kind="httpfs").as_user("alice"), file_id=0) == b"hello"


def test_a_snapshot_is_read_by_its_path(pair: Pair) -> None:
    namenode, _, fs = pair(answer(b"hello"))
    assert read(fs, "/d/.snapshot/s/f") == b"hello"
    assert path_of(namenode.requests[0]) == "/webhdfs/v1/d/.snapshot/s/f"


def test_our_own_path_goes_to_the_datanode(pair: Pair) -> None:
    _, datanode, fs = pair(answer(b"", "201 Created"))
    path = HdfsPath("/d/e\u0301 %41+#?;\\\"'\n=&~\U0001f600")
    fs.create(path, [b"x"])
    assert unquote(path_of(datanode.requests[0])) == f"/webhdfs/v1{path}"
    assert datanode.requests[0].target.endswith(f"?{QUERY}")


@pytest.mark.parametrize("call", ["create", "append"])
def test_a_write_goes_to_the_datanode_once(pair: Pair, call: str) -> None:
    done = {"create": "201 Created", "append": "200 OK"}[call]
    namenode, datanode, fs = pair(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"", done))
    getattr(fs, call)(PATH, iter([b"some ", b"bytes"]))
    assert namenode.requests[0].body == b""
    assert [request.body for request in datanode.requests] == [b"some bytes"]


def test_the_options_of_a_new_file(pair: Pair) -> None:
    namenode, _, fs = pair(answer(b"", "201 Created"))
    fs.create(PATH, [], permission="640", replication=2, block_size=1 << 32, overwrite=True)
    fs.create(PATH, [])
    first, second = (parse_qs(urlsplit(r.target).query) for r in namenode.requests)
    assert first == {"op": ["CREATE"], "user.name": ["alice"], "permission": ["640"],
                     "replication": ["2"], "blocksize": [str(1 << 32)], "overwrite": ["true"]}
    assert second == {"op": ["CREATE"], "user.name": ["alice"], "overwrite": ["false"]}


@pytest.mark.parametrize(("raw", "expected"), [
    (remote("FileAlreadyExistsException", "/f already exists"), AlreadyExists),
    (remote("AlreadyBeingCreatedException"), FileBusy),
    (answer(b"", "200 OK"), UpstreamFault),
    (answer(b"", "302 Found"), UpstreamFault),
])
def test_a_write_that_fails(pair: Pair, raw: bytes, expected: type[Exception]) -> None:
    _, datanode, fs = pair(raw)
    with pytest.raises(expected):
        fs.create(PATH, iter([b"x"]))
    assert len(datanode.requests) == 1


def test_the_readers_own_failure_goes_on(pair: Pair) -> None:
    class ClientGoneError(Exception):
        pass

    def body() -> Iterator[bytes]:
        yield b"half"
        raise ClientGoneError

    _, datanode, fs = pair(answer(b"", "201 Created"))
    with pytest.raises(ClientGoneError):
        fs.create(PATH, body())
    assert [request.body for request in datanode.requests] == [b"half"]


def test_long_paths_go_to_the_datanode_by_number(serve: Serve) -> None:
    datanode = serve(answering(answer(b"", "201 Created"), answer(b"hello"), answer()))
    namenode = serve(leading_to(datanode.url))
    fs = backend_at(namenode.url).as_user("alice")
    path = HdfsPath("/" + "/".join(["\u00e9" * 120] * 7) + "/name")
    fs.create(path, [b"x"])
    read(fs, "/s/.snapshot" + path)
    fs.append(path, [b"x"])
    assert [path_of(request) for request in datanode.requests] == [
        f"/webhdfs/v1/.reserved/.inodes/16391{rest}" for rest in ("/name", "", "")]


def test_another_datanode_is_asked_for_where_one_is_dead(
    serve: Serve, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(content.time, "sleep", lambda seconds: None)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
    alive = serve(answering(answer(b"", "201 Created")))
    namenode = serve(leading_to(dead, alive.url))
    backend_at(namenode.url).as_user("alice").create(PATH, iter([b"whole"]))
    assert [request.body for request in alive.requests] == [b"whole"]
    assert "excludedatanodes=127.0.0.1" in namenode.requests[1].target

    gone = serve(leading_to(dead))
    with pytest.raises(UpstreamUnavailable):
        backend_at(gone.url).as_user("alice").create(PATH, iter([b"whole"]))
    assert len(gone.requests) == 7


def test_a_dead_datanode_is_left_out_by_its_address_too(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://localhost:{closed.getsockname()[1]}"
    alive = serve(answering(answer(b"hello")))
    namenode = serve(leading_to(dead, dead, dead, dead, alive.url))
    assert read(backend_at(namenode.url).as_user("alice")) == b"hello"
    left_out = parse_qs(urlsplit(namenode.requests[1].target).query)["excludedatanodes"][0]
    assert {"localhost", "127.0.0.1"} <= set(left_out.split(","))
    again = parse_qs(urlsplit(namenode.requests[4].target).query)["excludedatanodes"][0]
    assert again == left_out  # not one more for each time: where several share an address, all go


def test_a_write_that_may_have_happened_is_not_made_again(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    datanode = serve(script)
    namenode = serve(leading_to(datanode.url))
    with pytest.raises(UpstreamUnavailable):
        backend_at(namenode.url).as_user("alice").create(PATH, iter([b"x"]))
    assert len(datanode.requests) == 1


def test_a_checksum_comes_from_the_datanode_without_padding(pair: Pair) -> None:
    told = {"algorithm": "MD5-of-0MD5-of-512CRC32C", "bytes": "ab" * 28 + "00" * 4, "length": 28}
    _, _, fs = pair(answer(json.dumps({"FileChecksum": told}).encode()))
    assert fs.checksum(PATH).value == "ab" * 28


def test_a_number_that_no_inode_has(serve: Serve) -> None:
    gone = remote("FileNotFoundException", "File does not exist: /.reserved/.inodes/9",
                  "404 Not Found")
    with pytest.raises(PathNotFound) as caught:
        read(backend_at(serve(answering(gone)).url).as_user("alice"))
    assert caught.value.path == PATH


def test_commas_cannot_be_told_to_concat(serve: Serve) -> None:
    fs = backend_at(serve(answering(answer())).url).as_user("alice")
    with pytest.raises(Unsupported, match="comma"):
        fs.concat(PATH, [HdfsPath("/user/alice/a,b")])


@pytest.mark.parametrize(("server", "location"), [
    ("http://nn", "ftp://dn/webhdfs/v1/x?op=OPEN"),
    ("http://nn", "file:///webhdfs/v1/x?op=OPEN"),
    ("http://nn", "//dn/webhdfs/v1/x?op=OPEN"),
    ("http://nn", "/webhdfs/v1/x?op=OPEN"),
    ("http://nn", "http://user:pass@dn/webhdfs/v1/x?op=OPEN"),
    ("http://nn", "http://dn:99999/webhdfs/v1/x?op=OPEN"),
    ("http://nn", "http://dn:0/webhdfs/v1/x?op=OPEN"),
    ("http://nn", "http:///webhdfs/v1/x?op=OPEN"),
    ("http://nn", "http://dn/elsewhere?op=OPEN"),
    ("http://nn", "http://dn/webhdfs/v1/x"),
    ("http://nn", "http://dn/webhdfs/v1/x?op=OPEN HTTP/1.1"),
    ("http://nn", "http://dn/webhdfs/v1/x?op=\u00e9"),
    ("https://nn", "http://dn/webhdfs/v1/x?op=OPEN"),
    ("http://nn", ""),
])
def test_locations_that_are_not_followed(server: str, location: str) -> None:
    with pytest.raises(BadAnswer):
        data_url(server, location, "/webhdfs/v1/x")


@pytest.mark.parametrize(("server", "location"), [
    ("http://nn:9870", "http://dn.example.net:9864/webhdfs/v1/x?op=OPEN&offset=0"),
    ("http://nn", "https://[::1]:9865/webhdfs/v1/x?delegation=a_b-c"),
    ("https://nn", "https://10.0.0.1/webhdfs/v1/x?op=OPEN"),
])
def test_locations_that_are_followed(server: str, location: str) -> None:
    followed = urlsplit(data_url(server, location, "/webhdfs/v1/own"))
    told = urlsplit(location)
    assert followed == told._replace(path="/webhdfs/v1/own")


names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0/:"),
                min_size=1, max_size=40)


@given(st.lists(names, min_size=1, max_size=5))
def test_every_path_makes_a_legal_url_that_means_it(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    target = quoted(path)
    assert unquote(target, errors="strict") == path
    assert target.isascii()
    assert not set(target) & set(' "<>\\^`{|}?#\r\n\t')


def test_the_limit_of_request_lines() -> None:
    line = "GET /%s HTTP/1.1\r\n"
    most = "x" * (4096 - len(line % ""))
    assert not is_too_long("GET", f"http://dn:9864/{most}")
    assert is_too_long("GET", f"http://dn:9864/{most}x")


def path_of(request: Request) -> str:
    return urlsplit(request.target).path
