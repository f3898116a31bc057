"""Connections to LDAP servers: with TLS, bounded in time, and to the next when one is away."""

from __future__ import annotations

import logging
import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from app.auth.ldap_relay import Relay
from app.core.auth_errors import WayUnavailable
from app.offload import Offload
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from app.sections.identities import LdapSettings

RETRY_SECONDS = 2.0
"""For so long nobody tries a server again that was away."""
WIDTH = 8
"""Conversations with the servers at once, in a worker."""

T = TypeVar("T")
log = logging.getLogger(__name__)


def library() -> Any:
    """Return python-ldap. Raises ConfigError where it is not installed."""
    try:
        import ldap  # noqa: PLC0415 an extra: who has no directory need not have it
        import ldap.dn  # noqa: PLC0415
        import ldap.filter  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "auth.ways", 0, "'ldap' needs python-ldap: `pip install 'httpfs-proxy[ldap]'`, or the"
            " Debian package python3-ldap") from error
    return ldap


class LdapServers:
    """The servers of `settings`. Raises ConfigError for settings that cannot be used.

    `clock` tells seconds that only grow.
    """

    def __init__(
        self, settings: LdapSettings, *, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        ldap = self._ldap = library()
        self._absences = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT, ldap.UNAVAILABLE)
        self._relay = Relay(settings)
        self._offload = Offload(WIDTH)
        self._settings = settings
        self._clock = clock
        self._away_until: dict[str, float] = {}
        _check(settings)

    def slot(self) -> AbstractContextManager[object]:
        """Return what to hold around conversations, of which there are not many at once."""
        return self._offload.slot()

    def run(self, work: Callable[[Any], T]) -> T:
        """Return what `work` makes, in a real thread, of a connection that nobody is bound to yet.

        It is done over on the next server where it raises an LDAPError. Raises WayUnavailable.
        """
        problem: Exception | None = None
        for url in self._present():
            try:
                result = self._offload.run(self._talk, self._relay.open(url), work)
            except (self._ldap.LDAPError, OSError) as error:
                # What only this question met with must not keep others from asking theirs.
                if isinstance(error, (OSError, *self._absences)):
                    self._away_until[url] = self._clock() + RETRY_SECONDS
                log.warning("the LDAP server %s cannot be asked: %s", url, described(error))
                problem = error
            else:
                self._away_until.pop(url, None)
                return result
        raise WayUnavailable(
            "who this is cannot be found out: no LDAP server can be asked at the moment",
        ) from problem

    def _present(self) -> list[str]:
        now = self._clock()
        return [url for url in self._settings.urls if self._away_until.get(url, now) <= now]

    def _talk(self, descriptor: int, work: Callable[[Any], T]) -> T:
        ldap = self._ldap
        # Should the descriptor's other end be gone, nobody is found at this address.
        connection = ldap.initialize("ldap://127.0.0.1:1", fileno=descriptor)
        try:
            connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
            connection.set_option(ldap.OPT_TIMEOUT, self._settings.timeout)
            return work(connection)
        finally:
            connection.unbind_ext_s()


def described(error: Exception) -> str:
    """Return what python-ldap's error says, in one line."""
    told = error.args[0] if error.args else None
    if not isinstance(told, dict):
        return str(error) or type(error).__name__
    return ": ".join(str(told[key]) for key in ("desc", "info") if told.get(key))


def _check(settings: LdapSettings) -> None:
    if not settings.urls:
        raise ConfigError("ldap.urls", 0, "the way 'ldap' needs a server: `ldaps://host`")
    if settings.ca_file and not Path(settings.ca_file).is_file():
        raise ConfigError(settings.ca_file, 0, "there is no such file (setting ldap.ca_file)")
    for url in settings.urls:
        plain = url.startswith("ldap:") and not settings.start_tls
        if plain and not (settings.allow_plain or _on_loopback(url)):
            raise ConfigError("ldap.urls", 0, (
                f"passwords would be readable on the way to {url}; use `ldaps://` or"
                " ldap.start_tls, or allow it by ldap.allow_plain"))


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
