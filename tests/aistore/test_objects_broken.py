"""PUTs that break: the old object stays, nothing is left over; and those refused beforehand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.aistore.conftest import ROOT, AIStore, error_of, furnished, world_in
from tests.contract.wire import Wire
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = b"the old content"
TARGET = "/v1/objects/bck/obj"
LIMIT = 100_000


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AIStore]:
    """Yield a client of a gateway that takes no more than LIMIT bytes."""
    directory: Path = tmp_path_factory.mktemp("limited")
    for gateway in world_in(directory, settings={"web": {"max_body": LIMIT}}, workers=1):
        yield furnished(gateway, "bck")


def used(ais: AIStore) -> int:
    """Return how many files and directories are in the bucket, those too that nobody sees."""
    told = ais.gateway.request("GET", "/f/quota", params={"path": f"{ROOT}/bck"})
    return int(told.json()["result"]["quota"]["namesUsed"]) - 1


def still_old(ais: AIStore) -> None:
    """See that the old object is there as it was, and alone."""
    wait_for("what was staged to be gone", lambda: used(ais) == 1)
    assert ais.get("bck", "obj") == OLD


def message_in(body: bytes) -> str:
    """Return the message of an error's body."""
    return str(json.loads(body)["message"])


@pytest.mark.parametrize("sent", [0, 10, 500_000])
def test_a_body_that_is_cut_short(everywhere: AIStore, sent: int) -> None:
    ais = everywhere
    ais.put("bck", "obj", OLD)
    with Wire(ais.gateway) as wire:
        wire.send_head("PUT", TARGET, [("Content-Length", "1000000")])
        wire.socket.sendall(bytes(sent))
    still_old(ais)
    with Wire(ais.gateway) as wire:
        wire.send_head("PUT", TARGET, [("Transfer-Encoding", "chunked")])
        wire.send_chunk(bytes(sent) or b"x")
    still_old(ais)


def test_a_chunked_body(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", (bytes([number]) * 100_000 for number in range(10)))
    assert ais.get("bck", "obj") == b"".join(bytes([n]) * 100_000 for n in range(10))
    ais.put("bck", "obj", iter([b""]))
    assert ais.get("bck", "obj") == b""


def test_a_checksum_that_is_wrong(everywhere: AIStore) -> None:
    ais = everywhere
    ais.put("bck", "obj", OLD)
    for size in (10, 3_000_000):
        refused = ais.object("PUT", "bck", "obj", data=bytes(size), headers={
            "ObjCksumType": "xxhash", "ObjCksumVal": "26c7827d889f6da3"})
        assert "26c7827d889f6da3" in error_of(refused, 400)
        still_old(ais)


def test_a_body_with_broken_chunks(ais: AIStore) -> None:
    ais.put("bck", "obj", OLD)
    with Wire(ais.gateway) as wire:
        wire.send_head("PUT", TARGET, [("Transfer-Encoding", "chunked")])
        wire.send_chunk(b"fine")
        wire.socket.sendall(b"zz\r\nnot a length")
        assert wire.head().status == 400
    still_old(ais)


def test_a_body_over_http_1_0_needs_a_length(ais: AIStore) -> None:
    with Wire(ais.gateway) as wire:
        wire.send_head("PUT", TARGET, version="HTTP/1.0")
        assert wire.head().status == 411
    error_of(ais.object("HEAD", "bck", "obj"), 404)
    with Wire(ais.gateway) as wire:
        wire.send_head("PUT", TARGET, [("Content-Length", "3")], version="HTTP/1.0")
        wire.socket.sendall(b"new")
        assert wire.head().status == 200
    assert ais.get("bck", "obj") == b"new"


def test_no_body_is_an_empty_object(ais: AIStore) -> None:
    with Wire(ais.gateway) as wire:
        assert wire.ask("PUT", TARGET).status == 200
    assert ais.get("bck", "obj") == b""


def test_more_than_the_gateway_takes(limited: AIStore) -> None:
    ais = limited
    ais.put("bck", "obj", OLD)
    ais.put("bck", "fits", bytes(LIMIT))
    assert ais.object("DELETE", "bck", "fits").status_code == 200
    assert str(LIMIT) in error_of(ais.object("PUT", "bck", "obj", data=bytes(LIMIT + 1)), 413)
    chunks = (bytes(10_000) for _ in range(11))
    error_of(ais.object("PUT", "bck", "obj", data=chunks), 413)
    still_old(ais)


def test_another_operation_than_a_put_is_not_one(ais: AIStore) -> None:
    """A part of AIStore's append must not replace the object that it is for."""
    ais.put("bck", "obj", OLD)
    for query in ({"append_type": "append"}, {"appendty": "flush"}):
        error_of(ais.object("PUT", "bck", "obj", data=b"more", **query), 501)
    still_old(ais)


def test_a_client_that_waits_is_told_to_go_on(everywhere: AIStore) -> None:
    ais = everywhere
    with Wire(ais.gateway) as wire:
        wire.send_head("PUT", TARGET, [("Content-Length", "3"), ("Expect", "100-continue")])
        wire.socket.sendall(b"new")
        answer = wire.answer()
        assert (answer.status, answer.interim) == (200, [100])
    assert ais.get("bck", "obj") == b"new"


WAITING = [("Content-Length", str(1 << 30)), ("Expect", "100-continue")]


@pytest.mark.parametrize(("target", "user", "headers", "status"), [
    ("/v1/objects/nobucket/obj", "someone", [], 404),
    (TARGET, "someone", [("If-None-Match", "*")], 412),
    (TARGET, "someone", [("ObjCksumType", "md5"), ("ObjCksumVal", "no")], 400),
    (TARGET, "reader", [], 403), (TARGET, "guest", [], 403), (TARGET, None, [], 401),
    ("/v1/objects/bck/obj/below", "someone", [], 409),
    (f"{TARGET}%ZZ", "someone", [], 400),
    (f"{TARGET}?append_type=append", "someone", [], 501),
])
def test_a_client_that_waits_is_refused_at_once(
    ais: AIStore, target: str, user: str | None, headers: list[tuple[str, str]], status: int,
) -> None:
    ais.put("bck", "obj", OLD)
    with Wire(ais.gateway, user=user) as wire:
        wire.send_head("PUT", target, [*WAITING, *headers])
        answer = wire.answer()
        assert (answer.status, answer.interim) == (status, [])
        assert message_in(answer.body)
    still_old(ais)


def test_a_client_that_waits_with_too_much(limited: AIStore) -> None:
    with Wire(limited.gateway) as wire:
        wire.send_head("PUT", TARGET, WAITING)
        answer = wire.answer()
        assert (answer.status, answer.interim) == (413, [])
