"""A scripted server that wants a ticket and gives a cookie, and a login without a KDC."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from app.fs.kerberos import KerberosAuth
from app.fs.negotiation import Negotiation
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from tests.fs.conftest import _MADE
from tests.fs.upstream import answer, status_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.fs.transport import UpstreamSession
    from tests.fs.upstream import Peer, Request

PROOF = base64.b64encode(b"the server's proof").decode()
TICKET = "Negotiate " + base64.b64encode(b"a ticket").decode()


class Ticket:
    """What a login gives for one negotiation."""

    token = b"a ticket"

    def __init__(self, finished: list[bytes]) -> None:
        self._finished = finished

    def finish(self, answered: bytes) -> None:
        self._finished.append(answered)


class Tickets:
    """A login without a KDC: `faults` are raised one after the other, before there are tickets."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.asked: list[str] = []
        self.finished: list[bytes] = []
        self.forgotten = 0
        self.hold = threading.Event()
        self.hold.set()

    def prove(self, host: str) -> Ticket:
        self.asked.append(host)
        self.hold.wait(30)
        if self._faults:
            raise self._faults.pop(0)
        return Ticket(self.finished)

    def forget(self) -> bool:
        self.forgotten += 1
        return True


class Secured:
    """The script of a server that gives cookies for `life` seconds of its own clock.

    `ahead` is by how many seconds that clock is before the machine's; `forget` makes all cookies
    so far worth nothing. `others` are the requests that it answered as asked; `before` is called
    before each answer.
    """

    def __init__(self, *, life: float = 3600, ahead: float = 0, proof: str = PROOF) -> None:
        self._life = life
        self._ahead = ahead
        self._proof = proof
        self._numbers = itertools.count(1)
        self._known: set[str] = set()
        self.negotiated = 0
        self.others: list[Request] = []
        self.before: Callable[[Request], object] = lambda _: None

    def forget(self) -> None:
        self._known.clear()

    def __call__(self, peer: Peer) -> None:
        while (request := peer.request()) is not None:
            self.before(request)
            peer.send(self._answer(request))

    def _answer(self, request: Request) -> bytes:
        if request.headers.get("authorization") == TICKET:
            return self._welcome()
        if request.headers.get("cookie") not in self._known:
            return answer(b"<html>Authentication required</html>", "401 Authentication required",
                          "WWW-Authenticate: Negotiate", "Set-Cookie: hadoop.auth=; Path=/")
        self.others.append(request)
        if "op=GETFILESTATUS" in request.target:
            return status_answer()
        return answer(json.dumps({"boolean": True, "Path": "/user/gateway"}).encode())

    def _welcome(self) -> bytes:
        self.negotiated += 1
        now = time.time() + self._ahead
        value = f'"u=gateway&t=kerberos&e={int((now + self._life) * 1000)}&s={next(self._numbers)}"'
        self._known.add(f"hadoop.auth={value}")
        fields = [f"Set-Cookie: hadoop.auth={value}; Path=/; HttpOnly",
                  f"Date: {formatdate(now, usegmt=True)}"]
        if self._proof:
            fields.append(f"WWW-Authenticate: Negotiate {self._proof}")
        return answer(b'{"Path": "/user/gateway"}', "200 OK", *fields)


def backend_with(
    tickets: Tickets, session: UpstreamSession, urls: Sequence[str], *,
    connect_timeout: float = 2.0, **settings: Any,
) -> WebHdfsBackend:
    """Return a backend that proves itself by `tickets`; its own user is `gateway`."""
    auth = KerberosAuth(
        Negotiation(tickets, session, 5.0),  # type: ignore[arg-type]
        principal="gateway/localhost@EXAMPLE.COM", own_user="gateway",
        connect_timeout=connect_timeout, read_timeout=5.0)
    quick = {"url": tuple(urls), "kind": "namenode", "retry_deadline": 1.0,
             "connect_timeout": 2.0, "read_timeout": 5.0, **settings}
    made = WebHdfsBackend(BackendSettings(**quick), auth=auth)
    _MADE.append(made)
    return made
