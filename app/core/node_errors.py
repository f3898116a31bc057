"""The errors of the gateways that share a state store, and of what admins ask of them.

GatewayError
├── InvalidRequest
│   ├── NoSuchNode                   no gateway that shares the state store has this id
│   ├── NotElectable                 this gateway cannot be the primary one: gone, or withdrawn
│   └── UnknownSetting               no setting of this name is changed at run time
└── UpstreamError
    └── UpstreamUnavailable
        └── NodeWithdrawn            this gateway was taken out of service
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest, UpstreamUnavailable, printable

if TYPE_CHECKING:
    from collections.abc import Iterable


class NoSuchNode(InvalidRequest):
    """No gateway that lives, or was withdrawn, has the id."""

    def __init__(self, node_id: str) -> None:
        super().__init__(f"no such gateway: {printable(node_id)}")
        self.node_id = node_id


class NotElectable(InvalidRequest):
    """The gateway `node_id` cannot be the primary one: it is `reason`."""

    def __init__(self, node_id: str, reason: str) -> None:
        super().__init__(f"gateway {printable(node_id)} cannot be the primary one: {reason}")
        self.node_id = node_id
        self.reason = reason


class UnknownSetting(InvalidRequest):
    """The setting `name` is none of those that can be changed at run time."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"setting '{printable(name)}' cannot be changed at run time; those that"
                         f" can: {', '.join(known)}")
        self.name = name


class NodeWithdrawn(UpstreamUnavailable):
    """This gateway was taken out of service: nobody should be sent here."""

    def __init__(self, node_id: str) -> None:
        super().__init__(f"gateway {node_id} was taken out of service by an admin, and serves what"
                         " comes all the same; POST /v1/cluster/register/ returns it")
