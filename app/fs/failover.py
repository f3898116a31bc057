"""Which server of a cluster is asked, and what is asked again: never what may have happened.

| what went wrong | who is asked again |
| --- | --- |
| no connection came about | the next server, any call |
| StandbyException | the next server, any call without a body: the standby did nothing |
| RetriableException, SafeModeException | the same: the server did nothing, and will later |
| a pooled connection turned out closed | the same server at once, repeatable calls |
| it does not know the gateway any more (401) | the same server at once, calls without a body |
| no ticket or proof for this server, or no TLS with it | the next server, once |
| connection reset | the next, repeatable calls |
| no answer in time | nobody; the next call begins with the next server |
| any other error | nobody |

Each server is asked once in any case; after that there is a pause, growing and random, before
each further round, until the deadline.

A server that hangs takes calls and answers none. Calls that began later than SILENCE after the
first of them begin with the next server: if that is the active one by now they need not wait.
"""

from __future__ import annotations

import logging
import random
import time
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from requests import exceptions

from app.fs.faults import RETRIABLE, STANDBY, UNAUTHORIZED, RemoteFault, remote_fault
from app.fs.http_faults import NotSent, StaleConnection, TlsRefused
from app.fs.kerberos_faults import KerberosFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.fs.answer import Answer
    from app.fs.transport import Body, UpstreamSession

REPEATABLE = frozenset({
    # @Idempotent in org.apache.hadoop.hdfs.protocol.ClientProtocol, and what cannot harm when
    # another client changed something between the two. TRUNCATE can: the other may have appended.
    "MKDIRS", "SETPERMISSION", "SETOWNER", "SETTIMES", "SETREPLICATION", "SETQUOTA", "SETACL",
    "MODIFYACLENTRIES", "REMOVEACLENTRIES", "REMOVEDEFAULTACL", "REMOVEACL", "ALLOWSNAPSHOT",
    "DISALLOWSNAPSHOT",
})
"""Operations beside those by GET that may be sent twice."""
REDIRECTED = frozenset({"CREATE", "APPEND"})
"""Without a body these only ask for the DataNode to go to: they may be sent twice then."""

_log = logging.getLogger(__name__)
_chance = random.Random()  # noqa: S311 - spreads load, guards nothing; nobody else's state
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
SILENCE = 5.0
"""Seconds for which a server may answer no call before another is asked first."""


class UpstreamAuth(Protocol):
    """How the gateway says who asks; `own_user` is the user of the gateway itself."""

    own_user: str

    def query(self, hadoop_user: str) -> str:
        """Return the query parameters, quoted and joined by `&`, that name the user."""

    def headers(self, server: str, seconds: float | None = None) -> Mapping[str, str] | None:
        """Return header fields for a request to `server` (a base URL), None for none.

        Never sent to where a redirect leads. `seconds` limits the time that may pass before.
        Raises requests.RequestException where there can be none now.
        """

    def refused(self, server: str, sent: Mapping[str, str] | None) -> bool:
        """Hear that `server` did not know whom `sent` named; tell whether to ask once more."""

    def unproven(self, server: str) -> str:
        """Return a target to get first, before a body that can be sent once; mostly none."""

    def accepted(self, server: str, sent: Mapping[str, str] | None) -> None:
        """Hear that `server` knew whom `sent` named, when it was asked for that alone."""


class _Next(Enum):
    NOBODY = 0
    SAME = 1
    OTHER = 2
    OTHER_ONCE = 3


class Cluster:
    """The servers of one cluster; the one that answered last is asked first, by everybody."""

    def __init__(
        self, servers: Sequence[str], session: UpstreamSession, auth: UpstreamAuth,
        retry_deadline: float,
    ) -> None:
        self.servers = tuple(servers)
        self.session = session
        self.auth = auth
        self._retry_deadline = retry_deadline
        self._active = 0
        self._unheard_since = 0.0

    @property
    def active(self) -> int:
        """The index of the server that is asked first."""
        return self._active

    def call(self, method: str, operation: str, target: str, body: Body = None) -> Answer:
        """Make one call at the active server and return the answer (no error, not followed).

        Raises RemoteFault, requests.RequestException.
        """
        started = time.monotonic()
        asked = 0
        while True:
            active = self._first(with_body=body is not None)
            try:
                answer = self._ask(self.servers[active], method, target, body)
            except (RemoteFault, exceptions.RequestException) as error:
                asked += 1
                self._note_end(active, error)
                step = _next_step(error, method, operation, with_body=body is not None)
                if step is _Next.NOBODY or not self._may_go_on(step, asked, started):
                    raise
                if isinstance(error, TlsRefused):
                    # Nobody else would hear of it while another server is there.
                    _log.warning("%s is passed over: %s", self.servers[active], error)
                if step is not _Next.SAME and self._active == active:
                    self._active = (active + 1) % len(self.servers)
            else:
                self._unheard_since = 0.0
                return answer

    def _first(self, *, with_body: bool) -> int:
        """Return who is asked first: the active one, or after too long a silence the next.

        A body can be sent once, and is not for trying out who is active.
        """
        if with_body:
            return self._active
        now, since = time.monotonic(), self._unheard_since
        if not since:
            self._unheard_since = now
        elif now - since > SILENCE and len(self.servers) > 1:
            self._unheard_since = now
            self._active = (self._active + 1) % len(self.servers)
        return self._active

    def _note_end(self, active: int, error: Exception) -> None:
        """Hear of a call that did not succeed; that of a silent server says who is to be left."""
        if not isinstance(error, exceptions.ReadTimeout):
            self._unheard_since = 0.0
        elif self._active == active:
            self._unheard_since = 0.0
            self._active = (active + 1) % len(self.servers)

    def probe(self, target: str, seconds: float) -> None:
        """Ask each server once, until one serves. Raises RemoteFault, RequestException."""
        ends = time.monotonic() + seconds
        count = len(self.servers)
        for turn in range(count):
            index = (self._active + turn) % count
            left = max(0.001, (ends - time.monotonic()) / (count - turn))
            try:
                self._ask(self.servers[index], "GET", target, None, left).close()
            except (RemoteFault, exceptions.RequestException):
                if turn == count - 1:
                    raise
            else:
                return

    def _ask(
        self, server: str, method: str, target: str, body: Body, seconds: float | None = None,
    ) -> Answer:
        repeatable = body is None or isinstance(body, bytes)
        if not repeatable and (first := self.auth.unproven(server)):
            self._ask(server, "GET", first, None, seconds).close()
            self.auth.accepted(server, self.auth.headers(server, seconds))
        shown = self.auth.headers(server, seconds)
        answer = self.session.exchange(method, server + target, body, shown, seconds)
        if answer:
            return answer
        fault = remote_fault(answer)
        if fault.status == UNAUTHORIZED and self.auth.refused(server, shown) and repeatable:
            answer = self.session.exchange(
                method, server + target, body, self.auth.headers(server, seconds), seconds)
            if answer:
                return answer
            fault = remote_fault(answer)
        raise fault

    def _may_go_on(self, step: _Next, asked: int, started: float) -> bool:
        if step is _Next.SAME or asked < len(self.servers):
            return True
        if step is _Next.OTHER_ONCE:
            return False
        rounds = asked // len(self.servers)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(rounds - 1, 10))
        pause *= _chance.uniform(0.5, 1)
        if time.monotonic() + pause - started > self._retry_deadline:
            return False
        if asked % len(self.servers) == 0:
            time.sleep(pause)
        return True


def _next_step(error: Exception, method: str, operation: str, *, with_body: bool) -> _Next:
    if isinstance(error, NotSent | exceptions.ConnectTimeout | KerberosFault | TlsRefused):
        return _after_nothing(error)
    if with_body:
        return _Next.NOBODY
    remote = error.name if isinstance(error, RemoteFault) else ""
    if remote in STANDBY or remote in RETRIABLE:
        return _Next.OTHER
    if method != "GET" and operation not in REPEATABLE and operation not in REDIRECTED:
        return _Next.NOBODY
    if isinstance(error, StaleConnection):
        return _Next.SAME
    return _Next.OTHER if _is_reset(error) else _Next.NOBODY


def _after_nothing(error: exceptions.RequestException) -> _Next:
    if isinstance(error, KerberosFault):
        return _Next.OTHER_ONCE if error.of_server else _Next.NOBODY
    return _Next.OTHER_ONCE if isinstance(error, TlsRefused) else _Next.OTHER


def _is_reset(error: Exception) -> bool:
    final = isinstance(error, exceptions.Timeout | exceptions.SSLError)
    return isinstance(error, exceptions.ConnectionError) and not final
