"""The models of AIStore's two descriptions, in short.

`name:kind` is a property, `name!:kind` one that must be there. A kind is one of KINDS, the name of
another model, `[kind]` for an array, `<kind>` for a map, `one|other` for an enumeration, `(…)` for
an object of its own; `=` after it is the default. `Model+…` has that model's properties, too.
"""

from __future__ import annotations

import re
from typing import Any

KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"}, "flag": {"type": "boolean"}, "object": {"type": "object"},
    "int": {"type": "integer"}, "long": {"type": "integer", "format": "int64"},
    "short": {"type": "integer", "format": "int32"}, "real": {"type": "number", "format": "float"},
    "time": {"type": "string", "format": "date-time"},
    "count": {"type": "integer", "minimum": 0}, "step": {"type": "integer", "minimum": 1}}

_PHASE = "started_time:time end_time:time elapsed:int running:flag finished:flag"
_PROXY_FIGURES = "mem_used:int mem_avail:int pct_mem_used:real pct_cpu_used:real"
_SORT = ("extension!:text output_shard_size:text input_format!:NameTemplate"
         " output_format!:NameTemplate algorithm:(kind:alphanumeric|content|shuffle|none"
         " decreasing:flag=false seed:text= extension:text= format_type:int|float|string=string)"
         " order_file:text order_file_sep:text=TAB max_mem_usage:text")

BOTH = {
    "DownloadAdmin": "link!:text bucket!:text objname!:text",
    "DownloadSingle": "link!:text bucket!:text objname:text headers:object",
    "DownloadList": "bucket!:text headers:object base!:text prefix:text suffix:text start:count"
                    " end:count step:step digit_count:count",
    "DownloadMulti": "bucket!:text headers:object object_map:object object_list:[text]",
    "MapOfMetrics": f"""<(
        local_extraction:({_PHASE} total_count:int extracted_count:int extracted_size:long
            extracted_record_count:int extracted_to_disk_count:int extracted_to_disk_size:long
            single_shard_stats:DetailedStats)
        meta_sorting:({_PHASE} sent_stats:TimeStats recv_stats:TimeStats)
        shard_creation:({_PHASE} to_create:int created_count:int moved_shard_count:int
            req_stats:TimeStats resp_stats:TimeStats local_send_stats:DetailedStats
            local_recv_stats:DetailedStats single_shard_stats:DetailedStats)
        aborted:flag)>""",
    "NameTemplate": "text",
    "TimeStats": "total_ms:int count:int min_ms:int max_ms:int avg_ms:int",
    "DetailedStats": "total_ms:int count:int min_ms:int max_ms:int avg_ms:int min_throughput:int"
                     " max_throughput:int avg_throughput:int",
    "BucketPropsCksum": "type:xxhash|none|inherit=inherit validate_cold_get:flag"
                        " validate_warm_get:flag enable_read_range:flag",
    "ObjectPropertiesRequestParams": "props:text time_format:TimeFormat prefix:text"
                                     " pagemarker:text pagesize:text taskid:long",
    "ObjectPropertyList": "pagemarker:text entries:[ObjectProperties]",
    "TimeFormat": "ANSIC|UnixDate|RubyDate|RFC822|RFC822Z|RFC850|RFC1123|RFC1123Z|RFC3339"
                  "|RFC3339Nano|Kitchen|Stamp|StampMilli|StampMicro|StampNano",
    "RWPolicy": "cloud|",
    "Version": "all|cloud|local|none",
    "NetInfo": "node_ip_addr:text daemon_port:text direct_url:text",
    "GetProps": "rebalance|prefetch",
    "TaskID": "long",
    "ClusterMap": "tmap:<Snode> pmap:<Snode> proxy_si:Snode version:long",
    "FileSystemCapacity": "used:long avail:long usedpct:short",
    "TargetStatistics": "core:TargetCoreStatistics capacity:<FileSystemCapacity> cpuidle:text"
                        " disk:<text>",
    "ClusterStatistics": "proxy:DaemonCoreStatistics target:TargetStatistics",
    "ProxyConfiguration": "id:text url:text passthru:flag",
}

OF_2020 = {
    "SortSpec": f"bucket!:text output_bucket:text bprovider:text=ais output_bprovider:text=ais"
                f" {_SORT} extract_concurrency_limit:count=0 create_concurrency_limit:count=0"
                " extended_metrics:flag",
    "Actions": "evictobjects|rename|createlb|destroylb|renamelb|evictcb|setprops|prefetch|delete"
               "|setconfig|shutdown|rebalance|listobjects|enable|disable|remove|add",
    "ListParameters": "deadline:text wait:flag objnames!:[text]",
    "RangeParameters": "deadline:text wait:flag prefix!:text regex!:text range!:text",
    "BucketProps": "cloud_provider:text cksum:BucketPropsCksum",
    "BucketNames": "cloud:[text] local:[text]",
    "ObjectProperties": "name:text size:long checksum:text atime:text bucket:text version:text"
                        " targetURL:text flags:int copies:int",
    "ObjectPropertyTypes": "size|checksum|atime|bucket|version|copies|flags|targetURL",
    "CloudProvider": "ais|aws|gcp",
    "Headers": "cloud_provider|Versioning|ObjVersion|ObjSize|ObjCksumType|ObjCksumVal",
    "Snode": "daemon_id:text public_net:NetInfo intra_control_net:NetInfo intra_data_net:NetInfo",
    "GetWhat": "smap|config|stats|xaction|mountpaths|snode|status|sysinfo|bucketmd",
    "DaemonCoreStatistics": "numget:long numput:long numpost:long numdelete:long numrename:long"
                            " numlist:long getlatency:long putlatency:long listlatency:long"
                            " numerr:long",
    "TargetCoreStatistics": "DaemonCoreStatistics+numcoldget:long bytesloaded:long"
                            " bytesevicted:long filesevicted:long numsentfiles:long"
                            " numsentbytes:long numrecvfiles:long numrecvbytes:long"
                            " numprefetch:long bytesprefetched:long numvchanged:long"
                            " bytesvchanged:long numbadchecksum:long bytesbadchecksum:long",
    "KeepAliveTrackerConfiguration": "interval:text name:text max:text factor:short",
    "DaemonConfiguration": """confdir:text cloud_provider:text
        mirror:(copies:int burst_buffer:int util_thresh:int optimize_put:flag enabled:flag)
        log:(dir:text level:text max_size:long max_total:long)
        periodic:(stats_time:text retry_sync_time:text)
        timeout:(default_timeout:text default_long_timeout:text max_keepalive:text proxy_ping:text
            cplane_operation:text send_file_time:text startup_time:text list_timeout:text)
        proxy:(non_electable:flag primary_url:text original_url:text discovery_url:text)
        lru:(lowwm:short highwm:short out_of_space:short dont_evict_time:text
            capacity_upd_time:text enabled:flag)
        disk:(iostat_time_long:text iostat_time_short:text disk_util_low_wm:int
            disk_util_high_wm:int disk_util_max_wm:int)
        rebalance:(dest_retry_time:text multiplier:int enabled:flag)
        cksum:(type:text validate_cold_get:flag validate_warm_get:flag validate_obj_move:flag
            enable_read_range:flag)
        version:(type:text enabled:flag validate_warm_get:flag)
        fspaths:<text> test_fspaths:(root:text count:short instance:short)
        net:(ipv4:text l4:(proto:text port:text port_intra_control:text port_intra_data:text)
            http:(use_https:flag proto:text rproxy:text rproxy_cache:flag server_certificate:text
                server_key:text chunked_transfer:flag))
        fsch:(enabled:flag test_files:int error_limit:int)
        auth:(secret:text enabled:flag creddir:text)
        keepalivetracker:(proxy:KeepAliveTrackerConfiguration
            target:KeepAliveTrackerConfiguration retry_factor:int timeout_factor:int)
        downloader:(timeout:text)
        distributed_sort:(duplicated_records:text missing_shards:text ekm_malformed_line:text
            ekm_missing_key:text default_max_mem_usage:text dsorter_mem_threshold:text
            call_timeout:text)""",
    "XactionDetails": "id:long startTime:text endTime:text status:text",
    "RebalanceTargetStatistics": "xactionDetails:[XactionDetails] numSentFiles:long"
                                 " numSentBytes:long numRecvFiles:long numRecvBytes:long",
    "PrefetchTargetStatistics": "xactionDetails:[XactionDetails] numFilesPrefetched:long"
                                " numBytesPrefetched:long",
    "RebalanceClusterStatistics": "kind:text target:<RebalanceTargetStatistics>",
    "PrefetchClusterStatistics": "kind:text target:<PrefetchTargetStatistics>",
}

OF_2021 = {
    "SortSpec": f"bucket!:text output_bucket:text provider:text=ais output_provider:text=ais"
                f" {_SORT} extract_concurrency_max_limit:count=0"
                " create_concurrency_max_limit:count=0 extended_metrics:flag",
    "Actions": "shutdown|rebalance|resilver|lru|synclb|create_bck|destroy_bck|renamelb|copybck"
               "|registercb|evictcb|setconfig|setbprops|resetbprops|listobj|summarybck|renameobj"
               "|promote|replicate|evictobj|delete|prefetch|download|regtarget|regproxy"
               "|unregtarget|unregproxy|newprimary|revoketoken|election|putcopies|makencopies"
               "|loadlomcache|ecget|ecput|ecresp|ecencode|metasync-start-gfn|recoverbck|task"
               "|enable|disable|add|remove|stop|start|persist",
    "ListParameters": "objnames!:[text]",
    "RangeParameters": "template!:text",
    "BucketProps": "provider:text checksum:BucketPropsCksum",
    "BucketNames": "cloud:[text] ais:[text]",
    "ObjectProperties": "name:text size:long checksum:text atime:text bucket:text version:text"
                        " target_url:text flags:int copies:int",
    "ObjectPropertyTypes": "size|checksum|atime|bucket|version|copies|flags|target_url",
    "Provider": "ais|aws|gcp",
    "Headers": "Provider|Versioning|ObjVersion|ObjSize|ObjCksumType|ObjCksumVal",
    "Error": "status!:int message!:text method!:text url_path!:text remote_addr!:text trace:text",
    "Snode": "daemon_id:text daemon_type:target|proxy public_net:NetInfo"
             " intra_control_net:NetInfo intra_data_net:NetInfo",
    "GetWhat": "smap|bmd|smapvote|config|stats|xaction|mountpaths|snode|status|sysinfo|disk",
    "DaemonCoreStatistics": "get.n:long put.n:long append.n:long pst.n:long del.n:long ren.n:long"
                            " lst.n:long get.ns:long put.ns:long lst.ns:long err.n:long",
    "TargetCoreStatistics": "DaemonCoreStatistics+get.n:long put.n:long append.n:long pst.n:long"
                            " del.n:long ren.n:long lst.n:long lru.evict.n:long"
                            " lru.evict.size:long tx.reb.n:long tx.reb.size:long rx.reb.n:long"
                            " rx.reb.size:long vchange.n:long vchange.size:long get.ns:long"
                            " put.ns:long lst.ns:long err.n:long err.get.n:long err.delete.n:long"
                            " err.post.n:long err.put.n:long err.head.n:long err.list.n:long"
                            " err.range.n:long err.dl.n:long up.ns.time:long err.cksum.n:long"
                            " err.cksum.size:long err.md.n:long err.md.size:long err.io.n:long",
    "SysInfoStats": f"proxy:<({_PROXY_FIGURES})> target:<({_PROXY_FIGURES} fs_used:text"
                    " fs_capacity:text pct_fs_used:real)>",
    "KeepAliveTrackerConfiguration": "interval:text name:text factor:short",
    "DaemonConfiguration": """confdir:text cloud:object
        ec:(objsize_limit:int data_slices:int parity_slices:int compression:never|always
            enabled:flag)
        mirror:(copies:int burst_buffer:int util_thresh:int optimize_put:flag enabled:flag)
        log:(dir:text level:text max_size:long max_total:long)
        periodic:(stats_time:text retry_sync_time:text)
        timeout:(max_keepalive:text cplane_operation:text send_file_time:text startup_time:text
            max_host_busy:text)
        client:(client_timeout:text client_long_timeout:text list_timeout:text)
        proxy:(non_electable:flag primary_url:text original_url:text discovery_url:text)
        lru:(lowwm:short highwm:short out_of_space:short dont_evict_time:text
            capacity_upd_time:text enabled:flag)
        disk:(iostat_time_long:text iostat_time_short:text disk_util_low_wm:int
            disk_util_high_wm:int disk_util_max_wm:int)
        rebalance:(dest_retry_time:text quiescent:text compression:never|always multiplier:int
            enabled:flag)
        checksum:(type:text validate_cold_get:flag validate_warm_get:flag enable_read_range:flag)
        version:(enabled:flag validate_warm_get:flag)
        fspaths:<text> test_fspaths:(root:text count:short instance:short)
        net:(hostname:text hostname_intra_control:text hostname_intra_data:text
            l4:(proto:text port:text port_intra_control:text port_intra_data:text)
            http:(use_https:flag server_crt:text server_key:text chunked_transfer:flag))
        fshc:(enabled:flag test_files:int error_limit:int) auth:(enabled:flag secret:text)
        keepalivetracker:(proxy:KeepAliveTrackerConfiguration
            target:KeepAliveTrackerConfiguration retry_factor:int timeout_factor:int)
        downloader:(timeout:text) compression:(block_size:int checksum:flag)
        distributed_sort:(duplicated_records:text missing_shards:text ekm_malformed_line:text
            ekm_missing_key:text default_max_mem_usage:text dsorter_mem_threshold:text
            call_timeout:text)""",
    "BaseXactStats": "id:text kind:text bucket:text provider:text start_time:text end_time:text"
                     " obj_count:long bytes_count:long aborted:flag",
    "RebalanceTargetStatistics": "xactionDetails:[BaseXactStats] tx.reb.n:long tx.reb.size:long"
                                 " rx.reb.n:long rx.reb.size:long reb.glob.id:long",
}
MESSAGE = {"type": "object", "properties": {
    "action": {"$ref": "#/components/schemas/Actions"}, "name": KINDS["text"],
    "value": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in (
        "ListParameters", "RangeParameters", "BucketProps", "ObjectPropertiesRequestParams")]}}}

_WORDS = re.compile(r"[()\[\]<>]|[^\s()\[\]<>]+")
_CLOSING = {"(": ")", "[": "]", "<": ">"}


def models(year: int) -> dict[str, Any]:
    """Return the schemas of a year's description."""
    written = {**BOTH, **(OF_2020 if year == 2020 else OF_2021)}
    return {"InputParameters": MESSAGE,
            **{name: _model(text) for name, text in written.items()}}


def _model(text: str) -> dict[str, Any]:
    base, plus, more = text.partition("+")
    if plus:
        return {"allOf": [_kind([base]), _model(more)]}
    words = _WORDS.findall(text)
    return _object(words) if ":" in words[0] else _kind(words)


def _object(words: list[str]) -> dict[str, Any]:
    """Return the object whose properties `words` begin with; what follows it stays there."""
    properties, required = {}, []
    while words and words[0] != ")":
        name, _, kind = words.pop(0).partition(":")
        if name.endswith("!"):
            required.append(name.rstrip("!"))
        if kind:
            words.insert(0, kind)
        properties[name.rstrip("!")] = _kind(words)
    described: dict[str, Any] = {"type": "object", "properties": properties}
    return {**described, "required": required} if required else described


def _kind(words: list[str]) -> dict[str, Any]:
    """Return the schema that `words` begin with; what follows it stays there."""
    word = words.pop(0)
    if word in _CLOSING:
        inner = _object(words) if word == "(" else _kind(words)
        assert words.pop(0) == _CLOSING[word]
        return {"(": inner, "[": {"type": "array", "items": inner},
                "<": {"type": "object", "additionalProperties": inner}}[word]
    kind, has_default, default = word.partition("=")
    if kind in KINDS:
        made = dict(KINDS[kind])
    elif "|" in kind:
        made = {"type": "string", "enum": [one for one in kind.split("|") if one]}
    else:
        return {"$ref": f"#/components/schemas/{kind}"}
    if has_default:
        made["default"] = {"false": False, "0": 0, "TAB": "\t"}.get(default, default)
    return made
