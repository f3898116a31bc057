"""Every operation of AIStore's API that is served: method, place, actions, and its view.

Each module of the dialect lists its own in `OPERATIONS`; here they become one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore import (
    batches,
    bucket_jobs,
    buckets,
    cluster,
    daemon,
    downloads,
    health,
    listing,
    node_info,
    objects,
    properties,
    sorting,
    summary,
)
from app.core.errors import InvalidRequest, MethodNotAllowed, RouteNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.aistore.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *health.OPERATIONS,
    *objects.OPERATIONS,
    *buckets.OPERATIONS,
    *downloads.OPERATIONS,
    *properties.OPERATIONS,
    *listing.OPERATIONS,
    *summary.OPERATIONS,
    *batches.OPERATIONS,
    *bucket_jobs.OPERATIONS,
    *sorting.OPERATIONS,
    *node_info.OPERATIONS,
    *cluster.OPERATIONS,
    *daemon.OPERATIONS,
)


class Found:
    """The operations of one method at one place: one without actions, or one for each action."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations
        self.json = any(one.json or one.actions for one in operations)
        self.admin = any(one.admin for one in operations)
        self.of_object = all(one.place[:1] == ("objects",) for one in operations)
        self.open_to_all = all(one.open_to_all for one in operations)

    def by_action(self, action: str, shown: str) -> Operation:
        """Return the operation for `action`; InvalidRequest if there is none for it."""
        for operation in self._operations:
            if not operation.actions or action in operation.actions:
                return operation
        raise InvalidRequest(f"unexpected action message <- JSON [{shown}]")


def find(method: str, parts: Sequence[str]) -> tuple[Found, tuple[str, ...]]:
    """Return what serves a URL of these parts (still encoded), and its variable parts.

    Raises InvalidRequest for a URL that ends too early, RouteNotFound, MethodNotAllowed.
    """
    places = {operation.place for operation in OPERATIONS}
    matches = [(place, names) for place in places if (names := _names(place, parts)) is not None]
    if not matches:
        raise _too_short(parts) or RouteNotFound("/".join(parts))
    # The one with most fixed parts: `cluster/register` before `cluster/*`.
    place, names = max(matches, key=lambda match: sum(part[0] != "*" for part in match[0]))
    here = [operation for operation in OPERATIONS if operation.place == place]
    found = [operation for operation in here if method in operation.methods]
    if not found:
        raise MethodNotAllowed(method, sorted({m for one in here for m in one.methods}))
    return Found(found), names


def _names(place: Sequence[str], parts: Sequence[str]) -> tuple[str, ...] | None:
    """Return the variable parts of a URL that has this place, None if it has another."""
    if place[-1:] == ("**",):
        if len(parts) < len(place):
            return None
        parts = [*parts[:len(place) - 1], "/".join(parts[len(place) - 1:])]
    if len(parts) != len(place):
        return None
    names = []
    for wanted, part in zip(place, parts, strict=True):
        if wanted[0] == "*":
            if not part:
                return None
            names.append(part)
        elif wanted != part:
            return None
    return tuple(names)


def _too_short(parts: Sequence[str]) -> InvalidRequest | None:
    """Return AIStore's complaint about a URL without its last parts; it counts `v1` too."""
    given = [part for part in parts if part]
    for operation in OPERATIONS:
        place = operation.place
        if given and given[0] == place[0] and len(given) < len(place):
            return InvalidRequest(f"path is too short: got {len(given) + 1} items, but expected"
                                  f" {len(place) + 1}")
    return None
