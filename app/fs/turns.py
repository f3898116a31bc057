"""Turns: one at a time at each path, among all workers that share the state store.

HDFS has no RENAME under a condition on what it replaces. Those who replace or delete an object
under one take turns from their last look to the RENAME, so that of two who expect the same version
only one finds it.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.core.object_errors import OperationAborted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.paths import HdfsPath
    from app.state.store import Store, Value

_SPACE = "turns"
LEASE_SECONDS = 60.0
"""After which a turn ends by itself, as its worker must have died."""
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


@contextmanager
def turn(store: Store, path: HdfsPath) -> Iterator[None]:
    """Wait until nobody else has the turn at `path`, and have it. Raises OperationAborted."""
    own = secrets.token_hex(8)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not store.add(_SPACE, path, {"by": own}, ttl=LEASE_SECONDS):
        if time.monotonic() > deadline:
            raise OperationAborted(path)
        time.sleep(_POLL_SECONDS)

    def ended(value: Value | None) -> Value | None:
        return None if value is None or value["by"] == own else value

    try:
        yield
    finally:
        store.update(_SPACE, path, ended, ttl=LEASE_SECONDS)
