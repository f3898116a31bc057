"""The figures of the lanes beside WebHDFS for Prometheus, right across workers (`app.web.metrics`).

A lane is named by what it leads to and by host and port of a URL of the settings: few, and none
that a user could add to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge

_LABELS = ("lane", "server")


class LaneFigures:
    """An `app.fs.lane.Watcher` that counts; made after `app.web.metrics.Metrics`."""

    def __init__(self) -> None:
        # prometheus_client decides how it counts when it is imported.
        from prometheus_client import Counter, Gauge  # noqa: PLC0415

        self._open: Gauge = Gauge(
            "httpfs_proxy_open_lanes",
            "Workers that use Hadoop's own protocols beside WebHDFS: rpc with a NameNode, data with"
            " the DataNodes of a cluster.",
            _LABELS, multiprocess_mode="livesum", registry=None)
        self._lost: Counter = Counter(
            "httpfs_proxy_lost_lanes",
            "Times that a worker left them to WebHDFS for a while.", _LABELS, registry=None)

    def known(self, lane: str, server: str) -> None:
        """Tell of this lane from now on, that it is not open."""
        self._open.labels(lane, server)
        self._lost.labels(lane, server)

    def opened(self, lane: str, server: str) -> None:
        """Count one that is open."""
        self._open.labels(lane, server).inc()

    def lost(self, lane: str, server: str) -> None:
        """Count a loss, and one less that is open."""
        self._open.labels(lane, server).dec()
        self._lost.labels(lane, server).inc()
