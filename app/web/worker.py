"""The gunicorn worker that deploy/gunicorn.conf.py chooses: gevent's, with less around short calls.

gunicorn sends the head of an answer and its body separately, and gevent asks the kernel for the
size of the send buffer on every `sendall`. For an answer of a few hundred bytes that is a third
of what the server costs; here it is one `send`. Plain requests have a short way (`app.web.plain`),
and one clock for all connections watches who takes too long over a head. And what gunicorn itself
refuses, before the application sees it, gets the envelope that every other error has.
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn import http
from gunicorn.http.wsgi import FileWrapper
from gunicorn.workers.ggevent import GeventWorker

from app.core.errors import printable
from app.jobs import EXTENSION
from app.nodes import EXTENSION as NODES
from app.web.audit import EXTENSION as AUDIT
from app.web.envelope import JSON_TYPE, failure
from app.web.patience import Patience
from app.web.plain import PlainParser, PlainRequest, takes_plain
from app.web.plain_answer import Errors, begun
from app.web.protective import ALWAYS, POLICY
from app.web.refused import without_query, without_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.jobs.jobs import Jobs

_JOIN_BELOW = 16 * 1024
_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 5.0
_IN_A_ROW = 8
_PROTECTIVE = "".join(f"{name}: {value}\r\n" for name, value in (
    *ALWAYS, ("Content-Security-Policy", POLICY), ("Cache-Control", "no-store")))


class JoiningSocket:
    """A client socket that holds back a small first piece until the next one, or `flush`."""

    __slots__ = ("_first", "_held", "_socket")

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._held = b""
        self._first = True

    def sendall(self, data: bytes) -> None:
        """Send `data`, together with what was held back."""
        if self._first and len(data) < _JOIN_BELOW:
            self._held = data
        elif self._held and len(data) < _JOIN_BELOW:
            held, self._held = self._held, b""
            self._send(held + data)
        else:
            self.flush()
            self._send(data)
        self._first = False

    def flush(self) -> None:
        """Send what is held back."""
        held, self._held = self._held, b""
        if held:
            self._send(held)

    def settimeout(self, seconds: float | None) -> None:
        """Set the timeout of what follows; whoever does so is about to wait for the client."""
        self.flush()
        self._socket.settimeout(seconds)

    def shutdown(self, how: int) -> None:
        """Shut down; an answer that failed before its body began is not begun."""
        self._held = b""
        self._socket.shutdown(how)

    def _send(self, data: bytes) -> None:
        sent = self._socket.send(data)
        if sent < len(data):
            self._socket.sendall(memoryview(data)[sent:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def _send(answer: Any, response: Any) -> None:
    """Send what an application returned, and close it whatever happens."""
    try:
        if isinstance(answer, FileWrapper):
            response.write_file(answer)
        else:
            for piece in answer:
                response.write(piece)
        response.close()
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()


def _cut(sock: JoiningSocket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()


class EnvelopingSocket:
    """A client socket that turns the HTML page of gunicorn's errors into the JSON envelope."""

    __slots__ = ("_note", "_socket", "_told")

    def __init__(self, socket: Any, error: BaseException, note: Callable[[int], None]) -> None:
        self._socket = socket
        self._told = printable(str(error))
        self._note = note

    def sendall(self, page: bytes) -> None:
        """Send an answer with the status of `page`, which is closed after it, and `note` it."""
        status = HTTPStatus(int(page.split(maxsplit=2)[1]))
        self._note(status.value)
        own_fault = status is HTTPStatus.INTERNAL_SERVER_ERROR
        body = failure(["internal error; the log has it" if own_fault else self._told])
        self._socket.sendall(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: {JSON_TYPE}\r\nContent-Length: {len(body)}\r\n{_PROTECTIVE}"
            f"\r\n{body}".encode())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class GatewayWorker(GeventWorker):  # type: ignore[misc]
    """gevent's worker over JoiningSocket, with errors that clients can read.

    When it is to end, it no longer speaks for the gateway among others. Jobs that others can go on
    with are handed on at once, beside the requests that it still serves, and the others have the
    same time to end as these.
    """

    alive: bool
    _in_a_row = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._errors = Errors(self.cfg)
        self._patience = Patience(self.cfg.keepalive)
        self._keeps = bool(self.cfg.keepalive)
        self._upgrades = self.cfg.http2_cleartext != "off"
        self._before, self._after = self.cfg.pre_request, self.cfg.post_request
        if takes_plain(self.cfg, self.log):
            http.RequestParser = PlainParser

    def run(self) -> None:
        """Serve until gunicorn says otherwise, then see requests and jobs to their ends."""
        self._patience.start()
        super().run()
        self._retire()
        while self._jobs_run() and time.monotonic() < self._give_up:
            self.notify()
            gevent.sleep(_LOOK_SECONDS)

    def load_wsgi(self) -> None:
        """Load the application; a worker that replaces another may be late with it.

        gunicorn ends when a worker cannot start. That is right at its own start. But where one that
        served has died, and gateway.yaml is broken by now, the others have to go on.
        """
        try:
            super().load_wsgi()
        except Exception:
            if self.age <= self.cfg.workers:
                raise
            self.log.exception("WORKER NOT STARTED: it is tried again in %g seconds, and the"
                               " others serve on", _RETRY_SECONDS)
            gevent.sleep(_RETRY_SECONDS)
            sys.exit(1)

    def notify(self) -> None:
        """Report to gunicorn; this is called about once a second."""
        if not self.alive:
            self._retire()
        super().notify()

    def _retire(self) -> None:
        if not hasattr(self, "_give_up"):
            self._give_up = time.monotonic() + self.cfg.graceful_timeout
        jobs = self._jobs()
        if jobs is not None:
            jobs.retire()
        nodes = getattr(self.wsgi, "extensions", {}).get(NODES)
        if nodes is not None:
            nodes.retire()

    def _jobs_run(self) -> bool:
        jobs = self._jobs()
        return jobs is not None and jobs.busy

    def _jobs(self) -> Jobs | None:
        return getattr(self.wsgi, "extensions", {}).get(EXTENSION)

    def timeout_ctx(self) -> Any:
        """Return what bounds the wait for a request's head."""
        return self._patience

    def _try_h2c_upgrade(self, *connection: Any) -> bool:
        return self._upgrades and bool(super()._try_h2c_upgrade(*connection))

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request of a connection."""
        joining = JoiningSocket(sock)
        try:
            if type(req) is PlainRequest:
                self._answer(listener_name, req, joining, addr)
            else:
                super().handle_request(listener_name, req, joining, addr)
        finally:
            joining.flush()
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            # Who sends requests without waiting for answers is read without ever being waited for,
            # and with refusals for answers nothing else would let others have their turn.
            self._in_a_row = 0
            gevent.sleep(0)

    def _answer(self, server: Any, request: PlainRequest, sock: JoiningSocket, addr: Any) -> None:
        """Serve a plain request as gunicorn's workers do. Raises StopIteration after the last."""
        response: Any = None
        environ: dict[str, Any] = {}
        try:
            self._before(self, request)
            response, environ = begun(request, sock, addr, server, self._errors)
            self._count()
            if not (self.alive and self._keeps):
                response.force_close()
            _send(self.wsgi(environ, response.start_response), response)
        except (OSError, StopIteration):
            raise
        except gevent.GreenletExit as error:
            raise StopIteration from error
        except (Exception, SystemExit) as error:
            if response is not None and response.headers_sent:
                # Another answer on the same connection would be taken for the rest of this one.
                self.log.exception("Error handling request")
                _cut(sock)
                raise StopIteration from error
            if isinstance(error, SystemExit):
                raise StopIteration from error
            raise
        finally:
            self._told(request, environ, response)
        if response.should_close():
            raise StopIteration

    def _count(self) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def _told(self, request: PlainRequest, environ: dict[str, Any], response: Any) -> None:
        try:
            self._after(self, request, environ, response)
        except Exception:
            self.log.exception("Exception in post_request hook")

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that was refused or failed before the application answered."""
        without_query(req)
        reason = type(exc).__name__

        def note(status: int) -> None:
            # Where there is a request, the application had it and has written its line.
            audit = getattr(self.wsgi, "extensions", {}).get(AUDIT)
            if req is None and audit is not None:
                audit.write_malformed(addr[0] if addr else "", status, reason)

        exc = without_values(exc)
        super().handle_error(req, EnvelopingSocket(client, exc, note), addr, exc)
