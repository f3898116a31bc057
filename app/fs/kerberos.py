"""Who asks, as a cluster with Kerberos wants to hear it: the gateway, on behalf of its users.

One negotiation (SPNEGO) with each server, then the signed cookie that the server gives for it:
it stands for the gateway's principal, so that one does for all users, who are named by `doas=`. A
call costs a look-up. A cookie is replaced before its end, by one of those who come then, beside
all others; whoever has to wait for a negotiation waits for a bounded time, and it goes on.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from requests import exceptions

from app.fs.auth import require_user_name
from app.fs.http_faults import NotSent, TlsRefused
from app.fs.kerberos_faults import KerberosFault
from app.fs.negotiation import TARGET, Negotiation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.fs.signed_cookie import SignedCookie


HELD_SECONDS = 1.0
"""For how long a failure of Kerberos is told again before the KDC is asked again."""
TOLD_SECONDS = 60.0
"""How often the log hears of the same failure."""
PROVEN_SECONDS = 5.0
"""After which a cookie is tried before a body is sent with it."""
_log = logging.getLogger(__name__)


class _Flight:
    """A negotiation under way, or the last one; those who wait give up at `deadline`."""

    def __init__(self, patience: float) -> None:
        self.pid = os.getpid()
        self.done = threading.Event()
        self.deadline = time.monotonic() + patience
        self.ended = 0.0
        self.cookie: SignedCookie | None = None
        self.fault: exceptions.RequestException | None = KerberosFault(
            "the negotiation has come to no end")

    def is_over(self, now: float) -> bool:
        """Tell whether another one is due."""
        if self.pid != os.getpid():
            return True
        if not self.done.is_set():
            return False
        held = HELD_SECONDS if isinstance(self.fault, KerberosFault) else 0.0
        return now >= self.ended + held


class KerberosAuth:
    """The gateway's principal on behalf of each user; `own_user` is its name in Hadoop."""

    def __init__(
        self, negotiation: Negotiation, *, principal: str, own_user: str, connect_timeout: float,
        read_timeout: float,
    ) -> None:
        self.own_user = own_user
        self.principal = principal
        self._negotiation = negotiation
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._cookies: dict[str, SignedCookie] = {}
        self._flights: dict[str, _Flight] = {}
        self._starting = threading.Lock()
        self._told: dict[str, tuple[str, float]] = {}

    def query(self, hadoop_user: str) -> str:
        """Return the query parameters. Raises InvalidParameter for what is no user name."""
        require_user_name(hadoop_user)
        name = "user.name" if hadoop_user == self.own_user else "doas"
        return f"{name}={quote(hadoop_user, safe='')}"

    def headers(self, server: str, seconds: float | None = None) -> Mapping[str, str]:
        """Return the cookie for `server`, negotiated if need be within `seconds`.

        Raises KerberosFault, requests.ConnectionError: nothing was asked then.
        """
        cookie = self._cookies.get(server)
        now = time.monotonic()
        if cookie is not None and now < cookie.renew_at:
            return cookie.headers
        return self._renewed(server, cookie, now, seconds)

    def refused(self, server: str, sent: Mapping[str, str] | None) -> bool:
        """Forget the cookie that a server did not take (401); tell that another try may do."""
        cookie = self._cookies.get(server)
        if cookie is not None and cookie.headers is sent:
            self._cookies.pop(server, None)
        return True

    def unproven(self, server: str) -> str:
        """Return a target to get first, unless the server took the cookie a moment ago."""
        cookie = self._cookies.get(server)
        if cookie is None or time.monotonic() - cookie.proven < PROVEN_SECONDS:
            return ""
        return TARGET

    def accepted(self, server: str, sent: Mapping[str, str] | None) -> None:
        """Note that the server took the cookie just now."""
        cookie = self._cookies.get(server)
        if cookie is not None and cookie.headers is sent:
            cookie.proven = time.monotonic()

    def prepare(self, server: str) -> None:
        """Begin to negotiate with `server`, in the background; the log hears of the end."""
        self._flight(server, time.monotonic())

    def _renewed(
        self, server: str, cookie: SignedCookie | None, now: float, seconds: float | None,
    ) -> Mapping[str, str]:
        flight = self._flight(server, now)
        if cookie is not None and now < cookie.ends:
            return cookie.headers
        latest = float("inf") if seconds is None else now + seconds
        while not flight.done.is_set():
            left = min(flight.deadline, latest) - time.monotonic()
            if left <= 0:
                raise KerberosFault("no KDC or server has answered in time", passing=True)
            flight.done.wait(left)
        if flight.cookie is None:
            assert flight.fault is not None
            raise _again(flight.fault)
        return flight.cookie.headers

    def _flight(self, server: str, now: float) -> _Flight:
        with self._starting:
            flight = self._flights.get(server)
            if flight is None or flight.is_over(now):
                flight = self._flights[server] = _Flight(self._connect_timeout)
                threading.Thread(target=self._fly, args=(server, flight), daemon=True,
                                 name="httpfs-proxy-kerberos").start()
            return flight

    def _fly(self, server: str, flight: _Flight) -> None:
        def on_ticket() -> None:
            flight.deadline = time.monotonic() + self._read_timeout

        try:
            self._cookies[server] = flight.cookie = self._negotiation.run(server, on_ticket)
            flight.fault = None
        except exceptions.RequestException as error:
            flight.fault = error
        finally:
            self._tell(server, flight.fault)
            flight.ended = time.monotonic()
            flight.done.set()

    def _tell(self, server: str, fault: exceptions.RequestException | None) -> None:
        if fault is None:
            self._told.pop(server, None)
            _log.info("%s knows the gateway as %s", server, self.principal)
            return
        now = time.monotonic()
        said, since = self._told.get(server, ("", 0.0))
        if said == str(fault) and now < since + TOLD_SECONDS:
            return
        self._told[server] = str(fault), now
        detail = f" ({fault.detail})" if isinstance(fault, KerberosFault) and fault.detail else ""
        _log.error("%s cannot be asked as %s: %s%s", server, self.principal, fault, detail)


def _again(fault: exceptions.RequestException) -> exceptions.RequestException:
    """Return a fault to raise in another thread; but for Kerberos itself: no call was sent."""
    if isinstance(fault, KerberosFault):
        return fault.again()
    kept = (exceptions.ConnectTimeout, TlsRefused, exceptions.SSLError)
    kind = next((one for one in kept if isinstance(fault, one)), NotSent)
    return kind(str(fault))
