"""Around a request that is measured: its head, its refusal, and what is counted for it."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response
from werkzeug.test import create_environ, run_wsgi_app

from app.core.limit_errors import LimitReached
from app.s3.patience import patiently
from app.s3.xml import answer
from app.sections.limits import LimitSettings
from app.state import ledger
from app.state.ledger import Ledger
from app.web.audit import AuditLog
from app.web.body import RequestBody
from app.web.exchange import current
from app.web.gate import Gate
from app.web.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    View = Callable[[dict[str, Any]], Response]


ONE_TRANSFER = LimitSettings(transfers=1)


class NoFigures:
    """Metrics that nobody asks for."""

    def begin(self) -> None:
        """Count nothing."""

    def end(self, *_: object) -> None:
        """Count nothing."""


class Place:
    """A gateway with limits, room for one transfer for example, whose only view is `view`."""

    def __init__(
        self, directory: Path, view: View, settings: LimitSettings = ONE_TRANSFER,
    ) -> None:
        self.counts = Ledger(directory / "limits")
        limits = Limits(settings, self.counts, lambda *_: None)
        web: Any = SimpleNamespace(trusted_proxies=(), body_timeout=10.0)
        figures: Any = NoFigures()
        self._gate = Gate(
            lambda environ, start: view(environ)(environ, start), SimpleNamespace(web=web),  # type: ignore[arg-type]
            AuditLog(""), figures, limits=limits, handle=_refusal)

    def ask(self, method: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and the body that a client gets."""
        status, pieces = self.pieces(method, body)
        return status, b"".join(pieces)

    def pieces(self, method: str, body: bytes = b"") -> tuple[int, list[bytes]]:
        """Return the status, and the pieces in which the body comes."""
        environ = create_environ(
            "/x", method=method, data=body, environ_base={"REMOTE_ADDR": "127.0.0.1"})
        pieces, status, _ = run_wsgi_app(self._gate, environ)
        try:
            return int(status[:3]), list(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close:
                close()

    def fill(self) -> ledger.Hold:
        """Have another transfer take the room."""
        held = self.counts.hold(ledger.user(""), 1)
        assert held
        return held


def _refusal(error: Exception, _environ: dict[str, Any]) -> Response:
    assert isinstance(error, LimitReached)
    return Response("refused", 503)


def _endless(_environ: dict[str, Any]) -> Response:
    return Response(iter([b"x"]))


def test_an_answer_that_is_one_transfer_too_many_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, _endless)
    held = place.fill()
    assert place.ask("GET") == (503, b"refused")
    place.counts.free(held)
    assert place.ask("GET") == (200, b"x")
    assert place.ask("GET") == (200, b"x"), "the room is free again"


def test_bodies_that_are_paced_come_and_go_in_small_pieces(tmp_path: Path) -> None:
    """Else each of a thousand transfers has a large one for every time that it waited."""
    rate, sent = 320_000, bytes(range(256)) * 200
    seen: list[bytes] = []

    def view(environ: dict[str, Any]) -> Response:
        seen.extend(RequestBody(current(environ), max_bytes=0, timeout=10).raw())
        return Response(sent)

    place = Place(tmp_path, view, LimitSettings(upload=rate, download=rate))
    status, pieces = place.pieces("PUT", sent)
    assert status == 200
    for way in (seen, pieces):
        assert b"".join(way) == sent
        assert max(map(len, way)) <= rate // 32


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_what_goes_on_by_itself_is_not_said_to_be_refused(tmp_path: Path, method: str) -> None:
    """A copy that takes long is under way when its answer begins: its client would copy again."""
    may_end, ended = threading.Event(), threading.Event()

    def copy() -> Response:
        assert may_end.wait(20)
        ended.set()
        return answer("CopyResult", [("ETag", "x")])

    def view(environ: dict[str, Any]) -> Response:
        response = patiently(current(environ), copy, 0.01)
        may_end.set()
        return response

    place = Place(tmp_path, view)
    place.fill()
    status, body = place.ask(method)
    assert ended.wait(20), "the copy was made"
    assert status == 200
    assert b"<ETag>x</ETag>" in body


def test_a_request_leaves_nothing_for_the_garbage_collector(tmp_path: Path) -> None:
    seen: list[weakref.ref[Thing]] = []

    def view(environ: dict[str, Any]) -> Response:
        thing = environ["test.thing"] = Thing()
        seen.append(weakref.ref(thing))
        return Response(b"answer")

    gc.disable()
    try:
        assert Place(tmp_path, view).ask("GET") == (200, b"answer")
        assert [thing() for thing in seen] == [None]
    finally:
        gc.enable()


class Thing:
    """Something that belongs to one request."""
