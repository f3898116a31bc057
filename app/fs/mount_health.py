"""Whether the clusters that the configuration mounts answer."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from app.core.errors import UpstreamError
from app.fs.mounts import OWN

if TYPE_CHECKING:
    from app.fs.mounts import Mounts

_log = logging.getLogger(__name__)


def answering(mounts: Mounts, seconds: float) -> dict[str, bool]:
    """Tell of each path that the configuration mounts whether its cluster answers in time.

    The gateway's own cluster is taken to do so. All others are asked at the same time.
    """
    clusters = sorted({mount.cluster for mount in mounts.configured.values()} - {OWN})
    if not clusters:
        return dict.fromkeys(mounts.configured, True)
    with ThreadPoolExecutor(len(clusters)) as pool:
        states = dict(zip(clusters, pool.map(
            lambda name: _answers(mounts, name, seconds), clusters), strict=True))
    return {path: states.get(mount.cluster, True) for path, mount in mounts.configured.items()}


def _answers(mounts: Mounts, cluster: str, seconds: float) -> bool:
    try:
        mounts.cluster(cluster).probe(seconds)
    except UpstreamError as error:
        _log.warning("the cluster '%s', of which directories are mounted: %s", cluster, error)
        return False
    return True


def log_configured(mounts: Mounts) -> None:
    """Write down what the configuration mounts where."""
    for mount in mounts.configured.values():
        _log.info("%s is %s of %s%s", mount.path, mount.source,
                  f"the cluster '{mount.cluster}'" if mount.cluster else "the own cluster",
                  ", read-only" if mount.read_only else "")
