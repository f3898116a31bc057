"""How much may be asked: of each request whether there is room for it, of each byte when it goes.

`Limits` knows the settings and the counts that all workers keep together; a `Meter` is one request
that is measured. A gateway whose settings and users have no limits makes no meter.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from app.auth.lockout import network_of
from app.core.limit_errors import GatewayLimitReached, LimitReached, UserLimitReached
from app.core.limits import NAMES, UserLimits
from app.state import ledger
from app.state.ledger import DOWNLOAD, REQUESTS, UPLOAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.identity import Principal
    from app.sections import LimitSettings
    from app.state.ledger import Account, Hold, Ledger
    from app.web.exchange import Exchange

SMALL = 64 * 1024
"""A body or an answer of more bytes is a transfer."""
_UNPACED = 16 * 1024
"""The first bytes of each body and answer do not wait: short answers are not behind transfers."""
_RETRY_TRANSFER = 5.0
_DEEPEST_SECONDS = 60.0
"""The longest that a piece waits: with more, HDFS gives the transfer up."""
_PIECES_A_SECOND = 32
"""As no piece waits for longer, small ones keep a thousand transfers at once within their rate."""
_LEAST_PIECE = 1024
_ANY_SIZE = 1 << 30
_WITHOUT = (204, 304)
_ALL = ledger.user("")
_UNCOUNTED = ("/healthz", "/readyz")
_CREDENTIALS = ("Signature=", "X-Amz-Signature=", "delegation=")
_NOTHING = UserLimits()
ANONYMOUS = "anonymous"
"""The name of whoever reads what is open to all."""
_COUNTED = ("requests", "transfers", "upload", "download", "address_requests",
            *(f"user_{name}" for name in NAMES if name != "burst"))

Headers = list[tuple[str, str]]


class Limits:
    """The limits of one gateway; `refused` is told of each refusal: whose limit, and of what."""

    def __init__(
        self, settings: LimitSettings, counts: Ledger, refused: Callable[[str, str], None],
    ) -> None:
        self.settings = settings
        self.counts = counts
        self.refused = refused
        self.every_request = any(getattr(settings, name) for name in _COUNTED)
        self._of_users = UserLimits(*(getattr(settings, f"user_{name}") for name in NAMES))

    @lru_cache(1024)  # noqa: B019 - there is one, for as long as the process lives
    def of(self, own: UserLimits) -> UserLimits:
        """Return what counts for a user for whom `own` is said."""
        return own.over(self._of_users)

    def meter(self, exchange: Exchange) -> Meter:
        """Return what measures a request of whom nothing is known yet."""
        return Meter(self, exchange)


class Meter:
    """One request under measure: `begin`, `admit`, `answer`, bytes, `end`, in this order."""

    __slots__ = ("_charged", "_credentials", "_exchange", "_held", "_limits", "_moved", "_paced",
                 "body")

    def __init__(self, limits: Limits, exchange: Exchange) -> None:
        self._limits = limits
        self._exchange = exchange
        self._credentials = _brings_credentials(exchange)
        self._charged = False
        self._held: list[Hold] = []
        self._moved = [0, 0, 0]
        settings = limits.settings
        self._paced: list[list[tuple[Account, float]]] = [
            [], [(_ALL, settings.upload)] if settings.upload else [],
            [(_ALL, settings.download)] if settings.download else []]
        self.body = settings.user_body

    def begin(self) -> None:
        """Raise LimitReached where there is no room for one more request of somebody unknown."""
        settings, counts = self._limits.settings, self._limits.counts
        if settings.address_requests:
            rate, burst = _bucket(settings.address_requests, settings.address_burst)
            account = _account_of(self._exchange.origin.address)
            wait = (self._charge_address(0.0) if self._credentials
                    else counts.spend(account, rate, burst))
            if wait:
                raise self._refusal("address", "requests", wait)
            self._charged = not self._credentials
        path = self._exchange.environ["PATH_INFO"]
        if settings.requests and path not in _UNCOUNTED:
            wait = counts.spend(_ALL, *_bucket(settings.requests, settings.burst))
            if wait:
                raise self._refusal("gateway", "requests", wait)

    def admit(self, principal: Principal) -> None:
        """Raise LimitReached where there is no room for one more request of `principal`."""
        own = self._limits.of(principal.limits or _NOTHING)
        account = _user(principal.name)
        self.body = own.body or 0
        if self._charged and principal.name != ANONYMOUS:
            # By a certificate or by their network: they proved somebody after all.
            self._charged = False
            self._charge_address(-1.0)
        if own.requests:
            wait = self._limits.counts.spend(account, *_bucket(own.requests, own.burst))
            if wait:
                raise self._refusal("user", "requests", wait)
        for bucket, rate in ((UPLOAD, own.upload), (DOWNLOAD, own.download)):
            if rate and (account, rate) not in self._paced[bucket]:
                self._paced[bucket].append((account, rate))
        if _is_transfer(self._exchange.environ):
            self._hold(account, own)

    def answer(self, status: int, headers: Headers) -> None:
        """Raise LimitReached where the answer is one transfer more than there may be."""
        if self._held or status in _WITHOUT or self._exchange.method == "HEAD":
            return
        length = next((value for name, value in headers if name.lower() == "content-length"), "")
        if length.isdecimal() and int(length) <= SMALL:
            return
        principal = self._exchange.principal
        own = self._limits.of(principal.limits or _NOTHING) if principal else _NOTHING
        self._hold(_user(principal.name if principal else ""), own)

    def most(self, bucket: int) -> int:
        """Return how many bytes of a body, or of an answer, may move at a time."""
        rates = [rate for _, rate in self._paced[bucket]]
        return max(_LEAST_PIECE, int(min(rates) / _PIECES_A_SECOND)) if rates else _ANY_SIZE

    def received(self, count: int) -> None:
        """Wait until `count` bytes of the body may have come."""
        self._pace(UPLOAD, count)

    def sent(self, count: int) -> None:
        """Wait until `count` bytes of the answer may go."""
        self._pace(DOWNLOAD, count)

    def end(self) -> None:
        """Give back what the request held."""
        for hold in self._held:
            self._limits.counts.free(hold)
        self._held = []
        if (self._limits.settings.address_requests and self._credentials
                and self._exchange.principal is None):
            self._charge_address(1.0)

    def _charge_address(self, amount: float) -> float:
        """Return the seconds for which the address has asked too much already."""
        settings = self._limits.settings
        rate, burst = _bucket(settings.address_requests, settings.address_burst)
        return self._limits.counts.owe(
            _account_of(self._exchange.origin.address), REQUESTS, amount, rate=rate, burst=burst,
            deepest=2 * burst)

    def _hold(self, account: Account, own: UserLimits) -> None:
        for whose, of, most in (("user", account, own.transfers),
                                ("gateway", _ALL, self._limits.settings.transfers)):
            if most and not self._held_one(of, most):
                raise self._refusal(whose, "transfers", _RETRY_TRANSFER)

    def _held_one(self, account: Account, most: int) -> bool:
        hold = self._limits.counts.hold(account, most)
        if hold:
            self._held.append(hold)
        return hold is not None

    def _pace(self, bucket: int, count: int) -> None:
        paced: Sequence[tuple[Account, float]] = self._paced[bucket]
        if not paced:
            return
        self._moved[bucket] += count
        owe = self._limits.counts.owe
        wait = max([
            owe(account, bucket, count, rate=rate, burst=rate, deepest=rate * _DEEPEST_SECONDS)
            for account, rate in paced])
        if wait and self._moved[bucket] > _UNPACED:
            time.sleep(wait)

    def _refusal(self, whose: str, what: str, wait: float) -> LimitReached:
        self._limits.refused(whose, what)
        kind = GatewayLimitReached if whose == "gateway" else UserLimitReached
        return kind(what, wait)


def _bucket(rate: float, burst: int | None) -> tuple[float, float]:
    return rate, float(burst or max(1.0, rate))


@lru_cache(4096)
def _user(name: str) -> Account:
    return ledger.user(f"user {name}")


@lru_cache(4096)
def _account_of(address: str) -> Account:
    return ledger.address(network_of(address))


def _brings_credentials(exchange: Exchange) -> bool:
    """Tell whether a request could prove somebody, by the look of it."""
    if "HTTP_AUTHORIZATION" in exchange.environ:
        return True
    query = exchange.environ.get("QUERY_STRING", "")
    return any(mark in query for mark in _CREDENTIALS)


def _is_transfer(environ: dict[str, object]) -> bool:
    """Tell whether a request's body is a transfer, by its head."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdecimal():
        return int(length) > SMALL
    return bool(environ.get("HTTP_TRANSFER_ENCODING"))
