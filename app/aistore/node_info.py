"""GET /v1/cluster and /v1/daemon: what admins ask of all gateways, and of this one (`what`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.aistore import node_view
from app.aistore.bucket_props import props_of
from app.aistore.call import as_json
from app.aistore.config_view import config
from app.aistore.job_view import cluster_xactions, daemon_xactions
from app.aistore.operation import Operation
from app.aistore.properties import described
from app.core.errors import InvalidRequest, PathError, Unsupported, UpstreamError
from app.core.paths import ROOT
from app.nodes.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.core.model import Storage
    from app.nodes.node import Node

    What = Callable[[AIStoreCall], dict[str, Any]]


def of_cluster(call: AIStoreCall) -> Response:
    """Answer what all gateways tell together."""
    what = call.param("what")
    answer = _OF_CLUSTER.get(what)
    if answer is None:
        raise InvalidRequest(f"unexpected GET request, invalid param 'what': [{what}]")
    return as_json(answer(call))


def of_daemon(call: AIStoreCall) -> Response:
    """Answer what this gateway tells."""
    what = call.param("what")
    answer = _OF_DAEMON.get(what)
    if answer is None:
        raise InvalidRequest(f"Invalid GET /daemon request: unrecognized what={what}")
    return as_json(answer(call))


def _nodes(call: AIStoreCall) -> list[Node]:
    """Return all gateways by id, this one as it is at this moment."""
    nodes = call.services.nodes
    return [nodes.own() if node.id == nodes.own_id else node for node in nodes.map().nodes]


def _storage(call: AIStoreCall) -> Storage | None:
    """Return what HDFS stores; None where it cannot be asked now, or does not tell."""
    try:
        return call.services.fs_of(call.principal).storage()
    except (UpstreamError, Unsupported, PathError):
        return None


def _cluster_stats(call: AIStoreCall) -> dict[str, Any]:
    where, storage = call.services.backend.location(ROOT), _storage(call)
    return {
        "proxy": node_view.core(call.services.nodes.own()),
        "target": {
            node.id: {"core": node_view.target_core(node),
                      "capacity": node_view.capacity(node, where, storage)}
            for node in _nodes(call) if node.in_service}}


def _daemon_stats(call: AIStoreCall) -> dict[str, Any]:
    own = call.services.nodes.own()
    core = node_view.target_core(own)
    return {**core, "core": core, "capacity": node_view.capacity(
        own, call.services.backend.location(ROOT), _storage(call))}


def _cluster_sysinfo(call: AIStoreCall) -> dict[str, Any]:
    found, fs = _nodes(call), node_view.fs_info(_storage(call))
    return {
        "proxy": {node.id: node_view.sys_info(node) for node in found},
        "target": {node.id: node_view.sys_info(node) | fs for node in found if node.in_service}}


def _daemon_sysinfo(call: AIStoreCall) -> dict[str, Any]:
    return node_view.sys_info(call.services.nodes.own()) | node_view.fs_info(_storage(call))


def _cluster_mountpaths(call: AIStoreCall) -> dict[str, Any]:
    return {"targets": {node.id: node.figures["mountpaths"] for node in _nodes(call)
                        if node.in_service}}


def _daemon_mountpaths(call: AIStoreCall) -> dict[str, Any]:
    mountpaths: dict[str, Any] = call.services.nodes.own().figures["mountpaths"]
    return mountpaths


def _disk(call: AIStoreCall) -> dict[str, Any]:
    """Return how busy the disks of the cache are, by the names of AIStore's ios package."""
    rates = call.services.nodes.own().figures["disks"]
    return {name: {"RBps": read, "WBps": written, "Util": busy}
            for name, (read, written, busy) in rates.items()}


def _smap(call: AIStoreCall) -> dict[str, Any]:
    return node_view.smap(call.services.nodes.map())


def _snode(call: AIStoreCall) -> dict[str, Any]:
    return node_view.snode(call.services.nodes.own(), "proxy")


def _status(call: AIStoreCall) -> dict[str, Any]:
    nodes = call.services.nodes
    own = nodes.own()
    return {
        "snode": node_view.snode(own, "proxy"), "daemon_stats": node_view.core(own),
        "capacity": node_view.capacity(
            own, call.services.backend.location(ROOT), _storage(call)),
        "sys_info": node_view.sys_info(own), "smap_version": str(nodes.map().version.number),
        "status": "" if own.in_service else "withdrawn", "version": own.version,
    }


def _bmd(call: AIStoreCall) -> dict[str, Any]:
    """Return the caller's buckets and what is set for them."""
    objects, caches = call.objects, call.services.cache is not None
    buckets = {
        bucket.name: described(props_of(objects, bucket.name), bucket, caches=caches)
        for bucket in objects.buckets()}
    for props in buckets.values():
        props["cksum"] = props["checksum"]
    version = version_of(call.services.store, "buckets", buckets)
    # AIStore's own namespace is "" in 2020 and "@#" in 2021.
    return {"version": str(version.number), "uuid": version.uuid,
            "providers": {"ais": {"": buckets, "@#": buckets}}}


_OF_CLUSTER: dict[str, What] = {
    "stats": _cluster_stats, "sysinfo": _cluster_sysinfo, "mountpaths": _cluster_mountpaths,
    "xaction": cluster_xactions,
}
_OF_DAEMON: dict[str, What] = {
    "smap": _smap, "bmd": _bmd, "bucketmd": _bmd, "config": lambda call: config(call.services),
    "stats": _daemon_stats, "xaction": daemon_xactions, "mountpaths": _daemon_mountpaths,
    "disk": _disk, "snode": _snode, "daemoninfo": _snode, "status": _status,
    "sysinfo": _daemon_sysinfo,
}

OPERATIONS = (
    Operation("cluster.get", ("GET",), ("cluster",), of_cluster, admin=True, harmless=True),
    Operation("daemon.get", ("GET",), ("daemon",), of_daemon, admin=True, harmless=True),
)
