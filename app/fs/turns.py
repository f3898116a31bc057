"""Turns: one at a time at each thing, among all workers that share the state store.

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
    from app.fs.workers import Workers
    from app.state.store import Store, Value

_SPACE = "turns"
LEASE_SECONDS = 60.0
"""After which a turn ends by itself, should nobody see that its worker has died."""
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


@contextmanager
def turn(staging: Staging, path: HdfsPath) -> Iterator[None]:
    """Wait until nobody else has the turn at `path`, and have it. Raises OperationAborted."""
    with taken(staging.store, staging.workers, _SPACE, path, _PATIENCE_SECONDS) as mine:
        if not mine:
            raise OperationAborted(path)
        yield


@contextmanager
def taken(
    store: Store, workers: Workers, space: str, key: str, patience: float,
    *, lease: float = LEASE_SECONDS,
) -> Iterator[bool]:
    """Have the turn at `key`; False if another has had it for `patience` seconds.

    The turn of a worker that was killed is over.
    """
    own = secrets.token_hex(8)
    record = {"by": own, "worker": workers.own_id}
    deadline = time.monotonic() + patience
    while not (mine := store.add(space, key, record, ttl=lease)):
        if _is_free(store, workers, space, key):
            continue
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    try:
        yield mine
    finally:
        if mine:
            _end(store, space, key, own)


def _is_free(store: Store, workers: Workers, space: str, key: str) -> bool:
    """Tell whether nobody has the turn; end that of a worker that is dead."""
    held = store.get(space, key)
    if held is None:
        return True
    if workers.is_alive(held["worker"]):
        return False
    _end(store, space, key, held["by"])
    return True


def _end(store: Store, space: str, key: str, by: str) -> None:
    """End a turn, unless it is another's by now."""
    def ended(value: Value | None) -> Value | None:
        return None if value is None or value["by"] == by else value

    store.update(space, key, ended, ttl=LEASE_SECONDS)
