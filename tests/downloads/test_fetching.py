"""What comes of sources that lie, cut, hang and lead astray."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from app.core.download_errors import (
    DownloadStopped,
    InvalidLink,
    SourceAway,
    SourceFault,
    SourceRefused,
)
from app.downloads.fetching import Fetcher, Limits
from app.downloads.flight import Flight
from app.downloads.guard import Guard
from app.downloads.links import parse_link
from tests.downloads.sources import Source, Visit, certified
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LOOPBACK = [ip_network("127.0.0.0/8")]
CONTENT = bytes(range(256)) * 300


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as running:
        yield running


def fetcher(
    *sources: Source, hosts: Sequence[str] = (), private: Any = LOOPBACK, timeout: float = 20.0,
    max_bytes: int = 0, min_rate: int = 0, context: ssl.SSLContext | None = None,
    resolve: Callable[[str, int], Sequence[str]] = lambda _host, _port: ["127.0.0.1"],
) -> Fetcher:
    allowed = [*(one.authority for one in sources), *hosts]
    return Fetcher(Guard(allowed, private, resolve), Limits(timeout, max_bytes, min_rate), context)


def fetched(
    one: Fetcher, url: str, headers: dict[str, str] | None = None, flight: Flight | None = None,
) -> bytes:
    flight = flight or Flight(0, "it", 60.0)
    incoming = one.open(parse_link(url), headers or {}, flight)
    try:
        return b"".join(incoming.pieces())
    finally:
        incoming.close()


def test_a_whole_answer(source: Source) -> None:
    source.script = lambda visit: visit.answer(CONTENT, "Content-Type: text/x-own")
    flight = Flight(0, "it", 60.0)
    incoming = fetcher(source).open(parse_link(f"{source.url}/a/b%20c?d=e"), {}, flight)
    assert incoming.content_type == "text/x-own"
    assert flight.total == len(CONTENT)
    assert b"".join(incoming.pieces()) == CONTENT
    incoming.close()
    assert flight.downloaded == len(CONTENT)
    visit = source.visits[0]
    assert (visit.method, visit.target) == ("GET", "/a/b%20c?d=e")
    assert visit.headers["host"] == source.authority
    assert visit.headers["accept-encoding"] == "identity"
    assert "cookie" not in visit.headers


def test_chunks(source: Source) -> None:
    source.script = lambda visit: visit.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"4\r\nabcd\r\n", b"3;ext=1\r\nefg\r\n", b"0\r\nTrailer: x\r\n\r\n")
    assert fetched(fetcher(source), source.url) == b"abcdefg"


def test_an_empty_object(source: Source) -> None:
    source.script = lambda visit: visit.answer(b"")
    assert fetched(fetcher(source), source.url) == b""


def test_what_comes_after_the_declared_end_is_not_content(source: Source) -> None:
    source.script = lambda visit: visit.answer(CONTENT + b"more", length=len(CONTENT))
    assert fetched(fetcher(source), source.url) == CONTENT


@pytest.mark.parametrize("raw", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Len",
    b"",
], ids=["length", "between chunks", "in a chunk", "head", "nothing"])
def test_cut_short(source: Source, raw: bytes) -> None:
    source.script = lambda visit: visit.send(raw)
    with pytest.raises(SourceAway):
        fetched(fetcher(source), source.url)


@pytest.mark.parametrize("raw", [
    b"HTTP/1.0 200 OK\r\n\r\nwho knows where it ends",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"HTTP/1.1 206 Partial\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"Content-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000 + b"\r\nContent-Length: 3\r\n\r\nabc",
])
def test_answers_that_cannot_be_taken(source: Source, raw: bytes) -> None:
    source.script = lambda visit: visit.send(raw)
    with pytest.raises(SourceFault):
        fetched(fetcher(source), source.url)


def test_a_coding_is_refused_and_not_taken_off(source: Source) -> None:
    source.script = lambda visit: visit.answer(gzip.compress(CONTENT), "Content-Encoding: gzip")
    with pytest.raises(SourceFault, match="Content-Encoding gzip"):
        fetched(fetcher(source), source.url)


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Slowly", "408 Late"])
def test_what_time_may_heal(source: Source, status: str) -> None:
    source.script = lambda visit: visit.answer(b"", status=status)
    with pytest.raises(SourceAway, match=status[:3]):
        fetched(fetcher(source), source.url)


def test_more_than_allowed_is_not_even_read(source: Source) -> None:
    source.script = lambda visit: visit.answer(b"", length=1001)
    with pytest.raises(SourceFault, match=r"1000 bytes.*download\.max_bytes"):
        fetched(fetcher(source, max_bytes=1000), source.url)


def test_chunks_without_end_are_cut_at_the_limit(source: Source) -> None:
    def endless(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            visit.send(b"1000\r\n", b"x" * 4096, b"\r\n")

    source.script = endless
    with pytest.raises(SourceFault, match="100000 bytes"):
        fetched(fetcher(source, max_bytes=100_000), source.url)


# --- time


@pytest.mark.parametrize("raw", [
    b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
], ids=["no answer", "in the middle"])
def test_a_source_that_hangs(source: Source, raw: bytes) -> None:
    def hanging(visit: Visit) -> None:
        visit.send(raw)
        visit.hang()

    source.script = hanging
    with pytest.raises(SourceAway, match="in time"):
        fetched(fetcher(source, timeout=0.2), source.url)


def dripping(head: bytes, drop: bytes) -> Callable[[Visit], None]:
    """Return a script that sends `drop` again and again, with pauses shorter than a timeout."""
    def script(visit: Visit) -> None:
        visit.send(head)
        while not visit.source.over.wait(0.02):
            visit.send(drop)
    return script


def test_a_head_that_drips_has_one_timeout(source: Source) -> None:
    source.script = dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x")
    with pytest.raises(SourceAway, match="in time"):
        fetched(fetcher(source, timeout=0.5), source.url)


def test_interim_answers_that_drip_have_one_timeout(source: Source) -> None:
    source.script = dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    with pytest.raises(SourceFault):
        fetched(fetcher(source, timeout=0.5), source.url)


def test_content_that_drips_is_too_slow(source: Source) -> None:
    source.script = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")
    with pytest.raises(SourceFault, match="too slow"):
        fetched(fetcher(source, timeout=0.5, min_rate=1_000_000), source.url)


def test_an_object_has_a_time_in_all(source: Source) -> None:
    source.script = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")
    with pytest.raises(SourceFault, match=r"longer than 0\.5 seconds"):
        fetched(fetcher(source), source.url, flight=Flight(0, "it", 0.5))


def test_a_slow_taker_is_not_a_slow_source(source: Source) -> None:
    source.script = lambda visit: visit.answer(b"x" * 3_000_000)
    flight = Flight(0, "it", 60.0)
    incoming = fetcher(source, timeout=0.3, min_rate=1_000).open(
        parse_link(source.url), {}, flight)
    first = next(pieces := incoming.pieces())
    threading.Event().wait(0.5)
    assert len(first) + sum(map(len, pieces)) == 3_000_000
    incoming.close()


def test_stopping_wakes_who_waits(source: Source) -> None:
    source.script = Visit.hang
    flight = Flight(0, "it", 60.0)
    told: list[Exception] = []

    def waiting() -> None:
        try:
            fetched(fetcher(source), source.url, flight=flight)
        except DownloadStopped as error:
            told.append(error)

    thread = threading.Thread(target=waiting)
    thread.start()
    wait_for("the request", lambda: source.visits)
    before = time.monotonic()
    flight.stop("nobody wants it")
    thread.join(20.0)
    assert str(told[0]) == "nobody wants it"
    assert time.monotonic() - before < 15.0, "it waited for its timeout"


# --- whereto


def test_the_name_is_resolved_once_and_that_address_is_used(source: Source) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    source.script = lambda visit: visit.answer(CONTENT)
    one = fetcher(hosts=[f"rebind.example:{source.port}"], resolve=rebinding)
    url = f"http://rebind.example:{source.port}/"
    assert fetched(one, url) == CONTENT
    assert asked == ["rebind.example"]
    assert source.visits[0].headers["host"] == f"rebind.example:{source.port}"
    # Asked again, for another download, it is refused before anything is sent.
    with pytest.raises(SourceRefused, match=r"169\.254\.169\.254"):
        fetched(one, url)
    assert len(source.visits) == 1


def test_a_host_that_answers_a_redirect_is_asked_for_anew(source: Source) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    source.script = lambda visit: visit.redirect("/elsewhere")
    one = fetcher(hosts=[f"a.example:{source.port}"], resolve=lambda *_: answers.pop(0))
    with pytest.raises(SourceRefused, match=r"10\.0\.0\.1"):
        fetched(one, f"http://a.example:{source.port}/")
    assert source.targets() == ["/"]


@pytest.mark.parametrize("location", [
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/",
    "http://localhost/", "http://localhost:9870/webhdfs/v1/", "http://10.0.0.1/",
    "//evil.example/x", "http://inner.example/",
])
def test_redirects_astray(source: Source, location: str) -> None:
    source.script = lambda visit: visit.redirect(location)
    names = {"inner.example": ["127.0.0.1"]}
    # One host is allowed by name, and has an address that is not.
    one = fetcher(source, hosts=["inner.example", "169.254.169.254", "localhost"],
                  private=[ip_network("127.0.0.1/32")],
                  resolve=lambda host, _: names.get(host, ["127.0.0.2"]))
    with pytest.raises((SourceRefused, SourceAway)):
        fetched(one, source.url)
    assert source.targets() == ["/"]


@pytest.mark.parametrize("location", [
    "file:///etc/passwd", "gopher://127.0.0.1:70/", "http://2130706433/", "http://u:p@a/",
    "http://127.0.0.1\\@a/", "/a b",
])
def test_redirects_to_what_is_no_link(source: Source, location: str) -> None:
    source.script = lambda visit: visit.redirect(location)
    with pytest.raises(InvalidLink):
        fetched(fetcher(source), source.url)


def test_redirects_have_an_end(source: Source) -> None:
    source.script = lambda visit: visit.redirect(f"{visit.target}x")
    with pytest.raises(SourceFault, match="5 redirects"):
        fetched(fetcher(source), f"{source.url}/a")
    assert source.targets() == [f"/a{'x' * count}" for count in range(6)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_five_redirects_are_followed(source: Source, status: int) -> None:
    for step in range(5):
        source.scripts[f"/{step}"] = lambda visit, step=step: visit.redirect(
            f"/{step + 1}", f"{status} Elsewhere")
    source.scripts["/5"] = lambda visit: visit.answer(CONTENT)
    assert fetched(fetcher(source), f"{source.url}/0") == CONTENT


def test_headers_stay_with_the_origin_they_are_for(source: Source) -> None:
    secret = {"Authorization": "Bearer abc", "X-Own": "1"}
    with Source(lambda visit: visit.redirect(f"{source.url}/back")) as other:
        source.scripts["/start"] = lambda visit: visit.redirect("/same")
        source.scripts["/same"] = lambda visit: visit.redirect(f"{other.url}/away")
        source.scripts["/back"] = lambda visit: visit.answer(CONTENT)
        assert fetched(fetcher(source, other), f"{source.url}/start", secret) == CONTENT
        assert [visit.headers.get("authorization") for visit in source.visits] == [
            "Bearer abc", "Bearer abc", None]
        assert "authorization" not in other.visits[0].headers
        assert "x-own" not in other.visits[0].headers


def test_cookies_are_not_kept(source: Source) -> None:
    source.scripts["/"] = lambda visit: visit.answer(
        b"", "Location: /b", "Set-Cookie: a=b", status="302 Found")
    source.scripts["/b"] = lambda visit: visit.answer(CONTENT)
    assert fetched(fetcher(source), source.url) == CONTENT
    assert "cookie" not in source.visits[1].headers


def test_the_environments_proxy_plays_no_part(
    source: Source, monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Source() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        source.script = lambda visit: visit.answer(CONTENT)
        assert fetched(fetcher(source), source.url) == CONTENT
        assert not proxy.visits


def test_the_next_address_is_tried(source: Source) -> None:
    source.script = lambda visit: visit.answer(CONTENT)
    one = fetcher(hosts=[f"a.example:{source.port}"],
                  resolve=lambda *_: ["127.7.7.7", "127.0.0.1"])
    assert fetched(one, f"http://a.example:{source.port}/") == CONTENT


def test_nobody_listens() -> None:
    with Source() as gone:
        pass
    with pytest.raises(SourceAway):
        fetched(fetcher(gone), gone.url)


# --- TLS


def test_a_certificate_is_checked_against_the_name(tmp_path: Path) -> None:
    context, trusted = certified(tmp_path, "good.example", "127.0.0.1")
    asked: list[str] = []
    context.sni_callback = lambda _sock, name, _context: asked.append(name)
    own = ssl.create_default_context(cafile=str(trusted))
    with Source(lambda visit: visit.answer(CONTENT), context) as source:
        hosts = [f"good.example:{source.port}", f"bad.example:{source.port}"]
        one = fetcher(source, hosts=hosts, context=own)
        assert fetched(one, f"https://good.example:{source.port}/") == CONTENT
        assert fetched(one, f"https://127.0.0.1:{source.port}/") == CONTENT
        with pytest.raises(SourceFault, match="certificate"):
            fetched(one, f"https://bad.example:{source.port}/")
        assert asked[:2] == ["good.example", None]
        # And without trust in who has signed it:
        with pytest.raises(SourceFault, match="certificate"):
            fetched(fetcher(source), f"https://127.0.0.1:{source.port}/")
        assert len(source.visits) == 2


def test_no_way_from_https_to_http(tmp_path: Path, source: Source) -> None:
    context, trusted = certified(tmp_path, "127.0.0.1")
    own = ssl.create_default_context(cafile=str(trusted))
    with Source(lambda visit: visit.redirect(source.url), context) as secure:
        with pytest.raises(SourceRefused, match="https to http"):
            fetched(fetcher(secure, source, context=own), secure.url)
        assert not source.visits
        source.script = lambda visit: visit.redirect(secure.url)
        secure.script = lambda visit: visit.answer(CONTENT)
        assert fetched(fetcher(secure, source, context=own), source.url) == CONTENT


def test_a_tls_source_that_hangs_in_the_handshake(source: Source) -> None:
    with Source() as silent, pytest.raises((SourceAway, SourceFault)):
        fetched(fetcher(silent, timeout=0.3), f"https://{silent.authority}/")
