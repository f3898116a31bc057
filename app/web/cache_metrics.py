"""The figures of the read cache for Prometheus: those of the whole node, whichever worker tells."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors import StorageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from app.cache.read_cache import ReadCache

_COUNTERS = {
    "hits": ("httpfs_proxy_cache_hits", "Chunks that a reader found on the disks."),
    "misses": ("httpfs_proxy_cache_misses", "Chunks that a reader had to wait for."),
    "bytes_served": ("httpfs_proxy_cache_served_bytes", "Bytes read from the disks."),
    "bytes_fetched": ("httpfs_proxy_cache_fetched_bytes", "Bytes fetched from HDFS to be kept."),
    "evicted": ("httpfs_proxy_cache_evicted", "Chunks that went to make room."),
    "corrupt": ("httpfs_proxy_cache_corrupt", "Chunks that were damaged on a disk."),
    "errors": ("httpfs_proxy_cache_errors", "Times that a disk failed or was full."),
}
_GAUGES = {
    "used": ("httpfs_proxy_cache_used_bytes", "Bytes that a mountpath's chunks take."),
    "capacity": ("httpfs_proxy_cache_capacity_bytes", "Bytes that a mountpath may take."),
    "free_on_disk": ("httpfs_proxy_cache_free_bytes", "Bytes free on a mountpath's disk."),
    "chunks": ("httpfs_proxy_cache_chunks", "Chunks that a mountpath holds."),
}


class CacheCollector:
    """What prometheus_client asks for the figures."""

    def __init__(self, cache: ReadCache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; those that lie in the state store while that can be asked."""
        from prometheus_client.core import (  # noqa: PLC0415 as in app.web.metrics
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        with suppress(StorageFault):
            for field, value in self._cache.figures()._asdict().items():
                yield CounterMetricFamily(*_COUNTERS[field], value=value)
        usage = self._cache.usage()
        for field, (name, text) in _GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=["mountpath"])
            for path, used in usage.items():
                family.add_metric([path], getattr(used, field))
            yield family
