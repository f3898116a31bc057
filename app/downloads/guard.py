"""Which hosts may be downloaded from, and at which addresses: what keeps a link outside.

The special addresses are those of IANA's registries of special-purpose addresses for IPv4 and IPv6
(RFC 6890 and what came after it). They stand here and are not asked of `ipaddress`, whose answers
change with Python's version.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from app.core.download_errors import DownloadsDisabled, SourceAway, SourceFault, SourceRefused
from app.downloads.links import DEFAULT_PORTS, ascii_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.downloads.links import Link

    Address = IPv4Address | IPv6Address
    Resolve = Callable[[str, int], Sequence[str]]

_SPECIAL = tuple((IPv4Network(text), what) for text, what in (
    ("0.0.0.0/8", "this network"), ("10.0.0.0/8", "private"), ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"), ("168.63.129.16/32", "a cloud's own"),
    ("169.254.0.0/16", "link-local"), ("172.16.0.0/12", "private"), ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "for documents"), ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"), ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documents"), ("203.0.113.0/24", "for documents"),
    ("224.0.0.0/4", "multicast"), ("240.0.0.0/4", "reserved")))
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out for public hosts; the rest is loopback, link-local, multicast, …"""
_SPECIAL_V6 = tuple((IPv6Network(text), what) for text, what in (
    ("2001::/23", "of a protocol's own (Teredo and others)"), ("2001:db8::/32", "for documents"),
    ("2002::/16", "of 6to4"), ("3fff::/20", "for documents")))
_NAT64 = IPv6Network("64:ff9b::/96")
"""The public prefix under which IPv4 is seen from networks that have IPv6 alone (RFC 6052)."""
_LOW_32 = 2**32 - 1


class Guard:
    """Decides by the settings' `hosts` and `private_networks`; `resolve` asks for addresses."""

    def __init__(
        self, hosts: Iterable[str], private: Iterable[IPv4Network | IPv6Network],
        resolve: Resolve | None = None,
    ) -> None:
        self._hosts = tuple(map(_pattern, hosts))
        self._private = tuple(private)
        self._resolve = resolve or resolved

    def require_enabled(self) -> None:
        """Raise DownloadsDisabled if the settings name no host."""
        if not self._hosts:
            raise DownloadsDisabled

    def check_host(self, link: Link) -> None:
        """Raise SourceRefused unless the settings let this host and port be downloaded from."""
        self.require_enabled()
        if not any(_matches(pattern, link) for pattern in self._hosts):
            raise SourceRefused(f"{link.authority} is none of the hosts that may be downloaded"
                                " from (setting download.hosts)")

    def addresses(self, link: Link) -> list[str]:
        """Return the addresses of a link's host, all of which may be connected to.

        Raises SourceRefused where the host or one of its addresses may not be, SourceAway where
        the name has none.
        """
        self.check_host(link)
        found = [str(link.address)] if link.address else self._resolve(link.host, link.port)
        if not found:
            raise SourceAway(f"{link.host} has no address")
        return [str(self._checked(link.host, text)) for text in dict.fromkeys(found)]

    def _checked(self, host: str, text: str) -> Address:
        """Return the address to connect to. Raises SourceRefused."""
        try:
            address = plain(ip_address(text))
        except ValueError:
            raise SourceFault(f"{host} has the address {text}, which is none") from None
        if not any(address in network for network in self._private):
            reason = why_not_public(address)
            if reason:
                raise SourceRefused(f"{host} has the address {address}, which is {reason} and not"
                                    " public (setting download.private_networks)")
        return address


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses that the system knows for a name. Raises SourceAway."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise SourceAway(f"{host} has no address: {error}") from None
    return [str(where[4][0]) for where in found]


def plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv4-mapped one of IPv6 is, any other as it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def why_not_public(address: Address) -> str:
    """Return what an address is that is not public, "" for one that is."""
    address = plain(address)
    if isinstance(address, IPv4Address):
        return next((what for network, what in _SPECIAL if address in network), "")
    if address.scope_id is not None:
        return "of one link only"
    if address in _NAT64:
        return why_not_public(IPv4Address(int(address) & _LOW_32))
    if address not in _GLOBAL_UNICAST:
        return "no public unicast address of IPv6"
    return next((what for network, what in _SPECIAL_V6 if address in network), "")


def _pattern(text: str) -> tuple[str, int]:
    """Return a setting's host, in the form of links, and its port, 0 where it has none."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return str(IPv6Address(host)), int(port.removeprefix(":") or 0)
    host, _, port = text.partition(":")
    wild = "*." if host.startswith("*.") else ""
    name = host.removeprefix("*.")
    return wild + (ascii_name(name) or name.lower()), int(port or 0)


def _matches(pattern: tuple[str, int], link: Link) -> bool:
    host, port = pattern
    ports = (port,) if port else tuple(DEFAULT_PORTS.values())
    if link.port not in ports:
        return False
    if host.startswith("*."):
        return link.address is None and link.host.endswith(host[1:])
    return link.host == host
