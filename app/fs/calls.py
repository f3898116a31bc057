"""One call at a time for one user: what the parts of the file system share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from requests import exceptions

from app.core.errors import GatewayError, NotADirectory, PathNotFound
from app.fs.faults import RemoteFault, translated
from app.fs.http_faults import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.core.paths import HdfsPath
    from app.fs.answer import Answer
    from app.fs.port import Flavor
    from app.fs.transport import Body

FAULTS = (RemoteFault, exceptions.RequestException)
"""What a call raises before it is translated."""
MAKING = frozenset({"mkdirs", "create", "rename"})
"""Operations for which a file in the place of a parent is a conflict; to others the path is
simply not there."""


OK = 200


class UserClient(Protocol):
    """WebHDFS as one user speaks it; every method raises FAULTS."""

    def run(self, operation: str, path: str, **params: Any) -> Answer:
        """Make the call of this name; its answer may be a redirect, never an error."""

    def ask(
        self, method: str, operation: str, path: str, params: Mapping[str, Any],
    ) -> Answer:
        """Make the call of WebHDFS's own name ("GETSTORAGEPOLICY")."""

    def beside(self, target: str) -> Answer:
        """Get another page of the server: its path and query."""

    def data_url(self, answer: Answer, path: str) -> str:
        """Return where a redirect leads for `path`."""

    def exchange(self, method: str, url: str, body: Body = None) -> Answer:
        """Call a DataNode, once."""


class Calls:
    """Makes calls and turns their faults into `app.core.errors`."""

    def __init__(
        self, client: UserClient, user: str, flavor: Callable[[], Flavor], home_cache: float,
    ) -> None:
        self._client = client
        self.user = user
        self._ask_flavor = flavor
        self._home_cache = home_cache
        self._home: tuple[float, HdfsPath] | None = None

    @property
    def flavor(self) -> Flavor:
        """The differences of the server behind (asked once, remembered)."""
        return self._ask_flavor()

    def flavor_of(self, _path: HdfsPath) -> Flavor:
        """Return the same: one server has all paths."""
        return self.flavor

    def mount_of(self, _path: HdfsPath) -> int:
        """Return 0: nothing is mounted in a cluster itself."""
        return 0

    def _as_parameter(self, path: str) -> str:
        """Return `path` so that it arrives as it is when it is sent as (the end of) a parameter."""
        trimmed = path and path[-1] <= " " and self.flavor.trims_parameters
        return f"{path}/" if trimmed else path

    def _fetch(self, operation: str, path: HdfsPath, **params: Any) -> bytes:
        """Make one call and return the whole body of its answer."""
        try:
            return drained(self._client.run(operation, path, **params))
        except FAULTS as error:
            raise self._fault(error, operation, path) from error

    def _ask(
        self, method: str, operation: str, path: HdfsPath, params: Mapping[str, Any],
    ) -> bytes:
        """Make one call by WebHDFS's own name and return the whole body of its answer."""
        try:
            return drained(self._client.ask(method, operation, path, params))
        except FAULTS as error:
            raise self._fault(error, operation.lower(), path) from error

    def _fault(self, error: Exception, operation: str, path: HdfsPath) -> GatewayError:
        fault = translated(error, path)
        if isinstance(fault, NotADirectory) and operation not in MAKING:
            return as_told(PathNotFound(path), fault)
        return fault


def as_told(error: GatewayError, fault: GatewayError) -> GatewayError:
    """Return `error`, of which HDFS said the same as of `fault`."""
    error.told = fault.told
    return error


def drained(answer: Answer, wanted: int = OK) -> bytes:
    """Return the whole body of an answer. Raises BadAnswer if it has another status."""
    if answer.status_code != wanted:
        answer.close()
        raise BadAnswer(f"status {answer.status_code} where {wanted} was due")
    return answer.content
