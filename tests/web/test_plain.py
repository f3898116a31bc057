"""The short way of plain requests and answers: it says what gunicorn says, octet by octet."""

from __future__ import annotations

import itertools
import string
from typing import TYPE_CHECKING, Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import Response, create
from hypothesis import given
from hypothesis import strategies as st

from app.web.plain import NO_BODY, PlainParser, PlainRequest, takes_plain
from app.web.plain_answer import Errors, PlainResponse, begun

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = (b"GET /f/file/status?path=%2Fa&x HTTP/1.1\r\n"
         b"Host: h:80\r\nAuthorization: Basic YTpi\r\n\r\n")
CLIENT, SERVER = ("192.0.2.7", 50000), ("127.0.0.1", 8080)
UNLIKE = frozenset({"wsgi.errors", "wsgi.input", "wsgi.early_hints", "wsgi.multithread"})
"""What is another object each time, or what gunicorn's worker sets itself."""


def configured(**settings: Any) -> Config:
    config = Config()
    for name, value in {"secure_scheme_headers": {}, "header_map": "dangerous",
                        "limit_request_line": 8190, "limit_request_fields": 64,
                        "forwarder_headers": "", "workers": 2, **settings}.items():
        config.set(name, value)
    return config


TUNED = configured()


class Pieces:
    """A socket from which these pieces come."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self.sent = b""

    def recv(self, size: int) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if len(piece) > size:
            self._pieces.insert(0, piece[size:])
        return piece[:size]

    def sendall(self, data: bytes) -> None:
        self.sent += data

    send = sendall


def told(kind: type[RequestParser], pieces: Sequence[bytes], config: Config = TUNED) -> list[Any]:
    """Return what a parser says of all requests of a connection, its last error included."""
    said: list[Any] = []
    try:
        said.extend((
            request.method, request.uri, request.path, request.query, request.fragment,
            request.version, request.headers, request.scheme, request.peer_addr,
            request.remote_addr, list(request.trailers), request.should_close(),
            request.body.read(), request.req_number, _environ(request, kind, config),
        ) for request in kind(config, Pieces(pieces), CLIENT))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other has to raise the same
        said.append((type(error), str(error)))
    return said


def _environ(request: Any, kind: type[RequestParser], config: Config) -> dict[str, Any]:
    sock: Any = Pieces(())
    if kind is PlainParser and type(request) is PlainRequest:
        _, environ = begun(request, sock, CLIENT, SERVER, Errors(config))
        assert environ["wsgi.multithread"] is True
    else:
        _, environ = create(request, sock, CLIENT, SERVER, config)
    environ["gunicorn.socket"] = None
    return {name: value for name, value in environ.items() if name not in UNLIKE}


SPECKS = [b"\r", b"\n", b"\0", b"\t", b" ", b":", b"\xe9", b"_", b"#", b"?", b"//", b"*", b"%",
          b"\x7f", b"[", b"\r\n"]
METHODS = [b"GET", b"HEAD", b"PUT", b"POST", b"DELETE", b"OPTIONS", b"CONNECT", b"get", b"G",
           b"PATCH", b"PROPFIND"]
TARGETS = [b"/", b"/f/file/status?path=/a", b"//a//b", b"/%41?b=%20", b"*", b"http://h/a?b",
           b"h:80", b"/a:b", b"/[a]", b"//[a", b"/a?b?c#d", b"/a#b", b"//a#b?c", b"/;a?;b", b""]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"http/1.1", b"HTTP/1.10"]
NAMES = [b"Host", b"host", b"Authorization", b"Content-Type", b"X-Forwarded-For",
         b"X_Forwarded_For", b"x-amz-meta-a_b", b"Connection", b"Content-Length", b"Expect",
         b"Transfer-Encoding", b"Upgrade", b"X-a.b", b"Script_Name", b"Cookie", b"A b", b""]
BETWEEN = [b":", b": ", b":\t ", b" :", b""]
VALUES = [b"h", b" h:80 ", b"\tBasic YTpi", b"close", b"Keep-Alive", b"keep-alive, x", b"0", b"3",
          b"chunked", b"100-continue", b"h2c", b"", b"a\xffb", b"a\tb", b"a" * 300]
ENDS = [b"\r\n", b"\n", b"\r", b"\r\n "]


def corpus() -> list[bytes]:
    """Heads in which one thing is not as in the plainest of all."""
    starts = [*((method, b"/a", b"HTTP/1.1") for method in METHODS),
              *((b"GET", target, b"HTTP/1.1") for target in TARGETS),
              *((b"GET", b"/a", version) for version in VERSIONS)]
    fields = [b"".join(parts) for parts in itertools.product(NAMES, BETWEEN, VALUES, ENDS)]
    return [*(b"%b %b %b\r\nHost: h\r\n\r\n" % start for start in starts),
            *(b"GET /a HTTP/1.1\r\nHost: h\r\n%b\r\n" % field for field in fields)]


def heads() -> st.SearchStrategy[bytes]:
    """Requests as clients send them, now and then with something wrong or rare in them."""
    seldom = st.sampled_from([b""] * 20 + SPECKS)
    field = st.tuples(
        st.sampled_from(NAMES), seldom, st.sampled_from([b": "] * 8 + BETWEEN),
        st.sampled_from(VALUES), seldom, st.sampled_from([b"\r\n"] * 8 + ENDS))
    start = st.tuples(
        st.sampled_from([b"GET"] * 8 + METHODS), st.sampled_from([b" "] * 9 + [b"\t"]),
        st.sampled_from(TARGETS), seldom, st.just(b" "),
        st.sampled_from([b"HTTP/1.1"] * 8 + VERSIONS), st.sampled_from([b"\r\n"] * 9 + [b"\n"]))
    return st.builds(
        lambda start, fields, end: b"".join((*start, *(b"".join(one) for one in fields), end)),
        start, st.lists(field, max_size=6), st.sampled_from([b"\r\n"] * 4 + [b"", b"abc"]))


def test_each_thing_that_is_not_plain_means_what_it_means_to_gunicorn() -> None:
    for stream in corpus():
        assert told(PlainParser, [stream]) == told(RequestParser, [stream])


@given(st.lists(heads(), min_size=1, max_size=3), st.integers(0, 200))
def test_what_is_made_of_a_connection_is_what_gunicorn_makes_of_it(
    requests: list[bytes], cut: int,
) -> None:
    stream = b"".join(requests)
    for pieces in ([stream], requests, [stream[:cut], stream[cut:]]):
        assert told(PlainParser, pieces) == told(RequestParser, pieces)


@given(st.binary(max_size=12), st.integers(0, len(PLAIN)))
def test_octets_anywhere_in_a_plain_head_mean_what_they_mean_to_gunicorn(
    octets: bytes, place: int,
) -> None:
    for stream in (PLAIN[:place] + octets + PLAIN[place:],
                   PLAIN[:place] + octets + PLAIN[place + len(octets):]):
        assert told(PlainParser, [stream]) == told(RequestParser, [stream])


@pytest.mark.parametrize("config", [
    TUNED, configured(limit_request_line=60), configured(limit_request_field_size=40),
    configured(limit_request_fields=2), configured(limit_request_line=0),
], ids=["tuned", "line", "field", "fields", "none"])
@pytest.mark.parametrize("stream", [
    b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"a" * length)
    for length in (40, 46, 47, 8100, 8175, 8190)
] + [
    b"GET / HTTP/1.1\r\nHost: h\r\nX: %b\r\n\r\n" % (b"a" * length)
    for length in (35, 36, 8140, 8186, 8200)
] + [
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(count)) + b"\r\n"
    for count in (0, 1, 2, 3, 64, 65)
])
def test_limits_count_as_they_do_for_gunicorn(config: Config, stream: bytes) -> None:
    for pieces in ([stream], [stream + stream]):
        assert told(PlainParser, pieces, config) == told(RequestParser, pieces, config)


def test_plain_requests_have_the_short_way_and_what_follows_them_is_kept() -> None:
    body = b"PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
    empty = b"PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    parser = PlainParser(TUNED, Pieces([PLAIN + PLAIN + body, empty + PLAIN]), CLIENT)
    kinds = [type(request) is PlainRequest for request in parser]
    assert kinds == [True, True, False, True, True]


@pytest.mark.parametrize("line", [
    b"Content-Length: 1", b"Content-Length: 00", b"Transfer-Encoding: chunked",
    b"Expect: 100-continue", b"Upgrade: h2c",
    b"X_a: b", b"Accept: a\r\nAccept: b", b"Connection: upgrade"])
def test_what_is_unusual_is_for_gunicorns_own_parser(line: bytes) -> None:
    stream = PLAIN[:-2] + line + b"\r\n\r\n"
    parser = PlainParser(TUNED, Pieces([stream, b"0\r\n\r\n"]), CLIENT)
    assert type(next(parser)) is not PlainRequest


def test_after_a_last_request_nothing_is_read() -> None:
    parser = PlainParser(TUNED, Pieces([PLAIN[:-2] + b"Connection: Close\r\n\r\n" + PLAIN]), CLIENT)
    assert next(parser).should_close()
    with pytest.raises(StopIteration):
        next(parser)


def test_a_request_without_a_body_reads_as_empty() -> None:
    assert (NO_BODY.read(10), NO_BODY.readline(), NO_BODY.readlines(), list(NO_BODY)) == (
        b"", b"", [], [])


@pytest.mark.parametrize(("settings", "taken"), [
    ({}, True), ({"proxy_protocol": True}, False), ({"accesslog": "-"}, False),
    ({"secure_scheme_headers": {"X-FORWARDED-PROTO": "https"}}, False)])
def test_what_gunicorn_must_decide_itself_is_left_to_it(
    settings: dict[str, Any], taken: bool,
) -> None:
    config = configured(**settings)
    assert takes_plain(config, Logger(config)) is taken


def answered(
    kind: type[Response], status: str, headers: list[tuple[str, str]], pieces: Sequence[bytes],
    method: str = "GET", *, close: bool = False,
) -> Any:
    """Return what a response sends for an application's answer, without its Date."""
    sock = Pieces(())
    parser = PlainParser(TUNED, Pieces([PLAIN.replace(b"GET", method.encode())]), CLIENT)
    request = next(parser)
    response = kind(request, sock, TUNED)
    if close:
        response.force_close()
    try:
        response.start_response(status, headers)
        for piece in pieces:
            response.write(piece)
        response.close()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other has to raise the same
        return type(error), sock.sent
    kept = [line for line in sock.sent.split(b"\r\n") if not line.startswith(b"Date: ")]
    assert b"\r\nDate: " in sock.sent
    return kept, response.should_close(), response.sent, response.status_code


TEXT = st.text(st.sampled_from(string.ascii_letters + " \t\r\n:-_\0\x7f\xe9\u0100"), max_size=8)
HEADERS = st.lists(st.tuples(
    st.sampled_from(["Content-Length", "content-length", "X-A", "Connection", "Date", "Server",
                     "Vary", "A b", "Transfer-Encoding", "Upgrade", "", "X-\xe9"]) | TEXT,
    st.sampled_from(["4", "0", " 4", "5", "-1", "x", "a b", " a", "", "Upgrade", "a\r\nB: c"])
    | TEXT), max_size=4)


@given(
    st.sampled_from(["200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "200",
                     "2000 x", "100 Continue", "200 a\r\nX: b", "500 \xe9", "abc"]),
    HEADERS, st.lists(st.sampled_from([b"", b"body", b"bo", b"dy", b"longer", b"x" * 20000])),
    st.sampled_from(["GET", "HEAD", "PUT"]), st.booleans())
def test_answers_go_out_as_gunicorn_sends_them(
    status: str, headers: list[tuple[str, str]], pieces: list[bytes], method: str,
    close: bool,
) -> None:
    for given_headers in (headers, [*headers, ("Content-Length", "4")]):
        assert answered(PlainResponse, status, given_headers, pieces, method, close=close) == (
            answered(Response, status, given_headers, pieces, method, close=close))


def test_an_answer_that_another_replaces_before_it_is_sent_leaves_nothing_behind() -> None:
    sock = Pieces(())
    request = next(PlainParser(TUNED, Pieces([PLAIN]), CLIENT))
    response = PlainResponse(request, sock, TUNED)
    before = [("Content-Length", "4"), ("X-A", "b")]
    response.start_response("200 OK", before)
    error = OSError("too late")
    response.start_response("500 No", [("Content-Length", "2")], (OSError, error, None))
    response.write(b"no")
    response.close()
    assert sock.sent.startswith(b"HTTP/1.1 500 No\r\n")
    assert sock.sent.endswith(b"\r\nContent-Length: 2\r\n\r\nno")
    assert sock.sent.count(b"Content-Length") == 1
    assert b"X-A" not in sock.sent
    assert len(before) == 2


def test_head_and_body_of_a_short_answer_are_one_piece() -> None:
    sock = Sends()
    request = next(PlainParser(TUNED, Pieces([PLAIN]), CLIENT))
    response = PlainResponse(request, sock, TUNED)
    response.start_response("200 OK", [("Content-Length", "4")])
    response.write(b"body")
    response.close()
    assert len(sock.pieces) == 1
    assert sock.pieces[0].endswith(b"\r\n\r\nbody")


class Sends:
    """A socket that keeps what is sent piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.pieces.append(data)
