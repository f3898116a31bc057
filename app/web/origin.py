"""Where a request really comes from, and by which URL its sender knows the gateway.

X-Forwarded-* counts only when the peer is a configured proxy. From anyone else it changes
nothing but one thing: the peer may then be a proxy that nobody configured, with strangers behind
it, so it does not count as a loopback client, and nobody is known by its address.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Networks = tuple[IPv4Network | IPv6Network, ...]

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
_LONGEST = 300
_HOP_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_FORWARDING = frozenset(f"HTTP_{name}" for name in (
    "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT",
    "X_FORWARDED_SERVER", "X_FORWARDED_SSL", "X_REAL_IP", "X_CLIENT_IP", "TRUE_CLIENT_IP",
    "CF_CONNECTING_IP", "FORWARDED", "VIA"))
"""What proxies write, any one of them."""


class Origin(NamedTuple):
    """`address` of the client (empty for a Unix socket), `scheme` and `authority` of its URL.

    `forwarded`: somebody's headers say that the request came through a proxy. `named`: no proxy
    left open who its client is.
    """

    address: str
    scheme: str
    authority: str
    local: bool
    trusted_peer: bool
    forwarded: bool
    named: bool = True

    @property
    def base_url(self) -> str:
        """The URL of the gateway's root as the client knows it, without a slash at the end."""
        return f"{self.scheme}://{self.authority}"

    @property
    def confidential(self) -> bool:
        """Tell whether credentials could not be read on the way: HTTPS, or never on a wire."""
        return self.scheme == "https" or self.local

    def within(self, networks: Networks) -> bool:
        """Tell whether the client itself is known to be in one of `networks`."""
        only_a_proxy = _within(self.address, _LOOPBACK) and not self.local
        return self.named and not only_a_proxy and _within(self.address, networks)

    @property
    def client(self) -> IPv4Address | IPv6Address | None:
        """The client's own address where it is beyond doubt, good for telling who it is.

        Either nobody stands between, or a configured proxy named the client. A configured proxy
        that names nobody may have anybody behind it, and so may a peer with a proxy's headers.
        """
        certain = self.named and self.forwarded == self.trusted_peer
        return _parse(self.address) if certain else None


def origin_of(environ: Mapping[str, Any], proxies: Networks) -> Origin:
    """Return the origin of a WSGI request."""
    peer = str(environ.get("REMOTE_ADDR") or "")
    scheme = str(environ["wsgi.url_scheme"])
    authority = _authority(environ.get("HTTP_HOST")) or (
        f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}")
    forwarded = not _FORWARDING.isdisjoint(environ)
    if not peer or _within(peer, proxies):
        direct = Origin(peer, scheme, authority, not peer, True, forwarded)
        return _forwarded(environ, proxies, direct)
    local = not forwarded and _is_loopback(peer)
    return Origin(peer, scheme, authority, local, False, forwarded)


def _forwarded(environ: Mapping[str, Any], proxies: Networks, direct: Origin) -> Origin:
    hops = [hop.strip() for hop in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    address, named = direct.address, not direct.forwarded
    for hop in reversed([_without_port(hop) for hop in hops if hop]):
        named = _parse(hop) is not None
        address = hop if named else address
        if not _within(hop, proxies):
            break
    scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO")).lower()
    host = _authority(_last(environ.get("HTTP_X_FORWARDED_HOST"))) or direct.authority
    port = _last(environ.get("HTTP_X_FORWARDED_PORT"))
    if re.fullmatch(r"[0-9]{1,5}", port) and not re.search(r":[0-9]+$", host):
        default = {"https": "443", "http": "80"}.get(scheme)
        host = host if port == default else f"{host}:{port}"
    return Origin(
        address, scheme if scheme in ("http", "https") else direct.scheme, host,
        local=named and (_within(address, _LOOPBACK) or not address), trusted_peer=True,
        forwarded=direct.forwarded, named=named)


def _without_port(hop: str) -> str:
    """Return the address of a hop; some proxies write the client's port behind it."""
    match = _HOP_WITH_PORT.fullmatch(hop)
    return (match[1] or match[2]) if match else hop


@lru_cache(1024)
def _is_loopback(address: str) -> bool:
    return _within(address, _LOOPBACK)


def _within(address: str, networks: Networks) -> bool:
    if not networks:
        return False
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


@lru_cache(1024)
def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return mapped or parsed


def _authority(text: str | None) -> str | None:
    return text if text and len(text) < _LONGEST and _is_authority(text) else None


@lru_cache(1024)
def _is_authority(text: str) -> bool:
    return _AUTHORITY.fullmatch(text) is not None


def _last(header: str | None) -> str:
    return (header or "").rpartition(",")[2].strip()
