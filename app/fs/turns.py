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
    from app.fs.staging import Staging
    from app.state.store import Value

_SPACE = "turns"
LEASE_SECONDS = 60.0
"""After which a turn ends by itself, should nobody see that its worker has died."""
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


@contextmanager
def turn(staging: Staging, path: HdfsPath) -> Iterator[None]:
    """Wait until nobody else has the turn at `path`, and have it. Raises OperationAborted.

    The turn of a worker that was killed is over.
    """
    store, own = staging.store, secrets.token_hex(8)
    record = {"by": own, "worker": staging.workers.own_id}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not store.add(_SPACE, path, record, ttl=LEASE_SECONDS):
        if time.monotonic() > deadline:
            raise OperationAborted(path)
        _end_if_dead(staging, path)
        time.sleep(_POLL_SECONDS)

    def ended(value: Value | None) -> Value | None:
        return None if value is None or value["by"] == own else value

    try:
        yield
    finally:
        store.update(_SPACE, path, ended, ttl=LEASE_SECONDS)


def _end_if_dead(staging: Staging, path: HdfsPath) -> None:
    """End the turn of whoever has it, if that worker is dead."""
    held = staging.store.get(_SPACE, path)
    if held is None or staging.workers.is_alive(held["worker"]):
        return

    def ended(value: Value | None) -> Value | None:
        return None if value is None or value["by"] == held["by"] else value

    staging.store.update(_SPACE, path, ended, ttl=LEASE_SECONDS)
