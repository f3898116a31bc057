"""SPNEGO with a Hadoop server, once, for the cookie that it gives (RFC 4559)."""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.fs.faults import remote_fault
from app.fs.http_faults import NotSent
from app.fs.kerberos_faults import KerberosFault, from_server
from app.fs.signed_cookie import SignedCookie, signed_cookie
from app.offload import Offload

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import exceptions

    from app.fs.answer import Answer
    from app.fs.kerberos_login import Login, Proof
    from app.fs.transport import UpstreamSession

TARGET = "/webhdfs/v1/?op=GETHOMEDIRECTORY"
"""What is asked to be authenticated: served by a standby and by HttpFS, and without effect."""
REFUSALS = frozenset({401, 403})
ONE_AT_A_TIME = 1


class Negotiation:
    """SPNEGO with a server, over the session that the calls go over, too."""

    def __init__(self, login: Login, session: UpstreamSession, read_timeout: float) -> None:
        self._login = login
        self._session = session
        self._read_timeout = read_timeout
        self._offload = Offload(ONE_AT_A_TIME)

    def run(self, server: str, on_ticket: Callable[[], None]) -> SignedCookie:
        """Return the server's cookie; `on_ticket` is called when the KDC has done its part.

        Raises KerberosFault, requests.RequestException.
        """
        try:
            return self._once(server, on_ticket)
        except KerberosFault as refusal:
            # The tickets may be older than the server's present key.
            if not refusal.of_server or not self._login.forget():
                raise
        return self._once(server, on_ticket)

    def _once(self, server: str, on_ticket: Callable[[], None]) -> SignedCookie:
        host = urlsplit(server).hostname or ""
        with self._offload.slot():
            proof = self._offload.run(self._login.prove, host)
        on_ticket()
        shown = {"Authorization": f"Negotiate {base64.b64encode(proof.token).decode()}"}
        answer = self._session.exchange(
            "GET", server + TARGET, None, shown, self._read_timeout)
        cookie = signed_cookie(answer, time.monotonic())
        if cookie is None:
            raise _refusal(urlsplit(server).netloc, answer)
        answer.close()
        self._require_proof(server, proof, answer)
        return cookie

    def _require_proof(self, server: str, proof: Proof, answer: Answer) -> None:
        for field in answer.values("www-authenticate"):
            scheme, _, said = field.strip().partition(" ")
            if scheme.lower() == "negotiate" and said:
                try:
                    token = base64.b64decode(said.strip(), validate=True)
                except binascii.Error:
                    break
                self._offload.run(proof.finish, token)
                return
        raise KerberosFault(f"{urlsplit(server).netloc} did not prove who it is", of_server=True)


def _refusal(server: str, answer: Answer) -> exceptions.RequestException:
    if answer.status_code not in REFUSALS:
        if not answer:
            return NotSent(f"{server}: {remote_fault(answer)}")
        answer.close()
        return KerberosFault(f"{server} serves without Kerberos: it gives no signed cookie",
                             of_server=True)
    return from_server(server, answer.status_code, remote_fault(answer).message)
