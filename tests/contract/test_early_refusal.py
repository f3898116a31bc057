"""Expect: 100-continue (RFC 9110, section 10.1.1): who cannot succeed sends no body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import CONTENT, OCTETS
from tests.contract.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contract.client import Files

EXPECT = [("Expect", "100-continue"), *OCTETS.items()]
CHUNKED = [("Transfer-Encoding", "chunked")]
LONG = [("Content-Length", "1000000000000")]


def refuse(
    files: Files, query: str, status: int, *, method: str = "PUT", user: str | None = "someone",
    more: Sequence[tuple[str, str]] = (),
) -> None:
    """Assert that the final status comes first and that nothing of the body is waited for."""
    for framing in (CHUNKED, LONG):
        with Wire(files.gateway, user=user) as wire:
            wire.send_head(method, f"{CONTENT}?{query}", [*EXPECT, *framing, *more])
            answer = wire.answer()
            assert answer.status == status, answer.body
            assert answer.interim == []
            assert answer.errors
            assert wire.at_end()


def test_a_welcome_body_is_asked_for_once(files: Files) -> None:
    for method, name in (("PUT", "f"), ("POST", "f")):
        with Wire(files.gateway) as wire:
            wire.send_head(method, f"{CONTENT}?path={files.at(name)}",
                           [*EXPECT, ("Content-Length", "4")])
            assert wire.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert wire.silent(0.2)
            wire.socket.sendall(b"body")
            answer = wire.answer()
            assert (answer.status, answer.interim) == (201, [])
            assert wire.ask("GET", f"{CONTENT}?path={files.at(name)}").status == 200
    assert files.read("f") == b"bodybody"


def test_nobody(files: Files) -> None:
    refuse(files, f"path={files.at('f')}", 401, user=None)
    refuse(files, f"path={files.at('f')}", 401, user="nobody-known")


def test_parameters(files: Files) -> None:
    refuse(files, "", 400)
    refuse(files, f"path={files.at('f')}&overwrite=perhaps", 400)
    refuse(files, f"path={files.at('f')}&replication=600", 400)
    refuse(files, "path=a:b", 400)


def test_what_exists(files: Files) -> None:
    files.put("f", b"x")
    files.mkdir("d")
    refuse(files, f"path={files.at('f')}", 409)
    refuse(files, f"path={files.at('d')}&overwrite=true", 409)
    refuse(files, f"path={files.at('f/below')}", 409)


def test_what_does_not_exist(files: Files) -> None:
    refuse(files, f"path={files.at('nothing')}", 404, method="POST")
    files.mkdir("d")
    refuse(files, f"path={files.at('d')}", 404, method="POST")


def test_what_is_not_allowed(files: Files) -> None:
    files.put("f", b"x")
    refuse(files, f"path={files.at('new')}", 403, user="other")
    refuse(files, f"path={files.at('f')}&overwrite=true", 403, user="other")
    refuse(files, f"path={files.at('f')}", 403, user="other", method="POST")
    refuse(files, f"path={files.at('deep/er/new')}", 403, user="other")
    refuse(files, f"path={files.at('new')}", 403, user="reader")


def test_conditions(files: Files) -> None:
    files.put("f", b"x")
    query = f"path={files.at('f')}&overwrite=true"
    refuse(files, query, 412, more=[("If-None-Match", "*")])
    refuse(files, query, 412, more=[("If-Match", '"x"')])


def test_bodies_of_the_wrong_kind(files: Files) -> None:
    files.put("f", b"x")
    query = f"path={files.at('f')}&overwrite=true"
    refuse(files, query, 415, more=[("Content-Encoding", "br")])
    refuse(files, query, 400, more=[("Content-MD5", "nonsense")])


def test_urls_and_methods(files: Files) -> None:
    for method, target, status in (("PUT", "/f/nothing", 404), ("PUT", "/nothing", 404),
                                   ("POST", "/f/directory", 405)):
        with Wire(files.gateway) as wire:
            wire.send_head(method, target, [*EXPECT, *LONG])
            answer = wire.answer()
            assert (answer.status, answer.interim) == (status, [])


@pytest.mark.parametrize("size", [10, 1_000_000, 30_000_000])
def test_a_body_sent_unasked_does_not_hide_the_refusal(files: Files, size: int) -> None:
    files.put("f", b"x")
    with Wire(files.gateway) as wire:
        wire.send_head("PUT", f"{CONTENT}?path={files.at('f')}", [("Content-Length", str(size))])
        try:
            wire.socket.sendall(bytes(size))
        except (BrokenPipeError, ConnectionResetError):
            assert size > 20_000_000
        answer = wire.answer()
    assert answer.status == 409
    assert files.read("f") == b"x"


def test_a_connection_serves_on_after_a_short_refused_body(files: Files) -> None:
    files.put("f", b"x")
    with Wire(files.gateway) as wire:
        target = f"{CONTENT}?path={files.at('f')}"
        for _ in range(3):
            assert wire.ask("PUT", target, [("Content-Length", "5")], b"hello").status == 409
        assert wire.ask("GET", target).body == b"x"


def test_where_no_body_comes_none_is_asked_for(files: Files) -> None:
    """Not after the answer either, where the interim status would seem to be the next one's."""
    target = f"{CONTENT}?path={files.at('f')}&overwrite=true"
    with Wire(files.gateway) as wire:
        for method, framing in (("PUT", [("Content-Length", "0")]), ("PUT", []), ("GET", []),
                                ("DELETE", [])):
            wire.send_head(method, target, [("Expect", "100-continue"), *framing])
            answer = wire.answer()
            assert answer.status in (200, 201, 204), answer.body
            assert answer.interim == []
            assert wire.silent(0.2)


def test_codings_that_are_not_undone_are_refused(files: Files) -> None:
    """gzip as a Transfer-Encoding would be stored as it came."""
    for coding in ("gzip, chunked", "deflate, chunked", "compress, chunked"):
        with Wire(files.gateway) as wire:
            wire.send_head("PUT", f"{CONTENT}?path={files.at('f')}",
                           [("Transfer-Encoding", coding)])
            wire.send_chunk(b"packed")
            wire.send_chunk(b"")
            answer = wire.answer()
            assert answer.status == 501
            assert "Transfer-Encoding" in answer.errors
    files.missing("f")
