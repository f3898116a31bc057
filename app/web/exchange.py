"""One request and its answer, as the audit line, the metrics and the error pages need them."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.web.origin import Origin, origin_of

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.web.accel import Handover
    from app.web.limits import Limits, Meter
    from app.web.origin import Networks
    from app.web.query import Query

KEY = "httpfs_proxy.exchange"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(slots=True)
class Exchange:
    """What is known of a request so far; the views and the error handler fill it in.

    `auth` says how `principal` was proved: a way's name, "network", "job-token", S3's scheme.
    `error` is the class of the error that the answer tells.
    `path` names the thing in question where that is not the query's `path`. `own_caching`: the
    answer's Cache-Control is as its author wants it, absent perhaps. `handover`: what nginx
    brings in the gateway's place. `under_way`: it is being done, whatever is answered now.
    """

    environ: dict[str, Any]
    origin: Origin
    request_id: str
    started: float = field(default_factory=time.monotonic)
    limits: Limits | None = None
    meter: Meter | None = None
    _principal: Principal | None = field(default=None, init=False)
    claimed_user: str = ""
    auth: str = ""
    error: str = ""
    operation: str = ""
    query: Query | None = None
    path: str = ""
    own_caching: bool = False
    under_way: bool = False
    bytes_in: int = 0
    bytes_out: int = 0
    handover: Handover | None = None
    status: int = 0
    body_read: bool = False

    @property
    def principal(self) -> Principal | None:
        """Who asks, once that is known."""
        return self._principal

    @principal.setter
    def principal(self, principal: Principal | None) -> None:
        """Note who asks, and count it for them. Raises SourceRefused, LimitReached.

        Here and not in the dialects: so none can forget it.
        """
        before, self._principal = self._principal, principal
        if principal is not None and principal.networks:
            principal.require_source(self.origin.client)
        if principal is None or (before is not None and before.name == principal.name):
            return
        if self.meter is None and self.limits is not None and principal.limits is not None:
            self.meter = self.limits.meter(self)
        if self.meter is not None:
            self.meter.admit(principal)

    def require_room(self, length: int) -> None:
        """Raise LimitReached where an answer of so many bytes is one transfer too many.

        The gate asks that of every answer; here for what must not have begun by then.
        """
        if self.meter is not None:
            self.meter.answer(200, [("Content-Length", str(length))])

    @property
    def method(self) -> str:
        """The request's method."""
        return str(self.environ["REQUEST_METHOD"])


def begin(environ: dict[str, Any], proxies: Networks) -> Exchange:
    """Return the exchange of a new request and leave it in `environ`.

    A trusted proxy's X-Request-Id is kept, so that its log and ours can be joined. Our own are
    unique and no secret, so they cost no call of the kernel's random source.
    """
    origin = origin_of(environ, proxies)
    given = environ.get("HTTP_X_REQUEST_ID", "")
    keep = origin.trusted_peer and _REQUEST_ID.fullmatch(given)
    exchange = Exchange(environ, origin, given if keep else f"{random.getrandbits(64):016x}")
    environ[KEY] = exchange
    return exchange


def current(environ: dict[str, Any]) -> Exchange:
    """Return the exchange of a request that `begin` saw."""
    exchange: Exchange = environ[KEY]
    return exchange
