"""Host names and ports whose root is that of one dialect, for clients that take no URL prefix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from app.web.exchange import current

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOTED = "httpfs_proxy.rooted"
"""Key of a WSGI environment: the name before the host's (`bucket` of bucket.s3.example.net), ""
where there is none; absent where the URL's root is everybody's."""
_PORT = re.compile(r":[0-9]*$")
_LOCALHOST = "localhost"


class Roots:
    """Puts `prefix` before the path of requests to one of `hosts`, below one, or to one of `ports`.

    The host is the one that the client named: X-Forwarded-Host counts from trusted proxies only.
    On a port the names below `localhost` count too (RFC 6761 keeps them on this machine).
    """

    def __init__(self, prefix: str, hosts: Iterable[str], ports: Iterable[int]) -> None:
        self._prefix = prefix
        self._hosts = tuple(host.lower().rstrip(".") for host in hosts)
        self._ports = frozenset(str(port) for port in ports)

    def enter(self, environ: dict[str, Any]) -> None:
        """Rewrite the path of a request that begins at such a root."""
        by_port = environ["SERVER_PORT"] in self._ports
        if not (by_port or self._hosts) or not environ["PATH_INFO"].startswith("/"):
            return
        named = self._name_before(current(environ).origin.authority, by_port=by_port)
        if named is None and not by_port:
            return
        environ[ROOTED] = named or ""
        environ["PATH_INFO"] = self._prefix + environ["PATH_INFO"]

    def _name_before(self, authority: str, *, by_port: bool) -> str | None:
        """Return what stands before one of the hosts; None where it is none of them."""
        name = _PORT.sub("", authority).rstrip(".")
        hosts = (*self._hosts, _LOCALHOST) if by_port else self._hosts
        # The longest first: s3.example.net and eu.s3.example.net may both be there.
        for host in sorted(hosts, key=len, reverse=True):
            if name.lower() == host:
                return ""
            if name.lower().endswith(f".{host}"):
                return name[:-len(host) - 1]
        return None
