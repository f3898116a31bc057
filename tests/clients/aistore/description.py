"""AIStore's descriptions of 2020 and of 2021, told anew for openapi-generator.

The paths, the operations' and models' names and what each takes are AIStore's, so the generator
makes the same classes and methods of them; what each year calls otherwise stands side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.clients.aistore.models import models

OBJECT, BUCKET, MOUNTPATHS = (
    "/objects/{bucket-name}/{object-name}", "/buckets/{bucket-name}", "/daemon/mountpaths")
TEXT: dict[str, Any] = {"type": "string"}
LONG: dict[str, Any] = {"type": "integer", "format": "int64"}
PLAIN = ("text/plain", TEXT)
JSON, OCTETS = "application/json", "application/octet-stream"


class Told(NamedTuple):
    """One operation: its names in 2020 and 2021, its parameters, body and answer.

    `whose`: parameters of a bucket's provider go with it. `body` is a model's name, with `?` after
    it where it may be left out; `answer` a media type and a schema.
    """

    method: str
    path: str
    tag: str
    names: tuple[str, str]
    query: tuple[tuple[str, dict[str, Any], bool], ...] = ()
    whose: bool = False
    body: str = ""
    answer: tuple[str, dict[str, Any]] | None = None


def ref(name: str) -> dict[str, Any]:
    """Return the schema that names a model."""
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(*names: str) -> tuple[str, dict[str, Any]]:
    """Return an answer that is one of these models."""
    return JSON, {"oneOf": [ref(name) for name in names]}


def same(name: str) -> tuple[str, str]:
    """Return the names of an operation that both years call the same."""
    return name, name


def told(year: int) -> tuple[Told, ...]:
    """Return the operations; a few answers tell other models in other years."""
    what = ("what", ref("GetWhat"), True)
    sort_id = ("id", {"type": "string", "format": "uuid"}, True)
    figures = (("RebalanceClusterStatistics", "PrefetchClusterStatistics", "ClusterStatistics")
               if year == 2020 else ("SysInfoStats", "ClusterStatistics"))
    listed = one_of("TaskID", "ObjectPropertyList")
    message = "InputParameters"
    return (
        Told("get", OBJECT, "Object", ("get", "getObject"),
             (("offset", LONG, False), ("length", LONG, False)), whose=True,
             answer=(OCTETS, {"type": "string", "format": "byte"})),
        Told("put", OBJECT, "Object", ("put", "putObject"), whose=True, body="?"),
        Told("delete", OBJECT, "Object", ("delete", "deleteObject"), whose=True,
             body=f"{message}?"),
        Told("post", OBJECT, "Object", ("performOperation", "performOperationOnObject"),
             whose=year == 2021, body=message),
        Told("head", OBJECT, "Object", ("getProperties", "getObjectProperties"),
             (("check_cached", {"type": "boolean"}, False),), whose=True),
        Told("get", "/buckets/*", "Bucket", ("listNames", "listBucketNames"), whose=True,
             answer=(JSON, ref("BucketNames"))),
        Told("put", BUCKET, "Bucket", ("setProperties", "setBucketProperties"),
             (("cloud_provider", TEXT, False),) if year == 2020 else (), whose=True, body=message),
        Told("post", BUCKET, "Bucket", ("performOperation", "performOperationOnBucket"),
             whose=True, body=message, answer=listed),
        Told("delete", BUCKET, "Bucket", ("delete", "deleteBucket"), whose=True, body=message),
        Told("head", BUCKET, "Bucket", ("getProperties", "getBucketProperties"), whose=True),
        Told("get", "/cluster/", "Cluster", ("get", "getClusterInfo"),
             (what, ("props", ref("GetProps"), False)),
             answer=(JSON, {"anyOf": [ref(name) for name in figures]})),
        Told("put", "/cluster/", "Cluster", ("performOperation", "performOperationOnCluster"),
             body=message),
        Told("post", "/cluster/register/", "Cluster", same("registerTarget"), body="Snode"),
        Told("delete", "/cluster/daemon/{daemonId}", "Cluster", same("unregisterTarget")),
        Told("put", "/cluster/proxy/{primary-proxy-id}", "Cluster", same("setPrimaryProxy")),
        Told("get", "/daemon/", "Daemon", ("get", "getDaemonInfo"), (what,),
             answer=one_of("ClusterMap", "TargetStatistics", "DaemonConfiguration")),
        Told("put", "/daemon/", "Daemon", ("performOperation", "performOperationOnDaemon"),
             body=message),
        Told("post", MOUNTPATHS, "Daemon", same("modifyMountpath"), body=message),
        Told("put", MOUNTPATHS, "Daemon", same("createMountpath"), body=message),
        Told("delete", MOUNTPATHS, "Daemon", same("removeMountpath"), body=message),
        Told("post", "/sort", "Sort", same("startSort"), body="SortSpec",
             answer=("text/plain", {"type": "string", "format": "uuid"})),
        Told("get", "/sort", "Sort", same("getSortMetrics"), (sort_id,),
             answer=(JSON, ref("MapOfMetrics"))),
        Told("delete", "/sort/abort", "Sort", same("abortSort"), (sort_id,)),
        Told("delete", "/download", "Download", same("downloadCancel"), body="DownloadAdmin",
             answer=PLAIN),
        Told("get", "/download", "Download", same("downloadStatus"), body="DownloadAdmin",
             answer=PLAIN),
        Told("post", "/download/single", "Download", same("downloadSingleObject"),
             body="DownloadSingle", answer=PLAIN),
        Told("post", "/download/multi", "Download", same("downloadMultipleObjects"),
             body="DownloadMulti", answer=PLAIN),
        Told("post", "/download/list", "Download", same("downloadObjectList"),
             body="DownloadList", answer=PLAIN),
    )


def describe(year: int) -> dict[str, Any]:
    """Return the description of 2020 or of 2021."""
    paths: dict[str, dict[str, Any]] = {}
    for one in told(year):
        paths.setdefault(one.path, {})[one.method] = _operation(one, year)
    return {"openapi": "3.0.0", "info": {"title": "AIStore", "version": str(year)},
            "servers": [{"url": "http://localhost:8080/v1"}],
            "paths": paths, "components": {"schemas": models(year)}}


def _operation(one: Told, year: int) -> dict[str, Any]:
    content = {} if one.answer is None else {"content": {one.answer[0]: {"schema": one.answer[1]}}}
    operation: dict[str, Any] = {
        "operationId": one.names[year - 2020], "tags": [one.tag],
        "parameters": _parameters(one, year),
        "responses": {"200": {"description": "Done", **content},
                      "default": {"description": "Refused or failed"}}}
    if one.body:
        name = one.body.rstrip("?")
        media, schema = (JSON, ref(name)) if name else (OCTETS, {**TEXT, "format": "binary"})
        operation["requestBody"] = {
            "required": not one.body.endswith("?"), "content": {media: {"schema": schema}}}
    return operation


def _parameters(one: Told, year: int) -> list[dict[str, Any]]:
    in_path = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    query = [*one.query]
    if one.whose and year == 2020:
        query += [("bprovider", {**TEXT, "enum": ["local", "cloud", "none"]}, False)]
    elif one.whose:
        query += [("provider", {**TEXT, "enum": ["ais", "aws", "gcp", "cloud"]}, False),
                  ("namespace", TEXT, False)]
    return [
        *({"name": name, "in": "path", "required": True, "schema": TEXT} for name in in_path),
        *({"name": name, "in": "query", "required": required, "schema": schema}
          for name, schema, required in query)]
