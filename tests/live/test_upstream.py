"""A cluster that is away, slow or broken: clear statuses in bounded time, no clean short body."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT as URL
from tests.contract.client import Files
from tests.contract.wire import Wire
from tests.gateway import Gateway, free_port
from tests.live import scripted
from tests.live.scripted import CONTENT, Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.scripted import Behaviour

pytestmark = pytest.mark.gunicorn

BACKEND = {
    "kind": "namenode", "connect_timeout": 1.0, "read_timeout": 1.0, "retry_deadline": 0.8,
    "home_cache": 0.0, "rpc": "off",
}
BOUND = 12.0


@pytest.fixture(scope="module")
def fronted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Scripted]]:
    """Yield a gateway and the server behind it."""
    with Scripted() as server, Gateway(
        tmp_path_factory.mktemp("fronted"), backend=server.url, settings={"backend": BACKEND},
    ) as gateway:
        yield gateway, server


@pytest.fixture
def server(fronted: tuple[Gateway, Scripted]) -> Iterator[Scripted]:
    """Return the server, well again for each test."""
    server = fronted[1]
    yield server
    server.behaviours = dict(scripted.WELL)


@pytest.fixture
def files(fronted: tuple[Gateway, Scripted], server: Scripted) -> Files:
    """Return the user `someone`."""
    return Files(fronted[0], "scripted", "/user/alice")


BREAKS = {
    "at-once": scripted.short(0), "middle": scripted.short(1_000_000),
    "last-byte": scripted.short(len(CONTENT) - 1),
    "reset": scripted.short(1_000_000, reset=True),
    "chunked": scripted.short(1_000_000, chunked=True),
    "chunked-at-once": scripted.short(0, chunked=True),
    "clean-but-short": scripted.lying(1_000_000), "clean-and-empty": scripted.lying(0),
    "stalled": scripted.stalled(1_000_000),
}


@pytest.mark.parametrize("behaviour", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_download_cut_short_is_seen_to_be_short(
    files: Files, server: Scripted, behaviour: Behaviour, coding: str,
) -> None:
    server.behaviours["OPEN"] = behaviour
    started = time.monotonic()
    with Wire(files.gateway) as wire:
        wire.send_head("GET", f"{URL}?path=/user/alice/f", [("Accept-Encoding", coding)])
        try:
            got = wire.answer()
        except ConnectionError:
            return
        if got.status != 200:
            assert got.status in (502, 503, 504)
            assert got.errors
            return
        assert not got.whole, f"{len(got.body)} bytes and a clean end"
        assert wire.at_end()
    assert time.monotonic() - started < BOUND
    content = got.body
    if coding == "gzip":
        unpacker = zlib.decompressobj(31)
        content = unpacker.decompress(got.body)
        assert not unpacker.eof
    assert CONTENT.startswith(content)


@pytest.mark.parametrize("reset", [True, False])
def test_a_download_that_breaks_once_goes_on_where_it_was(
    files: Files, server: Scripted, *, reset: bool,
) -> None:
    breaks = [scripted.short(1_000_000, reset=reset)]

    def once(handler: scripted.Handler) -> None:
        (breaks.pop() if breaks else scripted.whole)(handler)

    server.behaviours["OPEN"] = once
    answer = files.gateway.request(
        "GET", URL, params={"path": "/user/alice/f"}, headers={"Accept-Encoding": "identity"})
    assert answer.content == CONTENT


def test_the_same_download_when_all_is_well(files: Files) -> None:
    assert files.call("GET", URL, path="/user/alice/f").content == CONTENT


FAULTS: dict[str, tuple[Behaviour, int]] = {
    "hangs": (scripted.hang, 504),
    "html": (scripted.raw(500, b"<html>oops at java.lang.Foo</html>"), 502),
    "gateway-page": (scripted.raw(503, b"<html>down</html>"), 503),
    "no-json": (scripted.raw(200, b"{"), 502),
    "wrong-json": (scripted.answer(["x"]), 502),
    "wrong-fields": (scripted.answer({"FileStatus": {"type": "FILE"}}), 502),
    "null": (scripted.answer(None), 502),
    "standby": (scripted.raw(403, scripted.remote_exception("StandbyException", "standby")), 503),
    "safe-mode": (scripted.raw(
        403, scripted.remote_exception("SafeModeException", "in safe mode")), 503),
    "retry": (scripted.raw(
        403, scripted.remote_exception("RetriableException", "try later")), 503),
    "lost-namenode": (scripted.raw(
        403, scripted.remote_exception("EOFException", "End of File Exception")), 503),
    "internal": (scripted.raw(
        500, scripted.remote_exception("NullPointerException", "null")), 502),
    "denied": (scripted.raw(
        403, scripted.remote_exception("AccessControlException", "Permission denied")), 403),
    "redirect-nowhere": (lambda handler: handler.say(307, b"", ("Location", "")), 502),
    "cut": (lambda handler: handler.cut(), 503),
}


@pytest.mark.parametrize(("behaviour", "status"), FAULTS.values(), ids=FAULTS)
def test_faults_of_the_cluster_in_bounded_time(
    files: Files, server: Scripted, behaviour: Behaviour, status: int,
) -> None:
    server.behaviours["GETFILESTATUS"] = behaviour
    started = time.monotonic()
    answer = files.call("GET", "/f/file/status", status, path="/user/alice/f")
    assert time.monotonic() - started < BOUND
    for leak in ("java.", "html", "Foo", server.url):
        assert leak not in answer.text
    files.call("GET", URL, status, path="/user/alice/f")


def test_a_fault_that_passes_is_not_seen(files: Files, server: Scripted) -> None:
    asked: list[int] = []

    def once(handler: scripted.Handler) -> None:
        asked.append(1)
        if len(asked) == 1:
            FAULTS["retry"][0](handler)
        else:
            scripted.WELL["GETFILESTATUS"](handler)

    server.behaviours["GETFILESTATUS"] = once
    files.call("GET", "/f/file/status", path="/user/alice/f")
    assert len(asked) == 2


def test_what_may_have_happened_is_not_done_again(files: Files, server: Scripted) -> None:
    server.behaviours["DELETE"] = lambda handler: handler.cut()
    server.asked.clear()
    answer = files.gateway.request("DELETE", "/f/file", params={"path": "/user/alice/f"})
    assert answer.status_code in (502, 503)
    assert server.asked.count("DELETE") == 1


def test_readiness_follows_the_cluster_in_bounded_time(files: Files, server: Scripted) -> None:
    def ready() -> int:
        return files.gateway.request("GET", "/readyz", user=None).status_code

    assert ready() == 200
    for operation in ("GETFILESTATUS", "GETHOMEDIRECTORY", "TELLFLAVOR"):
        server.behaviours[operation] = scripted.hang
    started = time.monotonic()
    assert ready() in (503, 504)
    assert time.monotonic() - started < 6
    assert files.gateway.request("GET", "/healthz", user=None).status_code == 200
    server.behaviours = dict(scripted.WELL)
    assert ready() == 200


def test_no_cluster_at_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    gateway = Gateway(
        tmp_path_factory.mktemp("alone"), backend=f"http://127.0.0.1:{free_port()}",
        settings={"backend": {**BACKEND, "kind": "auto"}}, workers=1)
    try:
        gateway.start(await_ready=False)
        files = Files(gateway, "none", "/user/alice")
        assert gateway.request("GET", "/readyz", user=None).status_code == 503
        for method, url in (("GET", "/f/home-directory"), ("GET", "/f/file/status"),
                            ("GET", URL), ("PUT", URL), ("DELETE", "/f/file")):
            started = time.monotonic()
            answer = files.call(method, url, 503, path="/user/alice/f", data=b"x")
            assert int(answer.headers["Retry-After"]) > 0
            assert time.monotonic() - started < BOUND
    finally:
        gateway.stop()
