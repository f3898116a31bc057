"""The stories of cluster, daemon, downloads and sorting, as the clients of both years tell them."""

from __future__ import annotations

from typing import Any

from tests.aistore.replay import (
    ANY,
    DIGITS,
    DONE,
    NUMBER,
    TASK_TEXT,
    Answer,
    Case,
    Having,
    Words,
    having,
    refused,
    saying,
    told,
)
from tests.streams.replay import Kind

ONE_NODE = "a gateway is proxy and target in one, and answers what either would"
WORDS_2020 = "the words are those of 2020"
LIST = Kind("a list", lambda value: isinstance(value, list))
OFF = "it is not configured here"
LINK = "http://127.0.0.1:51999/LICENSE"
NET = {"node_ip_addr": "127.0.0.1", "daemon_port": Words("{port}"), "direct_url": Words("{url}")}
COUNTED = ("get.n", "put.n", "pst.n", "del.n", "ren.n", "lst.n", "append.n", "err.n", "err.get.n",
           "err.put.n", "err.post.n", "err.delete.n", "err.head.n", "err.list.n", "err.range.n")
TIMED = ("get", "lst", "kalive", "up")
SYSTEM = {"mem_used": NUMBER, "mem_avail": NUMBER, "pct_mem_used": NUMBER, "pct_cpu_used": NUMBER}
CAPACITY = {"fs_used": DIGITS, "fs_capacity": DIGITS, "pct_fs_used": NUMBER}


def snode(kind: str, flags: int) -> dict[str, Any]:
    """Return what is told of a node."""
    return {"daemon_id": Words("{node}"), "daemon_type": kind, "public_net": NET,
            "intra_control_net": NET, "intra_data_net": NET, "flags": flags}


def figures(unit: str) -> Having:
    """Return the figures of a node, its times in this unit; others may be among them."""
    times = [f"{name}.{unit}{'.time' if name == 'up' else ''}" for name in TIMED]
    return having(**dict.fromkeys([*COUNTED, *times], NUMBER))


def asked(label: str, of: str, what: str, answer: Answer, differs: str = "") -> Case:
    """Return a query of the cluster or of a daemon."""
    return Case(f"{of}: {label or what}", f"GET {of}/?what={what}", answer, differs=differs)


def unknown_to_the_cluster(what: str, differs: str) -> Case:
    """Return a query that only a daemon answers."""
    return asked("", "cluster", what, refused(
        400, f"unexpected GET request, invalid param 'what': [{what}]"), differs)


def queries(unit: str, says: str) -> list[Case]:
    """Return what is asked of cluster and daemon."""
    proxy = snode("proxy", 2)
    smap = {
        "tmap": {Words("{node}"): snode("target", 0)}, "pmap": {Words("{node}"): proxy},
        "proxy_si": proxy, "non_electable": ANY, "version": DIGITS, "uuid": TASK_TEXT,
        "creation_time": saying("UTC")}
    paths: dict[str, Any] = {"available": [], "disabled": []}
    config = having(
        cloud={}, confdir=ANY, proxy=having(primary_url=Words("{url}"), non_electable=False),
        periodic=having(stats_time=saying("s")), log=having(level=ANY),
        checksum=having(type="xxhash"), versioning=having(enabled=False), fspaths={},
        net=having(l4=having(proto="tcp", port=Words("{port}"))), auth=having(enabled=True),
        keepalivetracker=having(proxy=ANY, target=ANY), downloader=having(timeout=ANY))
    counted = "both years' names; downloads and sorts are counted by their jobs"
    fewer = "only what the gateway has is told, and its own settings stand beside it"
    return [
        *(unknown_to_the_cluster(what, says)
          for what in ("smap", "bmd", "config", "snode", "status", "disk", "bogus")),
        asked("", "daemon", "smap", told(smap), "a gateway stands in both maps"),
        asked("", "daemon", "bmd", told({
            "version": DIGITS, "uuid": TASK_TEXT, "providers": {"ais": {"": {}, "@#": {}}}}),
            "2020 calls the namespace by nothing, 2021 by @#"),
        asked("", "daemon", "config", told(config), fewer),
        asked("", "cluster", "stats", told({
            "proxy": figures(unit), "target": {Words("{node}"): having(
                core=figures(unit), capacity=ANY)}}), counted),
        asked("", "daemon", "stats", told(figures(unit)), counted),
        asked("", "cluster", "xaction", told({
            "kind": "", "target": {Words("{node}"): {"xactionDetails": LIST}}}),
            "AIStore wants a body, which the client's GET does not send"),
        asked("", "daemon", "xaction", told({"kind": "", "xactionDetails": LIST}), ONE_NODE),
        asked("", "cluster", "mountpaths", told({"targets": {Words("{node}"): paths}})),
        asked("", "daemon", "mountpaths", told(paths), ONE_NODE),
        asked("", "daemon", "snode", told(snode("proxy", 0))),
        asked("", "daemon", "status", told(having(
            snode=having(daemon_id=ANY, daemon_type="proxy", public_net=ANY),
            daemon_stats=figures(unit), capacity=ANY, sys_info=having(**SYSTEM),
            smap_version=DIGITS)), "a gateway has the capacity of its HDFS, and no `deployment`"),
        asked("", "cluster", "sysinfo", told({
            "proxy": {Words("{node}"): SYSTEM},
            "target": {Words("{node}"): having(**SYSTEM, **CAPACITY)}}),
            "AIStore's lone proxy does not tell of itself; HDFS's DataNodes are counted, too"),
        asked("", "daemon", "sysinfo", told(having(**SYSTEM, **CAPACITY)), ONE_NODE),
        asked("", "daemon", "disk", told({}), ONE_NODE),
        asked("", "daemon", "bogus", refused(
            400, "Invalid GET /daemon request: unrecognized what=bogus")),
        Case("cluster: rebalance", "GET cluster/?what=xaction&props=rebalance", told({
            "kind": "rebalance", "target": {Words("{node}"): {"xactionDetails": LIST}}}),
            differs="AIStore wants a body, which the client's GET does not send"),
    ]


def changes(says: str) -> list[Case]:
    """Return what is changed."""
    def put(label: str, answer: Answer, differs: str = "", **message: str) -> Case:
        return Case(label, "PUT cluster/", answer, message, differs=differs)

    other = {"daemon_id": "gone", "public_net": NET, "intra_control_net": NET,
             "intra_data_net": NET}
    return [
        put("set-config", DONE, action="setconfig", name="periodic.stats_time", value="1s"),
        put("set-config by the documentation's name", DONE, "AIStore's servers do not know it",
            action="setconfig", name="stats_time", value="1s"),
        Case("set-config as the server has it", "PUT cluster/setconfig?periodic.stats_time=10s",
             DONE, {"action": "setconfig"}),
        put("rebalance", refused(501, saying("node.balancer")), OFF, action="rebalance"),
        Case("unregister nobody", "DELETE cluster/daemon/15205%3A8083", refused(
            404, "Unknown node 15205:8083"), differs=says),
        Case("register nobody", "POST cluster/register/", refused(404, "Unknown node gone"),
             other, differs="AIStore's servers do not take the description's URL"),
        Case("register", "POST cluster/register/", DONE, {**other, "daemon_id": Words("{node}")},
             differs="AIStore's servers do not take the description's URL"),
        Case("primary", "PUT cluster/proxy/{node}", DONE),
        Case("primary that is none", "PUT cluster/proxy/43888%3A8083", refused(
            400, saying("New primary proxy 43888:8083 not present in the")),
            differs="AIStore prints its whole map"),
    ]


def downloads(create: str, destroy: str) -> list[Case]:
    """Return what is asked of downloads and sorting, where neither is configured."""
    off = refused(501, saying("download.hosts"))
    single = {"link": LINK, "bucket": "dlb", "objname": "lic"}
    shards = {"bucket": "dlb", "extension": ".tar", "output_shard_size": "10KB",
              "input_format": "shard-{0..1}", "output_format": "out-{0..1}"}
    unknown = 'dSort job with id "nosuch" has not been found'
    found = "2021's server answers an empty list, and success to the abort"
    return [
        Case("a bucket", "POST buckets/dlb", DONE, {"action": create}),
        Case("download one", "POST download/single", off, single, differs=OFF),
        Case("download one as the server has it", "POST download", off, {
            "type": "single", "bucket": {"name": "dlb", "provider": "ais"},
            "object_name": "lic", "link": LINK}, differs=OFF),
        Case("download several", "POST download/multi", off, {
            "bucket": "dlb", "object_map": {"a": LINK}}, differs=OFF),
        Case("download a list", "POST download/list", off, {
            "bucket": "dlb", "base": "http://127.0.0.1:51999/", "prefix": "LIC",
            "suffix": "ENSE"}, differs=OFF),
        Case("downloads", "GET download", told({}),
             differs="2020's server calls it text; 2021's wants a body, which the client's GET"
                     " does not send"),
        Case("cancel without an id", "DELETE download", refused(400, "ID not specified"), single),
        Case("metrics of no sort", "GET sort?id=nosuch", refused(404, unknown), differs=found),
        Case("abort of no sort", "DELETE sort/abort?id=nosuch", refused(404, unknown),
             differs=found),
        Case("sort", "POST sort", refused(501, saying("PySpark")), shards, differs=OFF),
        Case("the bucket's end", "DELETE buckets/dlb", DONE, {"action": destroy}),
    ]


CLUSTER_2020 = [*queries("µs", ""), *changes(""), *downloads("createlb", "destroylb")]
CLUSTER_2021 = [*queries("ns", WORDS_2020), *changes(WORDS_2020),
                *downloads("create_bck", "destroy_bck")]
