"""Whether bytes are taken to and from DataNodes by their own protocol, or by WebHDFS.

That their ports are open to the gateway is not a matter of course: where none of a file's DataNodes
can be reached, WebHDFS does it. Unless others can be, all goes by WebHDFS for a while. Then one
transfer at a time tries again, so that the others do not wait for what may still be shut.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.fs.lane import DATA, Unwatched
from app.hadoop.datanodes import Datanodes
from app.hadoop.keeping import Keeper

if TYPE_CHECKING:
    from app.fs.lane import Watcher
    from app.hadoop.ipc_pool import Limits

FIRST_REST, LONGEST_REST = 30.0, 600.0
CONNECTING = 2.0
"""Seconds to wait for a DataNode at most: there are others, and WebHDFS."""
_log = logging.getLogger(__name__)


class DataLane:
    """The DataNodes of one cluster, and what keeps files open that are written to them."""

    def __init__(self, limits: Limits) -> None:
        self.datanodes = Datanodes(limits._replace(
            connect_timeout=min(CONNECTING, limits.connect_timeout)))
        self.keeper = Keeper()
        self._watcher: Watcher = Unwatched()
        self._server = ""
        self._used = False
        self._rests_until = 0.0
        self._rest = 0.0

    def watched_by(self, watcher: Watcher, server: str) -> None:
        """Tell of use and losses from now on, as the lane of the cluster of `server`."""
        self._watcher, self._server = watcher, server
        watcher.known(DATA, server)

    def ready(self) -> bool:
        """Tell whether to try."""
        if not self._rest:
            return True
        now = time.monotonic()
        if now < self._rests_until:
            return False
        self._rests_until = now + self._rest
        return True

    def worked(self) -> None:
        """Hear that a DataNode was reached."""
        if not self._used:
            self._used = True
            self._watcher.opened(DATA, self._server)
        if self._rest:
            self._rest = 0.0
            _log.info("DataNodes can be reached again by their own protocol")

    def missed(self, why: object) -> None:
        """Hear that none of the DataNodes that have a file was reached.

        Where others can be, it is that file alone that WebHDFS has to do.
        """
        if self.datanodes.are_out_of_reach():
            self.lost(why)
        else:
            _log.debug("the DataNodes of a file cannot be reached, WebHDFS does it: %s", why)

    def lost(self, why: object) -> None:
        """Leave it all to WebHDFS for a while."""
        if self._used:
            self._used = False
            self._watcher.lost(DATA, self._server)
        if not self._rest:
            _log.warning("no DataNode can be reached by its own protocol, WebHDFS does it: %s", why)
        self._rest = min(LONGEST_REST, max(FIRST_REST, 2 * self._rest))
        self._rests_until = time.monotonic() + self._rest

    def close(self) -> None:
        """Close the idle connections."""
        self.datanodes.close()
        self.keeper.close()
