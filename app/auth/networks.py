"""From the address that a request comes from to a Principal, for clients without credentials.

Everybody who can send from such a network is the user that it is mapped to. So this counts only
where a dialect asks for it, only for an address that is beyond doubt, and never beside credentials.
"""

from __future__ import annotations

import logging
from ipaddress import ip_network
from typing import TYPE_CHECKING

from app.core.auth_errors import WayUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from app.auth.directory import Directory
    from app.core.identity import Principal

log = logging.getLogger(__name__)


class NetworkUsers:
    """The users that networks are mapped to by `mappings` (`10.0.0.0/8=alice`).

    Raises ValueError for what is no network. Users are looked up at each request, so that who is
    disabled, removed or changed in the users file is so here, too.
    """

    def __init__(self, mappings: Iterable[str], users: Directory) -> None:
        self._users = users
        self._names: list[tuple[IPv4Network | IPv6Network, str]] = []
        for mapping in mappings:
            network, _, name = mapping.partition("=")
            self._names.append((ip_network(network), name))
        self._names.sort(key=lambda one: -one[0].prefixlen)

    def find(self, address: IPv4Address | IPv6Address | None) -> Principal | None:
        """Return whom the smallest network around `address` stands for.

        None where there is no such network, or its user is unknown or inactive: a larger network
        does not step in for it.
        """
        if address is None:
            return None
        name = next((name for network, name in self._names if address in network), None)
        user = None if name is None else self._users.find(name)
        return user.principal if user and user.active else None

    def warn(self) -> None:
        """Say in the log what each mapping opens, one warning each."""
        for network, name in self._names:
            try:
                user = self._users.find(name)
            except WayUnavailable as error:
                log.warning("auth.networks: %s is mapped to user %r, of whom nothing is known yet:"
                            " %s", network, name, error)
                continue
            if user is None or not user.active:
                log.warning("auth.networks: %s is mapped to user %r, who is %s: requests without"
                            " credentials are refused there", network, name,
                            "inactive" if user else "unknown")
                continue
            who = user.principal
            log.warning(
                "auth.networks: whoever can send from %s needs no credentials and is user %r for"
                " the dialects of Alluxio and AIStore: Hadoop user %r, %s %s%s",
                network, name, who.hadoop_user,
                "reads below" if who.read_only else "reads and writes below", who.root,
                f", with the roles {', '.join(sorted(who.roles))}" if who.roles else "")
