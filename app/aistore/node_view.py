"""Gateways as AIStore's nodes: what the cluster's map, statistics and system's information say.

A gateway is proxy and target in one: it has one id in both maps. Names of 2020 and of 2021 stand
beside each other: `get.µs` and `get.ns`, `usedpct` and `pct_used`. Latencies are averages since the
gateway was started. What AIStore tells and has no truth here is absent.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.nodes.figures import APPEND, DELETE, GET, HEAD, LIST, POST, PUT, RENAME

if TYPE_CHECKING:
    from app.core.model import Storage
    from app.nodes.node import Node
    from app.nodes.nodes import ClusterMap

_PORTS = {"http": 80, "https": 443}
_COUNTS = {"get.n": GET, "put.n": PUT, "append.n": APPEND, "pst.n": POST, "del.n": DELETE,
           "ren.n": RENAME, "lst.n": LIST}
_ERRORS = {"err.get.n": GET, "err.put.n": PUT, "err.post.n": POST, "err.delete.n": DELETE,
           "err.head.n": HEAD, "err.list.n": LIST}
_LATENCIES = {"get": GET, "put": PUT, "append": APPEND, "lst": LIST}
_NON_ELECTABLE, _PRIMARY = 1, 2
"""`flags` of a node in the map of 2021."""


def snode(node: Node, kind: str, flags: int = 0) -> dict[str, Any]:
    """Return a gateway as a node of this kind: "proxy" or "target"."""
    parts = urlsplit(node.url)
    net = {"node_ip_addr": parts.hostname or "",
           "daemon_port": str(parts.port or _PORTS.get(parts.scheme, 0)), "direct_url": node.url}
    return {"daemon_id": node.id, "daemon_type": kind, "public_net": net,
            "intra_control_net": net, "intra_data_net": net, "flags": flags}


def smap(cluster: ClusterMap) -> dict[str, Any]:
    """Return the cluster's map; who is withdrawn is no target, and not electable."""
    def proxy(node: Node) -> dict[str, Any]:
        flags = _PRIMARY if node.id == cluster.primary.id else 0
        return snode(node, "proxy", flags | (0 if node.in_service else _NON_ELECTABLE))

    created = time.gmtime(cluster.version.created // 1000)
    return {
        "tmap": {node.id: snode(node, "target") for node in cluster.nodes if node.in_service},
        "pmap": {node.id: proxy(node) for node in cluster.nodes},
        "non_electable": {node.id: "" for node in cluster.nodes if not node.in_service},
        "proxy_si": proxy(cluster.primary), "version": str(cluster.version.number),
        "uuid": cluster.version.uuid,
        "creation_time": time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", created),
    }


def core(node: Node) -> dict[str, int]:
    """Return what a gateway did since it was started."""
    figures = node.figures
    requests, errors, seconds = figures["requests"], figures["errors"], figures["seconds"]
    uptime = max(node.heartbeat - node.started, 1)
    told = {name: requests.get(kind, 0) for name, kind in _COUNTS.items()}
    told |= {name: errors.get(kind, 0) for name, kind in _ERRORS.items()}
    told |= {"err.n": sum(errors.values()) - sum(errors.get(kind, 0) for kind in _ERRORS.values()),
             "err.range.n": figures["ranges"]}
    for name, kind in _LATENCIES.items():
        told |= _time(name, int(seconds.get(kind, 0.0) * 1e9 / max(requests.get(kind, 0), 1)))
    for name, took in zip(("kalive", "kalive.min", "kalive.max"), figures["beats"], strict=True):
        told |= _time(name, took)
    told |= {"up.µs.time": uptime * 1000, "up.ns.time": uptime * 1_000_000}
    return told


def target_core(node: Node) -> dict[str, int]:
    """Return the same and what only targets tell: throughput, and what the cache did."""
    figures = node.figures
    uptime = max(node.heartbeat - node.started, 1) / 1000
    told = core(node) | {"get.bps": int(figures["sent"].get(GET, 0) / uptime)}
    # Nobody is sent from one gateway to another.
    told |= _time("get.redir", 0) | _time("put.redir", 0)
    if cache := figures["cache"]:
        told |= {"get.cold.n": cache["misses"], "get.cold.size": cache["bytes_fetched"],
                 "lru.evict.n": cache["evicted"], "err.cksum.n": cache["corrupt"],
                 "err.io.n": cache["errors"]}
    return told


def capacity(node: Node, where: str, storage: Storage | None) -> dict[str, Any]:
    """Return the bytes of HDFS, which is `where`, and those of each mountpath of the cache."""
    told = {}
    if storage:
        told[where] = _capacity(storage.used, storage.remaining, storage.capacity)
    for path, (used, size, _free) in node.figures["capacity"].items():
        told[path] = _capacity(used, max(size - used, 0), size)
    return told


def sys_info(node: Node) -> dict[str, Any]:
    """Return what a gateway takes of its host."""
    used, available = node.figures["memory"], node.figures["memory_available"]
    return {"mem_used": used, "mem_avail": available,
            "pct_mem_used": used * 100 / available if available else 0.0,
            "pct_cpu_used": node.figures["cpu_percent"]}


def fs_info(storage: Storage | None) -> dict[str, Any]:
    """Return what HDFS stores, and how many DataNodes live where the NameNode tells; {} unknown."""
    if storage is None:
        return {}
    told: dict[str, Any] = {
        "fs_used": str(storage.used), "fs_capacity": str(storage.capacity),
        "pct_fs_used": storage.used * 100 / storage.capacity if storage.capacity else 0.0}
    if storage.live_nodes >= 0:
        told |= {"fs_live_nodes": storage.live_nodes, "fs_dead_nodes": storage.dead_nodes}
    return told


def _time(name: str, nanoseconds: int) -> dict[str, int]:
    """Return a latency by its names of 2020 and 2021."""
    first, dot, rest = name.partition(".")
    if rest in ("min", "max"):
        return {f"{first}.µs.{rest}": nanoseconds // 1000, f"{first}.ns.{rest}": nanoseconds}
    return {f"{first}{dot}{rest}.µs": nanoseconds // 1000, f"{first}{dot}{rest}.ns": nanoseconds}


def _capacity(used: int, available: int, size: int) -> dict[str, Any]:
    percent = used * 100 // size if size else 0
    return {"used": str(used), "avail": str(available), "usedpct": percent, "pct_used": percent}
