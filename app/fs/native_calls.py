"""One call at a time by Hadoop's RPC, as one user; what it does not do is left to WebHDFS."""

from __future__ import annotations

import logging
import time
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar

from app.fs.filesystem import WebHdfsFileSystem
from app.fs.lane_finding import LONG_REST
from app.fs.native_faults import LANE_FAULTS, as_fault, did_nothing, is_timeout
from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.ipc import Refused, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.paths import HdfsPath
    from app.fs.calls import UserClient
    from app.fs.lane import Lane
    from app.fs.lanes import Lanes
    from app.fs.port import Flavor

T = TypeVar("T")
_log = logging.getLogger(__name__)


class _By(Enum):
    WEBHDFS = 0


BY_WEBHDFS: Final = _By.WEBHDFS
"""The call is WebHDFS's to make: it has not happened, or may happen twice."""


class NativeCalls(WebHdfsFileSystem):
    """What the parts that go by RPC share."""

    def __init__(
        self, client: UserClient, user: str, flavor: Callable[[], Flavor], home_cache: float,
        lanes: Lanes,
    ) -> None:
        super().__init__(client, user, flavor, home_cache)
        self._lanes = lanes
        self._who = lanes.identity(user)
        self._refused_until = 0.0

    def _by_rpc(
        self, operation: str, path: HdfsPath, call: Callable[[NameNodeClient, HdfsPath], T], *,
        repeatable: bool = True,
    ) -> T | _By:
        """Make one call and return what came of it, or BY_WEBHDFS.

        `operation` is what WebHDFS's is called, `repeatable` says that it may happen twice.
        Raises GatewayError.
        """
        lane = self._lanes.now
        if not self._may_use(lane):
            return BY_WEBHDFS
        try:
            return call(NameNodeClient(lane, self._who), path)
        except UnicodeEncodeError:
            return BY_WEBHDFS
        except LANE_FAULTS as error:
            self._note(error)
            if did_nothing(error) or (repeatable and _may_be_repeated(error)):
                return BY_WEBHDFS
            fault = as_fault(error)
            raise self._fault(fault, operation, path) from fault

    def _may_use(self, lane: Lane) -> bool:
        return lane.ready() and not (
            self._refused_until and time.monotonic() < self._refused_until)

    def _note(self, error: Exception) -> None:
        """Let this user go by WebHDFS for a while where RPC is not for them."""
        if isinstance(error, Refused):
            # WebHDFS may let them in, or says why not.
            self._refused_until = time.monotonic() + LONG_REST
            _log.info("Hadoop's RPC is not for %s: %s", self.user, error)


def _may_be_repeated(error: Exception) -> bool:
    """Tell whether another way may do better: it was not the NameNode that said no, or nothing."""
    return not isinstance(error, RemoteError) and not is_timeout(error)
