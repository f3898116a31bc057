"""Figures for Prometheus, right across the workers of one server.

prometheus_client keeps each process's figures in a memory-mapped file and adds them up when they
are asked for. The files of one server lie in a directory named by its main process.
"""

from __future__ import annotations

import os
import shutil
import threading
import weakref
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from app.web.cells import cell, reserve

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram
    from prometheus_client.registry import Collector

    from app.web.cells import Cell
    from app.web.exchange import Exchange

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)


def prepare(directory: Path) -> None:
    """Choose where the workers' figures lie; call before `Metrics` is made.

    Directories of servers that are gone are removed. An environment that sets
    PROMETHEUS_MULTIPROC_DIR itself keeps its choice.
    """
    if _VARIABLE in os.environ:
        return
    own = directory / str(os.getppid())
    own.mkdir(parents=True, exist_ok=True)
    for other in directory.iterdir():
        if other.name.isdecimal() and not _runs(int(other.name)):
            shutil.rmtree(other, ignore_errors=True)
    os.environ[_VARIABLE] = str(own)


class _Cells(NamedTuple):
    """What is counted of an operation: how many took how long, all seconds, bytes in and out."""

    buckets: list[Cell]
    seconds: Cell
    received: Cell
    sent: Cell


class Metrics:
    """The gateway's figures."""

    def __init__(self) -> None:
        if _VARIABLE in os.environ:
            reserve(Path(os.environ[_VARIABLE]))
        # prometheus_client decides how it counts when it is imported.
        from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

        self._requests: Counter = Counter(
            "httpfs_proxy_requests", "Requests answered.", ["operation", "status"], registry=None)
        self._seconds: Histogram = Histogram(
            "httpfs_proxy_request_seconds", "Time from the request to the answer's last byte.",
            ["operation"], buckets=_BUCKETS, registry=None)
        self._received: Counter = Counter(
            "httpfs_proxy_received_bytes", "Bytes of request bodies.", ["operation"],
            registry=None)
        self._sent: Counter = Counter(
            "httpfs_proxy_sent_bytes", "Bytes of answers.", ["operation"], registry=None)
        self._refused: Counter = Counter(
            "httpfs_proxy_refused", "Requests refused by a limit: whose it is, and of what.",
            ["whose", "limit"], registry=None)
        self._active: Gauge = Gauge(
            "httpfs_proxy_active_requests", "Requests under way.",
            multiprocess_mode="livesum", registry=None)
        self._active_cell: Cell | None
        self._by_operation: dict[str, _Cells]
        self._by_status: dict[tuple[str, int], Cell]
        self._forget()
        own = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forgotten(own()))

    def begin(self) -> None:
        """Count a request that starts."""
        with self._lock:
            self._active_now()[0] += 1

    def refuse(self, whose: str, limit: str) -> None:
        """Count a request that a limit refuses."""
        self._refused.labels(whose, limit).inc()

    def end(self, exchange: Exchange, seconds: float) -> None:
        """Count a request that is over."""
        operation = exchange.operation or "none"
        key = (operation, exchange.status)
        buckets, total, received, sent = (
            self._by_operation.get(operation) or self._operation(operation))
        requests = self._by_status.get(key) or self._status(key)
        with self._lock:
            self._active_now()[0] -= 1
            total[0] += seconds
            buckets[bisect_left(_BUCKETS, seconds)][0] += 1
            received[0] += exchange.bytes_in
            sent[0] += exchange.bytes_out
            requests[0] += 1

    def _active_now(self) -> Cell:
        if self._active_cell is None:
            if _VARIABLE in os.environ:
                reserve(Path(os.environ[_VARIABLE]))  # of a child, its own
            self._active_cell = cell(self._active._value)  # noqa: SLF001
        return self._active_cell

    def _operation(self, operation: str) -> _Cells:
        duration = self._seconds.labels(operation)
        values = (duration._sum, self._received.labels(operation)._value,  # noqa: SLF001
                  self._sent.labels(operation)._value)  # noqa: SLF001
        total, received, sent = map(cell, values)
        buckets = [cell(bucket) for bucket in duration._buckets]  # noqa: SLF001
        found = self._by_operation[operation] = _Cells(buckets, total, received, sent)
        return found

    def _status(self, key: tuple[str, int]) -> Cell:
        operation, status = key
        found = self._by_status[key] = cell(
            self._requests.labels(operation, str(status))._value)  # noqa: SLF001
        return found

    def _forget(self) -> None:
        """Let go of all cells, and of a lock that may be held: they are a parent process's."""
        self._lock = threading.Lock()
        self._active_cell = None
        self._by_operation = {}
        self._by_status = {}

    @staticmethod
    def exposition(*collectors: Collector) -> tuple[bytes, str]:
        """Return the figures of all workers in Prometheus's text format, and its media type.

        Those of `collectors` are told, too.
        """
        from prometheus_client import (  # noqa: PLC0415
            CONTENT_TYPE_LATEST,
            CollectorRegistry,
            generate_latest,
        )
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        _forget_the_dead()
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        for collector in collectors:
            registry.register(collector)
        return generate_latest(registry), CONTENT_TYPE_LATEST


def _forgotten(metrics: Metrics | None) -> None:
    if metrics is not None:
        metrics._forget()  # noqa: SLF001


def _forget_the_dead() -> None:
    """Let go of what workers had under way that are gone; one that was killed could not."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    for file in Path(os.environ[_VARIABLE]).glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not _runs(int(pid)):
            mark_process_dead(int(pid))  # type: ignore[no-untyped-call]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
