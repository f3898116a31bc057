"""One gateway as the others see it, and its record in the state store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.state.store import Value


@dataclass(frozen=True, slots=True)
class Node:
    """One gateway: all workers of one gunicorn.

    `url` is where clients reach it. `started` and `heartbeat` are epoch milliseconds. `figures`
    are what it wrote of itself with its last heartbeat (`app.nodes.figures`). Out of service, it
    was withdrawn: requests that come are served, but none should be sent.
    """

    id: str
    url: str
    started: int
    version: str
    heartbeat: int
    in_service: bool = True
    figures: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> Value:
        """Return what the state store keeps; the id is its key, the service another record."""
        return {"url": self.url, "started": self.started, "version": self.version,
                "heartbeat": self.heartbeat, "figures": dict(self.figures)}


def from_record(node_id: str, record: Value, *, in_service: bool) -> Node:
    """Return the gateway that a record tells of."""
    return Node(node_id, record["url"], int(record["started"]), record["version"],
                int(record["heartbeat"]), in_service, record["figures"])
