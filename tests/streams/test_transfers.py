"""Streams over HTTP: create-file, write, close; open-file, read, close; download-file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from app.fs.stream_records import SPACE
from app.state.sqlite import SqliteStore
from tests.contract.wire import Wire
from tests.gateway import wait_for
from tests.streams.conftest import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.streams.conftest import Alluxio, Answer

OCTETS = {"Content-Type": "application/octet-stream"}
UNKNOWN = "stream does not exist"


def opened(alx: Alluxio, name: str = "file", action: str = "create-file", **options: Any) -> int:
    """Return the id that create-file or open-file answers."""
    answer = alx.act(f"{HOME}/{name}", action, options or None)
    assert answer.status == 200, answer
    assert answer.body == str(answer.json).encode()
    assert 0 < answer.json < 2**31
    return int(answer.json)


def on(alx: Alluxio, stream_id: int, action: str, body: bytes | None = None,
       **headers: str) -> Answer:
    """Do something to a stream."""
    return alx.raw("POST", f"/api/v1/streams/{stream_id}/{action}", body, headers)


def closed(alx: Alluxio, stream_id: int) -> None:
    """Close a stream, and see that it says nothing."""
    answer = on(alx, stream_id, "close")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == "0"
    assert "Content-Type" not in answer.headers


def got(alx: Alluxio, name: str = "file") -> bytes:
    """Return the content of a file."""
    answer = alx.raw("GET", f"/api/v1/paths/{quote(f'{HOME}/{name}')}/download-file")
    assert answer.status == 200, answer
    return answer.body


def write_target(stream_id: int) -> str:
    """Return the request target of a write."""
    return f"/api/v1/streams/{stream_id}/write"


def test_a_file_in_several_writes(everywhere: Alluxio) -> None:
    alx = everywhere
    stream_id = opened(alx)
    for body, headers in ((b"hello ", {}), (b"world", OCTETS), (b"", {}), (None, {}),
                          (b"x" * 300_000, OCTETS)):
        answer = on(alx, stream_id, "write", body, **headers)
        assert (answer.status, answer.json) == (200, len(body or b""))
    assert alx.act(f"{HOME}/file", "open-file").message == (
        f"Cannot read from {HOME}/file because it is incomplete. Wait for the file to be marked as"
        " complete by the writing thread or application.")
    download = f"/api/v1/paths/{HOME}/file/download-file"
    assert alx.raw("GET", download).code == "UNKNOWN"
    closed(alx, stream_id)
    assert got(alx) == b"hello world" + b"x" * 300_000
    for action, body in (("close", None), ("write", b"x"), ("read", None)):
        answer = on(alx, stream_id, action, body)
        assert (answer.status, answer.code, answer.message) == (500, "INTERNAL", UNKNOWN)


def test_chunked_bodies(everywhere: Alluxio) -> None:
    stream_id = opened(everywhere)
    with Wire(everywhere.gateway) as wire:
        for pieces in ((b"abc", b"d" * 100_000), (), (b"ef",)):
            wire.send_head("POST", write_target(stream_id), [("Transfer-Encoding", "chunked")])
            for piece in (*pieces, b""):
                wire.send_chunk(piece)
            answer = wire.answer()
            assert (answer.status, answer.body) == (200, str(sum(map(len, pieces))).encode())
            assert answer.headers["content-type"] == "application/json"
    closed(everywhere, stream_id)
    assert got(everywhere) == b"abc" + b"d" * 100_000 + b"ef"


@pytest.mark.parametrize("chunked", [True, False])
def test_nothing_of_a_body_that_broke_off_stays(everywhere: Alluxio, chunked: bool) -> None:
    def broken_off() -> int:
        return sum(line["error"] == "IncompleteBody" for line in everywhere.gateway.audit())

    stream_id, before = opened(everywhere), broken_off()
    assert on(everywhere, stream_id, "write", b"kept").json == 4
    with Wire(everywhere.gateway) as wire:
        framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "5000000")
        wire.send_head("POST", write_target(stream_id), [framing])
        for _ in range(8):
            piece = os.urandom(1 << 18)
            wire.send_chunk(piece) if chunked else wire.socket.sendall(piece)
    # A write that comes before it is begun would succeed, and be in its way.
    wait_for("the end of that request", lambda: broken_off() > before)
    assert on(everywhere, stream_id, "write", b", and more").json == 10
    closed(everywhere, stream_id)
    assert got(everywhere) == b"kept, and more"


def test_a_body_whose_digest_is_wrong(alx: Alluxio) -> None:
    stream_id = opened(alx)
    answer = on(alx, stream_id, "write", b"content", **{
        "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
    assert answer.status == 400
    closed(alx, stream_id)
    assert got(alx) == b""


def test_a_write_says_that_it_is_bytes(alx: Alluxio) -> None:
    stream_id = opened(alx)
    for kind in ("application/json", "text/plain"):
        answer = on(alx, stream_id, "write", b"abc", **{"Content-Type": kind})
        assert (answer.status, answer.code) == (415, "INVALID_ARGUMENT")
    closed(alx, stream_id)
    assert got(alx) == b""


def test_a_refusal_before_the_body_can_be_read(alx: Alluxio) -> None:
    # The whole body is sent first: the answer must not be lost in a reset.
    answer = on(alx, 12345, "write", b"x" * 5_000_000)
    assert (answer.status, answer.message) == (500, UNKNOWN)
    with Wire(alx.gateway) as wire:
        wire.send_head("POST", write_target(12345), [
            ("Content-Length", "5000000"), ("Expect", "100-continue")])
        refused = wire.answer()
        assert (refused.status, refused.interim) == (500, [])


def test_only_one_writes_at_a_time(alx: Alluxio) -> None:
    stream_id = opened(alx)
    with Wire(alx.gateway) as wire:
        wire.send_head("POST", write_target(stream_id), [("Transfer-Encoding", "chunked")])
        wire.send_chunk(b"slowly")
        store = SqliteStore(alx.gateway.directory / "data" / "state.db")
        wait_for("the write to have begun", lambda: (store.get(SPACE, str(stream_id)) or {})[
            "worker"])
        store.close()
        for action in ("write", "close") * 5:  # both workers know
            answer = on(alx, stream_id, action, b"")
            assert (answer.status, answer.code) == (500, "ABORTED")
        wire.send_chunk(b"")
        assert wire.answer().body == b"6"
    closed(alx, stream_id)
    assert got(alx) == b"slowly"


def test_streams_are_their_users_own(alx: Alluxio) -> None:
    writer = opened(alx)
    on(alx, writer, "write", b"mine")
    alx.put(f"{HOME}/done")
    reader = opened(alx, "done", "open-file")
    for user in ("other", "admin", "confined"):
        for stream_id in (writer, reader):
            for action, body in (("write", b"theirs"), ("read", None), ("close", None)):
                assert on(alx.as_user(user), stream_id, action, body).message == UNKNOWN
    assert on(alx.as_user(None), writer, "close").status == 401
    closed(alx, writer)
    assert got(alx) == b"mine"


def test_who_may_only_read(alx: Alluxio) -> None:
    assert alx.as_user("reader").act(f"{HOME}/x", "create-file").code == "PERMISSION_DENIED"
    alx.put(f"{HOME}/done", b"content")
    stream_id = opened(alx.as_user("reader"), "done", "open-file")
    assert on(alx.as_user("reader"), stream_id, "read").body == b"content"


# --- create-file


def test_what_is_there_already(everywhere: Alluxio) -> None:
    alx = everywhere
    alx.put(f"{HOME}/file", b"old")
    told = alx.act(f"{HOME}/file", "create-file")
    assert (told.status, told.code) == (500, "ALREADY_EXISTS")
    assert told.message == (f"{HOME}/file already exists. If you want to overwrite the file,"
                            " you need to specify the overwrite option.")
    assert alx.act(HOME, "create-file").code == "ALREADY_EXISTS"
    stream_id = opened(alx, overwrite=True)
    on(alx, stream_id, "write", b"new")
    assert got(alx) == b"old"
    closed(alx, stream_id)
    assert got(alx) == b"new"


def test_a_file_that_appears_before_the_close(alx: Alluxio) -> None:
    stream_id = opened(alx)
    on(alx, stream_id, "write", b"mine")
    alx.put(f"{HOME}/file", b"another's")
    assert on(alx, stream_id, "close").code == "ALREADY_EXISTS"
    assert on(alx, stream_id, "close").message == UNKNOWN
    assert got(alx) == b"another's"


def test_missing_parents(alx: Alluxio) -> None:
    told = alx.act(f"{HOME}/np1/np2/f", "create-file")
    assert (told.status, told.code) == (500, "NOT_FOUND")
    assert "(np1) does not exist" in told.message
    closed(alx, opened(alx, "np1/np2/f", recursive=True))
    assert got(alx, "np1/np2/f") == b""
    alx.put(f"{HOME}/file")
    told = alx.act(f"{HOME}/file/x", "create-file", {"recursive": True})
    assert (told.status, told.code) == (500, "INVALID_ARGUMENT")


@pytest.mark.parametrize("options", [
    {"blockSizeBytes": 1000}, {"blockSizeBytes": 512}, {"replicationMin": 513},
    {"replicationMax": 0}, {"replicationMin": 3, "replicationMax": 2}])
def test_values_that_cannot_be(everywhere: Alluxio, options: dict[str, int]) -> None:
    told = everywhere.act(f"{HOME}/a/file", "create-file", {"recursive": True, **options})
    assert told.code == "INVALID_ARGUMENT"
    assert everywhere.act(f"{HOME}/a", "exists").json is False


def test_options_are_honoured(everywhere: Alluxio) -> None:
    stream_id = opened(
        everywhere, blockSizeBytes=1 << 20, replicationMin=1, replicationMax=2,
        mode={"ownerBits": "READ_WRITE", "groupBits": "READ", "otherBits": "NONE"},
        commonOptions={"ttl": 3_600_000, "ttlAction": "DELETE"})
    on(everywhere, stream_id, "write", b"x" * 1_500_000)
    closed(everywhere, stream_id)
    info = everywhere.info(f"{HOME}/file")
    assert (info["blockSizeBytes"], info["mode"], info["length"]) == (1 << 20, 0o640, 1_500_000)
    assert (info["ttl"], info["ttlAction"]) == (3_600_000, "DELETE")
    assert 1 <= info["replicationMax"] <= 2
    closed(everywhere, opened(everywhere, "plain"))
    assert everywhere.info(f"{HOME}/plain")["mode"] == 0o644


# --- reading


def test_reads_go_on_where_the_last_one_ended(everywhere: Alluxio) -> None:
    content = os.urandom(200_000)
    everywhere.put(f"{HOME}/file", content)
    stream_id = opened(everywhere, action="open-file")
    first = on(everywhere, stream_id, "read")
    assert (first.status, first.headers["Content-Type"]) == (200, "application/octet-stream")
    assert first.headers["Content-Length"] == str(len(content))
    assert first.body == content
    for _ in range(4):
        again = on(everywhere, stream_id, "read")
        assert (again.status, again.body) == (200, b"")
        assert again.headers["Content-Length"] == "0"
        assert again.headers["Content-Type"] == "application/octet-stream"
    part = on(everywhere, stream_id, "read", Range="bytes=10-19")
    assert (part.status, part.body) == (206, content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    assert on(everywhere, stream_id, "read", Range="bytes=-5").body == content[-5:]
    past = on(everywhere, stream_id, "read", Range=f"bytes={len(content)}-")
    assert (past.status, past.code) == (416, "OUT_OF_RANGE")
    assert on(everywhere, stream_id, "write", b"x").message == UNKNOWN
    closed(everywhere, stream_id)


def test_a_range_moves_nothing(alx: Alluxio) -> None:
    alx.put(f"{HOME}/file", b"0123456789")
    stream_id = opened(alx, action="open-file")
    assert on(alx, stream_id, "read", Range="bytes=8-").body == b"89"
    assert on(alx, stream_id, "read").body == b"0123456789"


def test_what_is_read_is_what_was_opened(everywhere: Alluxio) -> None:
    everywhere.put(f"{HOME}/file", b"first")
    stream_id = opened(everywhere, action="open-file")
    everywhere.put(f"{HOME}/file", b"second")
    told = on(everywhere, stream_id, "read")
    assert (told.status, told.code) == (500, "NOT_FOUND")


def test_what_cannot_be_opened(alx: Alluxio) -> None:
    assert alx.act(f"{HOME}/nope", "open-file").code == "NOT_FOUND"
    assert alx.act(HOME, "open-file").status == 500
    stream_id = opened(alx)
    assert on(alx, stream_id, "read").message == UNKNOWN


def test_ids_that_are_none(alx: Alluxio) -> None:
    for stream_id in ("0", "-1", "99999999"):
        told = alx.raw("POST", f"/api/v1/streams/{stream_id}/close")
        assert (told.status, told.message) == (500, UNKNOWN)
    for stream_id in ("abc", "99999999999", "1.5", ""):
        assert alx.raw("POST", f"/api/v1/streams/{stream_id}/close").status == 404


# --- download-file


def test_download(everywhere: Alluxio) -> None:
    content = os.urandom(100_000)
    name = 'näme "x".txt'
    everywhere.put(f"{HOME}/{name}", content)
    target = f"/api/v1/paths/{quote(f'{HOME}/{name}')}/download-file"
    for method in ("GET", "HEAD"):
        answer = everywhere.raw(method, target)
        assert (answer.status, answer.headers["Content-Length"]) == (200, "100000")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert "n%C3%A4me%20%22x%22.txt" in answer.headers["Content-Disposition"]
        assert answer.body == (content if method == "GET" else b"")
    part = everywhere.raw("GET", target, headers={"Range": "bytes=0-3"})
    assert (part.status, part.body) == (206, content[:4])
    assert part.headers["Content-Range"] == "bytes 0-3/100000"
    assert everywhere.raw("GET", target, headers={"Range": "bytes=100000-"}).status == 416


def test_downloads_that_cannot_be(alx: Alluxio) -> None:
    for path, code in ((f"{HOME}/nope", "NOT_FOUND"), (HOME, "UNKNOWN")):
        for method in ("GET", "HEAD"):
            answer = alx.raw(method, f"/api/v1/paths/{path}/download-file")
            assert answer.status == 500
            assert method == "HEAD" or answer.code == code
    alx.put(f"{HOME}/empty", b"")
    assert got(alx, "empty") == b""


# --- several workers, and a restart


def spread(alx: Alluxio, look: Any) -> Iterator[Any]:
    """Yield what a request answers, until each worker has answered one."""
    served: set[int] = set()
    for _ in range(200):
        with Wire(alx.gateway) as wire:
            served.add(alx.gateway.worker_of(wire.socket))
            yield look(wire)
        if len(served) == 2:
            return
    raise AssertionError("one worker got all of 200 connections")


def test_every_worker_serves_every_stream(alx: Alluxio) -> None:
    stream_id = opened(alx)
    size = 0
    for answer in spread(alx, lambda wire: wire.ask(
            "POST", write_target(stream_id), [("Content-Length", "4")], b"abcd")):
        assert (answer.status, answer.body) == (200, b"4")
        size += 4
    closed(alx, stream_id)
    assert got(alx) == b"abcd" * (size // 4)
    reader = opened(alx, action="open-file")
    bodies = [answer.body for answer in spread(
        alx, lambda wire: wire.ask("POST", f"/api/v1/streams/{reader}/read"))]
    assert bodies == [b"abcd" * (size // 4)] + [b""] * (len(bodies) - 1)


def test_streams_live_on_over_a_restart(alx: Alluxio) -> None:
    alx.put(f"{HOME}/done", b"0123456789")
    writer, reader = opened(alx), opened(alx, "done", "open-file")
    assert on(alx, writer, "write", b"before").json == 6
    alx.gateway.restart()
    assert on(alx, writer, "write", b", after").json == 7
    assert on(alx, reader, "read").body == b"0123456789"
    alx.gateway.restart()
    closed(alx, writer)
    assert on(alx, reader, "read").body == b""
    assert got(alx) == b"before, after"
