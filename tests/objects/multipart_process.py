"""Completing a multipart upload in a process of its own, which kills itself at one of its calls."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidRequest
from app.embedded.server import create_server
from app.fs import completing, turns, upload_plan
from app.fs.staging import Staging
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings, UploadSettings
from app.state.sqlite import SqliteStore
from tests.objects.multipart_world import BUCKET, World, Wrapped

if TYPE_CHECKING:
    from app.core.objects import PartClaim
    from app.core.paths import HdfsPath

SUPERUSER = "root-of-hdfs"


class Target(NamedTuple):
    """A cluster: its URL, or the directory of the embedded one. `kind` is the flavor's name."""

    kind: str
    url: str

    def connect(self) -> WebHdfsBackend:
        """Return a backend of this process."""
        if self.kind != "embedded":
            # Tests cut what goes by WebHDFS.
            return WebHdfsBackend(BackendSettings(
                url=(self.url,), kind=self.kind, rpc=("off",)))
        server = create_server(Path(self.url), superuser=SUPERUSER)
        return WebHdfsBackend(BackendSettings(url=("embedded:",)), wsgi=server)


class Order(NamedTuple):
    """What the process shall complete, and how.

    `ways` are "copy" (CONCAT is refused) and "file" (the plan does not fit into an xattr).
    """

    target: Target
    root: HdfsPath
    state: Path
    key: str
    upload_id: str
    claims: list[PartClaim]
    ways: frozenset[str] = frozenset()


def complete(order: Order, kill_at: int, *, before: bool) -> None:
    """Complete, and be killed before the call number `kill_at` (0: not at all).

    Not `before`: after it, or after the next one that succeeds.
    """
    completing.batches = lambda files: upload_plan.batches(  # type: ignore[attr-defined]
        files, octets=400)
    turns.LEASE_SECONDS = 0.2  # what a dead worker holds is not waited for as long
    if "file" in order.ways:
        upload_plan.PLAN_OCTETS = 0
    made = [0]

    def at_call(name: str, _: object) -> None:
        made[0] += 1
        if before:
            die()
        if name == "concat" and "copy" in order.ways:
            raise InvalidRequest("concat is refused")

    def die(*_: Any) -> None:
        if 0 < kill_at <= made[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    backend = order.target.connect()
    staging = Staging(SqliteStore(order.state), backend, UploadSettings())
    world = World(backend.as_user("alice"), staging, order.root)
    watched = Wrapped(world.fs, before=at_call, after=None if before else die)
    world.over(watched).uploads.complete(  # type: ignore[arg-type]
        BUCKET, order.key, order.upload_id, order.claims, least_part=0)
    staging.workers.stop()
