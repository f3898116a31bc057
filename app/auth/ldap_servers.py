"""Connections to LDAP servers: with TLS, bounded in time, and to the next when one is away."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from app.core.auth_errors import WayUnavailable
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.sections.identities import LdapSettings

RETRY_SECONDS = 2.0
"""For so long nobody tries a server again that was away."""
_TLS_1_2 = 0x303

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
    """The servers of `settings`; calls block, so that they belong in a real thread.

    Raises ConfigError for settings that cannot be used. `clock` tells seconds that only grow.
    """

    def __init__(
        self, settings: LdapSettings, *, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ldap = library()
        self._settings = settings
        self._clock = clock
        self._away_until: dict[str, float] = {}
        _check(settings)

    def run(self, work: Callable[[Any], T]) -> T:
        """Return what `work` makes of a connection, which nobody is bound to yet.

        It is done over on the next server where it raises an LDAPError. Raises WayUnavailable.
        """
        problem: Exception | None = None
        for url in self._present():
            try:
                with self._connected(url) as connection:
                    result = work(connection)
            except self._ldap.LDAPError as error:
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

    @contextmanager
    def _connected(self, url: str) -> Iterator[Any]:
        ldap, settings = self._ldap, self._settings
        connection = ldap.initialize(url)
        # Nothing of /etc/ldap/ldap.conf may make this less strict.
        connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, settings.timeout)
        connection.set_option(ldap.OPT_TIMEOUT, settings.timeout)
        connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        connection.set_option(ldap.OPT_X_TLS_PROTOCOL_MIN, _TLS_1_2)
        if settings.ca_file:
            connection.set_option(ldap.OPT_X_TLS_CACERTFILE, settings.ca_file)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        try:
            if url.startswith("ldap:") and settings.start_tls:
                connection.start_tls_s()
            yield connection
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
