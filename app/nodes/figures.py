"""What all workers of this gateway did so far, in all dialects, and what they take of the host."""

from __future__ import annotations

import os
import time
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from app.nodes import process
from app.nodes.disks import LEAST_SECONDS, Disks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.cache.read_cache import ReadCache

GET, PUT, APPEND, POST = "get", "put", "append", "post"
DELETE, RENAME, LIST, HEAD, OTHER = "delete", "rename", "list", "head", "other"

_KINDS: Final[dict[str, str]] = {
    name: kind for kind, names in {
        GET: ("get_content", "archive", "GetObject", "alluxio.download-file", "alluxio.read"),
        PUT: ("put_content", "PutObject", "PostObject", "UploadPart", "alluxio.write"),
        APPEND: ("post_content",),
        POST: ("CreateMultipartUpload", "CompleteMultipartUpload", "DeleteObjects",
               "alluxio.create-file", "alluxio.create-directory", "alluxio.open-file",
               "alluxio.close", "alluxio.set-attribute", "alluxio.mount", "alluxio.unmount"),
        DELETE: ("delete", "DeleteObject", "DeleteBucket", "alluxio.delete"),
        RENAME: ("rename", "alluxio.rename"),
        LIST: ("listing", "ListObjects", "ListObjectsV2", "ListBuckets", "alluxio.list-status"),
        HEAD: ("head_content", "HeadObject", "HeadBucket", "file_status", "alluxio.get-status",
               "alluxio.exists"),
    }.items() for name in names
}
_AISTORE = "aistore."
_AISTORE_WORDS = (
    ("list", LIST), ("names", LIST), ("rename", RENAME), ("get", GET), ("put", PUT),
    ("head", HEAD), ("delete", DELETE), ("destroy", DELETE), ("evict", DELETE),
)


def kind_of(operation: str) -> str:
    """Return the kind of an operation, by its name in the audit log."""
    known = _KINDS.get(operation)
    if known or not operation.startswith(_AISTORE):
        return known or OTHER
    room, _, name = operation.removeprefix(_AISTORE).partition(".")
    if room in ("bucket", "object"):
        return next((kind for word, kind in _AISTORE_WORDS if word in name), POST)
    return OTHER


class GatewayFigures:
    """The figures that a gateway writes into its record among the others, each time anew."""

    def __init__(self, cache: ReadCache | None) -> None:
        self._cache = cache
        self._disks = Disks()
        self._last = process.started() / 1000, 0.0
        self._cpu_percent = 0.0

    def __call__(self) -> dict[str, Any]:
        """Return `request_figures`, and the host's.

        `memory` and `memory_available` are bytes, `cpu_percent` of all CPUs since the last time
        (`disks` likewise, see DiskRates); `mountpaths` names those of the cache, `capacity` their
        bytes: used, of how many, free on the disk; `cache` is what the cache did.
        """
        load = process.load()
        now = time.time()
        since, before = self._last
        if now - since >= LEAST_SECONDS:
            busy = (load.cpu_seconds - before) / (now - since) / (os.cpu_count() or 1)
            self._last = now, load.cpu_seconds
            self._cpu_percent = round(min(max(busy, 0.0), 1.0) * 100, 3)
        return {
            **request_figures(), **self._of_cache(), "cpu_percent": self._cpu_percent,
            "memory": load.memory, "memory_available": load.memory_available,
        }

    def _of_cache(self) -> dict[str, Any]:
        if self._cache is None:
            return {"mountpaths": {"available": [], "disabled": []}, "capacity": {}, "disks": {},
                    "cache": None}
        paths = self._cache.mountpaths()
        return {
            "mountpaths": {"available": list(paths.available), "disabled": list(paths.disabled)},
            "capacity": {path: [usage.used, usage.capacity, usage.free_on_disk]
                         for path, usage in self._cache.usage().items()},
            "disks": {name: list(rates) for name, rates
                      in self._disks.rates(paths.available).items()},
            "cache": self._cache.figures()._asdict(),
        }


def request_figures() -> dict[str, Any]:
    """Return the figures since the gateway was started, for JSON.

    `requests` are counts by kind, `seconds` how long they took together, `errors` those of them
    with a status from 400, `ranges` those with 416; `sent` and `received` are bytes of bodies by
    kind; `active` requests are under way.
    """
    requests: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    totals: dict[str, dict[str, float]] = {name: {} for name in _TOTALS.values()}
    ranges = active = 0
    for name, labels, value in _samples():
        kind = kind_of(labels.get("operation", ""))
        if name == "httpfs_proxy_requests_total":
            requests[kind] += int(value)
            status = int(labels["status"])
            errors[kind] += int(value) if status >= HTTPStatus.BAD_REQUEST else 0
            ranges += int(value) if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE else 0
        elif name == "httpfs_proxy_active_requests":
            active += int(value)
        elif name in _TOTALS:
            total = totals[_TOTALS[name]]
            total[kind] = total.get(kind, 0.0) + value
    return {"requests": dict(requests), "errors": dict(errors), "ranges": ranges,
            "active": active, **totals}


_TOTALS = {
    "httpfs_proxy_request_seconds_sum": "seconds",
    "httpfs_proxy_sent_bytes_total": "sent",
    "httpfs_proxy_received_bytes_total": "received",
}


def _samples() -> Iterable[tuple[str, dict[str, str], float]]:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - it decides how it counts then
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for metric in registry.collect():
        for sample in metric.samples:
            yield sample.name, sample.labels, sample.value
