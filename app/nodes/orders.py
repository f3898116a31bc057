"""What one gateway has others do by the state store: to stop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app.nodes import process

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.nodes.node import Node
    from app.state.store import Store

_SPACE = "node-stop"
_KEPT_SECONDS = 60.0
"""A gateway that does not look for so long does not stop any more."""
_SAME_MS = 5000
_log = logging.getLogger(__name__)


class Orders:
    """Orders to this gateway, which runs since `started` (epoch ms), and those that it gives."""

    def __init__(self, store: Store, node_id: str, started: int) -> None:
        self._store = store
        self._node_id = node_id
        self._started = started

    def stop(self, others: Iterable[Node] = ()) -> None:
        """Have this gateway stop gracefully, and before it the `others`.

        Raises Unsupported where nothing can be stopped here, StorageFault.
        """
        if not process.master():
            process.stop()
        for node in others:
            if node.id != self._node_id:
                self._store.put(_SPACE, node.id, {"started": node.started}, ttl=_KEPT_SECONDS)
        _log.warning("the gateway stops: an admin said so")
        process.stop()

    def beat(self) -> None:
        """Do what was ordered. Raises StorageFault."""
        order = self._store.get(_SPACE, self._node_id)
        if order is None or not self._store.delete(_SPACE, self._node_id):
            return
        # Another that ran here before was meant where the times differ.
        if abs(order["started"] - self._started) < _SAME_MS and process.master():
            _log.warning("the gateway stops: an admin said so to another one")
            process.stop()
