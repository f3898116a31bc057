"""A WSGI application as an upstream: the same semantics as over a socket, and streams."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
import requests

from app.core.errors import UpstreamFault
from app.core.paths import HdfsPath
from app.fs.http_faults import BadAnswer, ShortBody
from app.fs.inprocess import ORIGIN, WsgiAdapter
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Start = Callable[..., Any]


class Pieces:
    """A response iterable that counts how it is used."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.taken = 0
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.taken += 1
        return next(self.pieces)

    def close(self) -> None:
        self.closed += 1


def serving(pieces: Iterable[bytes], status: str = "200 OK", *fields: tuple[str, str]) -> Any:
    """Return an application that answers this whatever is asked."""

    def application(_environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start(status, list(fields))
        return pieces

    return application


def echo(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    pieces = list(iter(lambda: environ["wsgi.input"].read(7), b""))
    start("200 OK", [("Content-Type", "text/plain")])
    return pieces


@pytest.mark.parametrize(("body", "content"), [
    (None, b""), (b"", b""), (b"some bytes", b"some bytes"), ([], b""), ([b""], b""),
    ([b"", b"some ", b"bytes", b""], b"some bytes")])
def test_bodies_go_both_ways(body: Any, content: bytes) -> None:
    assert WsgiAdapter(echo).exchange("PUT", f"{ORIGIN}/", body).content == content


def test_what_the_application_is_told() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        seen.update(environ)
        start("404 Not Found", [("X-Thing", "a"), ("Content-Length", "2")])
        return [b"no"]

    got = WsgiAdapter(application).exchange(
        "DELETE", f"{ORIGIN}/webhdfs/v1/%C3%A9%20%25?op=DELETE&a=%2B", b"xyz", {"X-Own": "1"})
    assert (got.status_code, got.content, got.headers["x-thing"], bool(got)) == (
        404, b"no", "a", False)
    assert seen["REQUEST_METHOD"] == "DELETE"
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/webhdfs/v1/é %"
    assert seen["RAW_URI"] == "/webhdfs/v1/%C3%A9%20%25?op=DELETE&a=%2B"
    assert (seen["QUERY_STRING"], seen["CONTENT_LENGTH"], seen["HTTP_X_OWN"]) == (
        "op=DELETE&a=%2B", "3", "1")


def test_an_answer_is_read_as_it_is_asked_for_and_closed_once() -> None:
    pieces = Pieces(bytes([i]) * 1000 for i in range(100))
    got = WsgiAdapter(serving(pieces)).exchange("GET", f"{ORIGIN}/")
    assert got.read(600) + got.read(600) == bytes(1000)
    assert pieces.taken <= 2
    assert got.read(10) == b"\1" * 10
    got.close()
    got.close()
    assert (got.read(10), pieces.closed) == (b"", 1)


def test_an_answer_read_to_its_end_is_closed() -> None:
    pieces = Pieces([b"", b"ab", b"", b"c"])
    got = WsgiAdapter(serving(pieces)).exchange("GET", f"{ORIGIN}/")
    assert (got.content, pieces.closed) == (b"abc", 1)


def test_a_generator_and_the_write_callable() -> None:
    def generator(_environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        write = start("200 OK", [])
        write(b"first ")
        yield b"second"
        write(b" third ")
        yield b"fourth"

    got = WsgiAdapter(generator).exchange("GET", f"{ORIGIN}/")
    assert got.content == b"first second third fourth"


def failing(*_: object) -> Iterable[bytes]:
    raise ZeroDivisionError


def silent(*_: object) -> Iterable[bytes]:
    return [b"no status"]


@pytest.mark.parametrize("application", [failing, silent])
def test_a_broken_application_is_a_bad_answer(application: Any) -> None:
    with pytest.raises(BadAnswer):
        WsgiAdapter(application).exchange("GET", f"{ORIGIN}/")


def test_an_application_that_breaks_in_the_middle() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    got = WsgiAdapter(serving(pieces())).exchange("GET", f"{ORIGIN}/")
    assert got.read(100) == b"half"
    with pytest.raises(ShortBody):
        got.read(100)


def test_a_body_shorter_than_its_length() -> None:
    app = serving([b"half"], "200 OK", ("Content-Length", "8"))
    with pytest.raises(ShortBody, match="4 bytes before"):
        WsgiAdapter(app).exchange("GET", f"{ORIGIN}/").limited(100)


def test_a_broken_iterator_ends_the_input_and_goes_on() -> None:
    class ClientGoneError(Exception):
        pass

    def body() -> Iterator[bytes]:
        yield b"all that came"
        raise ClientGoneError

    arrived = []

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        arrived.append(environ["wsgi.input"].read())
        start("201 Created", [])
        return []

    with pytest.raises(ClientGoneError):
        WsgiAdapter(application).exchange("PUT", f"{ORIGIN}/", body())
    assert arrived == [b"all that came"]


def test_an_early_refusal_leaves_the_rest_of_the_body() -> None:
    left = iter([b"one", b"two"])
    got = WsgiAdapter(serving([b"no"], "403 Forbidden")).exchange("PUT", f"{ORIGIN}/", left)
    assert (got.status_code, got.content, list(left)) == (403, b"no", [b"one", b"two"])


def test_an_early_success_is_a_fault() -> None:
    with pytest.raises(BadAnswer, match="before the body"):
        WsgiAdapter(serving([], "201 Created")).exchange("PUT", f"{ORIGIN}/", iter([b"x"]))


def test_lines_of_the_input() -> None:
    lines: list[bytes] = []

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        source = environ["wsgi.input"]
        lines.extend([source.readline(), source.readline(2), *source.readlines()])
        start("200 OK", [])
        return []

    WsgiAdapter(application).exchange("PUT", f"{ORIGIN}/", iter([b"o", b"ne\ntw", b"o\nth\n4"]))
    assert lines == [b"one\n", b"tw", b"o\n", b"th\n", b"4"]


def test_requests_itself_can_use_it() -> None:
    with requests.Session() as session:
        session.mount(f"{ORIGIN}/", WsgiAdapter(echo))
        assert session.put(f"{ORIGIN}/x", data=b"bytes").text == "bytes"
        assert session.put(f"{ORIGIN}/x", data=iter([b"a", b"b"]), stream=True).content == b"ab"


def test_redirects_come_back_to_the_application_at_constant_memory() -> None:
    digests = []
    piece = bytes(1 << 20)

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if "redirected" not in environ["QUERY_STRING"]:
            location = f"http://elsewhere{environ['PATH_INFO']}?redirected"
            start("307 Temporary Redirect", [("Location", location), ("Content-Length", "0")])
            return []
        if environ["REQUEST_METHOD"] == "GET":
            start("200 OK", [("Content-Length", str(64 << 20))])
            return (piece for _ in range(64))
        digest = hashlib.md5(usedforsecurity=False)
        while data := environ["wsgi.input"].read(100_000):
            digest.update(data)
        digests.append(digest.hexdigest())
        start("201 Created", [])
        return []

    backend = WebHdfsBackend(
        BackendSettings(url=("embedded:",), kind="namenode"), wsgi=application)
    fs = backend.as_user("alice")
    fs.create(HdfsPath("/f"), (piece for _ in range(64)))
    assert digests == [hashlib.md5(bytes(64 << 20), usedforsecurity=False).hexdigest()]
    source = fs.open(HdfsPath("/f"), 0, 64 << 20, 5)
    assert sum(map(len, iter(lambda: source.read(100_000), b""))) == 64 << 20
    with pytest.raises(UpstreamFault):
        fs.open(HdfsPath("/f"), 0, 5, 5)


def test_it_needs_its_application() -> None:
    with pytest.raises(ValueError, match="WSGI application"):
        WebHdfsBackend(BackendSettings(url=("embedded:",)))
