"""The job that sorts: Spark reads and writes shards, then all of them get their names at once.

Spark's process reads the input and writes hidden away under a prefix of the output bucket, through
the gateway's own API for objects and with a token of the job's own, so that it can do what the user
of the job may do with these two buckets and no more. When all shards are there they are renamed;
whatever goes wrong before leaves nothing.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.auth.job_tokens import LIFE_SECONDS, Grant
from app.core.errors import GatewayError
from app.core.sort_errors import SortFailed
from app.sorting import engine
from app.sorting.address import gateway_url
from app.sorting.child import Child
from app.sorting.names import names_of_groups
from app.sorting.request import from_data, memory, size
from app.sorting.spark_shards import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.job_tokens import JobTokens
    from app.core.identity import Principal
    from app.fs.objects import ObjectStore
    from app.jobs.jobs import Jobs
    from app.jobs.running import Running
    from app.settings import Settings
    from app.sorting.order_files import OrderFiles
    from app.sorting.request import SortRequest

KIND = "sort"
LEAST_MEMORY = 512 * 1024**2
"""Spark does not start with less."""
MEMBER_SHARE = 8
"""One file of a shard may take this part of the memory: it is held several times at once."""
_PAGE = 1000
_ORDER = "order"
_log = logging.getLogger(__name__)


class Sorting:
    """Does the jobs of this kind; `objects_of` gives a user's objects."""

    def __init__(
        self, settings: Settings, tokens: JobTokens,
        objects_of: Callable[[Principal], ObjectStore], orders: OrderFiles, node_id: str,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._objects_of = objects_of
        self._orders = orders
        self._node_id = node_id

    def register(self, jobs: Jobs) -> None:
        """Have jobs of this kind done here."""
        # Each has a Spark of its own, with memory for itself and for each of its workers.
        jobs.register(KIND, self.work, resumable=False, undo=self.undo, at_once=1)

    def work(self, running: Running) -> None:
        """Sort. Raises SortFailed and other GatewayErrors, JobAborted."""
        request = from_data(running.job.spec)
        objects = self._objects_of(running.principal)
        try:
            engine.require_spark(self._settings.sort)
            scratch = self._scratch(running.job.id)
            scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            if request.order:
                self._orders.save(objects, request.order, running, scratch / _ORDER)
            run = _Run(running, self._node_id)
            self._spark(run, request, scratch)
            running.check()
            if not request.dry_run:
                _publish(run, objects, request)
        finally:
            self._tidy_up(running, objects, request)

    def undo(self, running: Running) -> None:
        """Remove what a run left whose worker died."""
        self._tidy_up(running, self._objects_of(running.principal), from_data(running.job.spec))

    # --- inside

    def _spark(self, run: _Run, request: SortRequest, scratch: Path) -> None:
        """Have Spark make the shards under their hidden prefix."""
        job = run.running.job
        code = scratch / "code.zip"
        engine.pack(code)
        python = engine.python_of(self._settings.sort)
        grant = Grant(job.reference, request.bucket, request.output_bucket, staged(job.id))
        token = self._tokens.mint(grant)
        due = time.monotonic() + LIFE_SECONDS / 4

        def beat() -> None:
            nonlocal due
            run.running.check()
            if time.monotonic() > due:
                self._tokens.prolong(token, grant)
                due = time.monotonic() + LIFE_SECONDS / 4

        local = self._settings.sort.master.startswith("local")
        task = self._task(request, job.id, scratch)
        task |= {"code": str(code), "gateway": [gateway_url(self._settings), token]}
        try:
            with Child(f"sort {job.id}", [python, "-m", engine.JOB], task, scratch,
                       engine.environment(code, python, local=local)) as child:
                for event in child.events(beat):
                    run.take(event)
        finally:
            self._tokens.revoke(token)

    def _task(self, request: SortRequest, job_id: str, scratch: Path) -> dict[str, Any]:
        """Return what Spark's process is told, but for where the gateway is."""
        settings = self._settings.sort
        most = size("sort.memory", settings.memory)
        if request.memory:
            most = min(most, memory("max_mem_usage", request.memory, _memory_of_host()))
        most = max(most, LEAST_MEMORY)
        return {
            "id": job_id, "master": settings.master, "memory": f"{most // 1024**2}m",
            "memory_bytes": most, "most": most // MEMBER_SHARE,
            "room": settings.max_bytes or 2**62, "scratch": str(scratch),
            "order": str(scratch / _ORDER) if request.order else None,
            "order_separator": request.order_separator,
            "bucket": request.bucket, "output_bucket": request.output_bucket,
            "staged": staged(job_id), "extension": request.extension,
            "algorithm": request.algorithm._asdict(), "inputs": _inputs(request),
            "extract_limit": request.extract_limit, "create_limit": request.create_limit,
            "shard_size": request.shard_size, "dry_run": request.dry_run,
            "max_shards": None if request.order else request.outputs.total,
            "reactions": dict(request.reactions),
        }

    def _scratch(self, job_id: str) -> Path:
        root = self._settings.sort.scratch or self._settings.data_dir / "sort"
        return Path(root, job_id).absolute()

    def _tidy_up(self, running: Running, objects: ObjectStore, request: SortRequest) -> None:
        job_id = running.job.id
        shutil.rmtree(self._scratch(job_id), ignore_errors=True)
        try:
            _remove_all(objects, request.output_bucket, staged(job_id))
        except GatewayError as error:
            _log.warning("what sort %s left under %s of bucket %s stays: %r", job_id,
                         staged(job_id), request.output_bucket, error)


class _Run:
    """What one run has told so far."""

    def __init__(self, running: Running, node_id: str) -> None:
        self.running = running
        self.planned: list[tuple[str, int]] = []
        self._kept: dict[str, Any] = {
            "node": node_id, "figures": {}, "warnings": [], "planned": 0}
        self._save()

    def take(self, event: dict[str, Any]) -> None:
        """Keep what Spark's process tells."""
        if "figures" in event:
            self._kept["figures"] = event["figures"]
        if "warning" in event:
            self._kept["warnings"] = [*self._kept["warnings"], event["warning"]]
        if "planned" in event:
            self.planned = [(group, count) for group, count in event["planned"]]
            self._kept["planned"] = sum(count for _, count in self.planned)
        self._save()

    def published(self) -> None:
        """Note that all shards have their names."""
        made = self._kept["figures"].get("creation", {}).get("shards", {})
        self.running.progress(objects=self._kept["planned"], bytes=made.get("packed", 0))

    def _save(self) -> None:
        total = self._kept["planned"]
        self.running.progress(cursor=dict(self._kept), total=total or None)


def staged(job_id: str) -> str:
    """Return the prefix of the objects that a sort writes before they get their names."""
    return f".sort-{job_id}/"


def _publish(run: _Run, objects: ObjectStore, request: SortRequest) -> None:
    """Give the shards their names, all of which are looked at before the first."""
    outputs = None if request.order else request.outputs
    names = [_whole(name, request.extension) for name in names_of_groups(run.planned, outputs)]
    if len(set(names)) < len(names):
        raise SortFailed("by the formats in the order file two shards would have one name")
    for name in names:
        objects.locate(request.output_bucket, name)
    for number, name in enumerate(names):
        objects.rename(
            request.output_bucket, f"{staged(run.running.job.id)}{number:09d}", name)
    run.published()


def _inputs(request: SortRequest) -> list[str]:
    """Return the names of the input shards; other requests have their turns meanwhile."""
    names = []
    for name in request.inputs.names():
        names.append(name + request.extension)
        if len(names) % _PAGE == 0:
            time.sleep(0)
    return names


def _whole(name: str, extension: str) -> str:
    """Return the name with the extension; an order file may name it already."""
    return name if name.endswith(EXTENSIONS) else name + extension


def _remove_all(objects: ObjectStore, bucket: str, prefix: str) -> None:
    while True:
        page = objects.list(bucket, prefix=prefix, limit=_PAGE, etags=False)
        for entry in page.entries:
            objects.delete(bucket, entry.key)
        if page.next_after is None:
            return


def _memory_of_host() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
