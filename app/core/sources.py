"""Where requests come from, and the error where that is none of the networks of their user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


class SourceRefused(AccessDenied):
    """Right credentials came from an address that their user does not come from."""

    text = "these credentials are not taken from the address that this request comes from"

    def __init__(self) -> None:
        super().__init__("/")


def is_among(
    address: IPv4Address | IPv6Address | None, networks: Iterable[IPv4Network | IPv6Network],
) -> bool:
    """Tell whether an address, None for one that is not known for sure, is in one of `networks`.

    An IPv4 address may come as one of IPv6 (RFC 4291, 2.5.5.2).
    """
    if address is None:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain.version == network.version and plain in network for network in networks)
