"""Every operation of every dialect that names a path, asked for what is closed.

The names come from the dialects' own tables: one that is new and not said here fails the test that
compares the two. `PATHLESS` are operations that name no path of a file or bucket; what they tell is
tested beside.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from app import admin, files
from app.aistore import table as aistore
from app.s3 import table as s3
from app.s3.target import Level
from app.streams import table as streams
from app.webhdfs import table as webhdfs
from tests.rules.place import CLOSED, HOME, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

S3, AIS, ALLUXIO, HDFS = "/api/v1/s3", "/v1", "/api/v1/paths", "/webhdfs/v1"
FILE = f"{CLOSED}/file"
OCTETS = "application/octet-stream"


class Ask(NamedTuple):
    """One request; `by_admin`: of the operation's admin, who has rules too."""

    name: str
    method: str
    url: str
    params: dict[str, str] = {}  # noqa: RUF012 - never changed
    data: Any = None
    type: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012
    by_admin: bool = False


# --- the file API

_FILE_VALUES = {
    "path": FILE, "permission": "700", "replication": "1", "destination": f"{OPEN}/stolen",
    "name": "user.stolen", "new-name": "newer", "allowed": "true", "value": "YQ==",
    "owner": "bob", "modification-time": "1", "entries": "user:bob:rwx", "names": "1",
    "overwrite": "true", "recursive": "true", "format": "tar"}
_OPTIONAL = {"overwrite", "recursive", "entries", "value", "owner", "modification-time"}


def of_files() -> Iterator[Ask]:
    """Yield the file API's requests; each operation for a file and for the directory above."""
    for operation in (*files.api.operations, *admin.api.operations):
        known = {param.name: param for param in operation.params}
        if "path" not in known:
            continue
        given = {name: _FILE_VALUES[name] for name, param in known.items()
                 if param.required or name in _OPTIONAL}
        if operation.path == "/quota" and operation.method == "PUT":
            given["names"] = "1"
        url = ("/f" if operation in files.api.operations else "") + operation.path
        body = b"x" if operation.path == "/file/content" and operation.method in (
            "PUT", "POST") else None
        for path in (FILE, CLOSED, f"{CLOSED}/new", f"{HOME}/.snapshot/old/closed/file"):
            yield Ask(f"{operation.method} {url}", operation.method, url,
                      {**given, "path": path}, body, OCTETS if body else "")
    yield Ask("PUT /f/name", "PUT", "/f/name",
              {"path": f"{OPEN}/file", "destination": f"{CLOSED}/moved"})
    yield Ask("PUT /f/name", "PUT", "/f/name", {"path": f"{OPEN}/file", "destination": CLOSED})


# --- WebHDFS

_HDFS_VALUES = {
    "RENAME": {"destination": f"{OPEN}/stolen"}, "CONCAT": {"sources": f"{OPEN}/file"},
    "TRUNCATE": {"newlength": "0"},
    "CHECKACCESS": {"fsaction": "r--"}, "SETREPLICATION": {"replication": "1"},
    "SETOWNER": {"owner": "bob"}, "SETPERMISSION": {"permission": "777"},
    "SETTIMES": {"modificationtime": "1"}, "SETACL": {"aclspec": "user::rwx,group::r-x,other::---"},
    "MODIFYACLENTRIES": {"aclspec": "user:bob:rwx"}, "REMOVEACLENTRIES": {"aclspec": "user:bob:"},
    "SETXATTR": {"xattr.name": "user.a", "xattr.value": "0x00", "flag": "CREATE"},
    "REMOVEXATTR": {"xattr.name": "user.a"}, "GETXATTRS": {"encoding": "TEXT"},
    "SETSTORAGEPOLICY": {"storagepolicy": "HOT"}, "SETECPOLICY": {"ecpolicy": "RS-6-3-1024k"},
    "SETQUOTA": {"namespacequota": "1", "storagespacequota": "1"},
    "SETQUOTABYSTORAGETYPE": {"storagetype": "DISK", "storagespacequota": "1"},
    "GETSNAPSHOTDIFF": {"oldsnapshotname": "old", "snapshotname": ""},
    "GETSNAPSHOTDIFFLISTING": {"oldsnapshotname": "old", "snapshotname": "",
                               "snapshotdiffstartpath": "", "snapshotdiffindex": "-1"},
    "CREATESNAPSHOT": {"snapshotname": "s"}, "DELETESNAPSHOT": {"snapshotname": "old"},
    "RENAMESNAPSHOT": {"oldsnapshotname": "old", "snapshotname": "s"},
    "DELETE": {"recursive": "true"}, "CREATE": {"overwrite": "true", "data": "true"},
    "APPEND": {"data": "true"}}
HDFS_PATHLESS = {
    "GETHOMEDIRECTORY", "GETALLSTORAGEPOLICY", "GETECPOLICIES", "GETECCODECS", "GETSERVERDEFAULTS",
    "GETSTATUS", "GETDELEGATIONTOKEN", "RENEWDELEGATIONTOKEN", "CANCELDELEGATIONTOKEN",
    "ENABLEECPOLICY", "DISABLEECPOLICY", "GETTRASHROOTS", "GETSNAPSHOTTABLEDIRECTORYLIST",
    "CREATESYMLINK"}  # the last is not served, by nobody's HDFS


def of_webhdfs() -> Iterator[Ask]:
    """Yield WebHDFS's requests."""
    for operation in webhdfs.OPERATIONS:
        if operation.name in HDFS_PATHLESS:
            continue
        body = b"x" if operation.name in ("CREATE", "APPEND") else None
        for path in (FILE, CLOSED):
            yield Ask(f"{operation.method} {operation.name}", operation.method, HDFS + path,
                      {"op": operation.name, **_HDFS_VALUES.get(operation.name, {})},
                      body, OCTETS if body else "")
    yield Ask("PUT RENAME", "PUT", f"{HDFS}{OPEN}/file",
              {"op": "RENAME", "destination": f"{CLOSED}/moved"})
    yield Ask("POST CONCAT", "POST", f"{HDFS}{OPEN}/file", {"op": "CONCAT", "sources": FILE})


# --- Alluxio's

ALLUXIO_PATHLESS = {"streams/close", "streams/read", "streams/write", "proxy/info"}
_ALLUXIO_BODIES: dict[str, Any] = {
    "set-attribute": {"recursive": True, "mode": {
        "ownerBits": "ALL", "groupBits": "ALL", "otherBits": "ALL"}},
    "delete": {"recursive": True}, "free": {"recursive": True},
    "create-directory": {"recursive": True}, "list-status": {"recursive": True}}


def of_alluxio() -> Iterator[Ask]:
    """Yield the requests to Alluxio's paths; streams are of their own."""
    for operation in streams.OPERATIONS:
        name = f"{operation.kind}/{operation.action}"
        if name in ALLUXIO_PATHLESS:
            continue
        params = {"dst": f"{OPEN}/stolen"} if operation.action == "rename" else (
            {"src": f"{HOME}/library"} if operation.action == "mount" else {})
        body = None
        if operation.takes == streams.JSON_TYPE and operation.action not in ("mount", "rename"):
            body = json.dumps(_ALLUXIO_BODIES.get(operation.action, {}))
        for path in (FILE, CLOSED):
            yield Ask(name, operation.methods[0], f"{ALLUXIO}/{path}/{operation.action}", params,
                      body, streams.JSON_TYPE if body else "",
                      by_admin=operation.action in ("mount", "unmount"))
    yield Ask("paths/rename", "POST", f"{ALLUXIO}/{OPEN}/file/rename", {"dst": f"{CLOSED}/moved"})
    yield Ask("paths/mount", "POST", f"{ALLUXIO}/{OPEN}/mounted/mount", {"src": CLOSED},
              by_admin=True)
    yield Ask("paths/mount", "POST", f"{ALLUXIO}/{OPEN}/mounted/mount", {"src": HOME},
              by_admin=True)


# --- S3

S3_PATHLESS = {"ListBuckets", "PreflightBucket", "PreflightObject", "PostObject"}
_TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
_CORS = ("<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>"
         "<AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>")
_PARTS = ('<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part>'
          "</CompleteMultipartUpload>")
_S3_BODIES = {
    "PutBucketTagging": _TAGS, "PutObjectTagging": _TAGS, "PutBucketCors": _CORS,
    "CompleteMultipartUpload": _PARTS, "PutObject": "x", "UploadPart": "x"}
_UPLOAD = "0" * 44


def of_s3() -> Iterator[Ask]:
    """Yield S3's requests, by Basic credentials."""
    for operation in s3.OPERATIONS:
        if operation.view is None or operation.name in S3_PATHLESS | {"DeleteObjects"}:
            continue
        url = f"{S3}/closed" + ("/file" if operation.level is Level.OBJECT else "")
        params = dict(key.partition("=")[::2] for key in operation.keys)
        if "uploadId" in params:
            params |= {"uploadId": _UPLOAD, "partNumber": "1"}
        body = _S3_BODIES.get(operation.name)
        headers = {operation.header: "/open/file"} if operation.header else {}
        if operation.name in ("PutBucketAcl", "PutObjectAcl"):
            headers["x-amz-acl"] = "private"
        if operation.name == "GetObjectAttributes":
            headers["x-amz-object-attributes"] = "ETag"
        yield Ask(operation.name, operation.method, url, params, body, headers=headers)
    yield Ask("CopyObject", "PUT", f"{S3}/open/stolen", headers={
        "x-amz-copy-source": "/closed/file"})
    yield Ask("CreateBucket", "PUT", f"{S3}/closed:inner")
    yield Ask("GetObject", "GET", f"{S3}/closed:deep/treasure")
    yield Ask("HeadBucket", "HEAD", f"{S3}/closed:deep")


# --- AIStore's

AIS_PATHLESS = {
    "health", "bucket.names", "download-status", "download-cancel", "download-abort",
    "download-remove", "bucket.jobs", "bucket.stop-job", "cluster.stop-job", "sort.show",
    "sort.abort", "sort.remove", "cluster.get", "daemon.get", "cluster.register",
    "cluster.unregister", "cluster.set-primary", "cluster.set-config", "cluster.set-configs",
    "cluster.shutdown", "cluster.rebalance", "daemon.set-config", "daemon.set-configs",
    "daemon.shutdown", "daemon.enable-mountpath", "daemon.disable-mountpath",
    "daemon.add-mountpath", "daemon.remove-mountpath"}
AIS_JOBS = {
    "bucket.copy", "bucket.summary", "bucket.delete-objects", "bucket.evict-objects",
    "bucket.prefetch", "bucket.list-by-task", "sort.start"}
"""Operations that may be begun, and whose job then is refused or finds nothing."""
_DOWNLOAD = {"bucket": "closed", "link": "http://127.0.0.1:9/x", "objname": "x"}
_AIS: dict[str, tuple[dict[str, str], Any]] = {
    "object.rename": ({}, {"action": "rename", "name": "other"}),
    "object.evict": ({}, {"action": "evictobjects"}),
    "bucket.create": ({}, {"action": "createlb"}),
    "bucket.destroy": ({}, {"action": "destroylb"}),
    "bucket.rename": ({}, {"action": "renamelb", "name": "stolen"}),
    "bucket.copy": ({}, {"action": "copybck", "name": "stolen"}),
    "download": ({}, {"type": "single", **_DOWNLOAD}),
    "download-single": ({}, _DOWNLOAD),
    "download-multi": ({}, {"bucket": "closed", "objects": {"x": "http://127.0.0.1:9/x"}}),
    "download-list": ({}, {"bucket": "closed", "base": "http://127.0.0.1:9",
                           "template": "x{1..2}"}),
    "bucket.set-props": ({}, {"action": "setprops", "value": {}}),
    "bucket.reset-props": ({}, {"action": "resetprops"}),
    "bucket.list": ({}, {"action": "listobj", "value": {}}),
    "bucket.list-by-task": ({}, {"action": "listobjects", "value": {}}),
    "bucket.summary": ({}, {"action": "summarybck", "value": {}}),
    "bucket.delete-objects": ({}, {"action": "delete", "value": {"objnames": ["file"]}}),
    "bucket.evict-objects": ({}, {"action": "evictobj", "value": {"objnames": ["file"]}}),
    "bucket.evict": ({}, {"action": "evictcb"}),
    "bucket.prefetch": ({}, {"action": "prefetch", "value": {"objnames": ["file"]}}),
    "sort.start": ({}, {"bucket": "closed", "extension": ".tar", "input_format": "x{0..1}",
                        "output_format": "y{0..9}", "shard_size": 1000}),
}


def of_aistore() -> Iterator[Ask]:
    """Yield AIStore's requests."""
    for operation in aistore.OPERATIONS:
        if operation.name in AIS_PATHLESS:
            continue
        place = "/".join(operation.place).replace("objects/*/**", "objects/closed/file").replace(
            "buckets/*", "buckets/closed")
        params, message = _AIS.get(operation.name, ({}, None))
        data: Any = json.dumps(message) if message is not None else None
        if operation.name == "object.put":
            data = "x"
        yield Ask(operation.name, operation.methods[0], f"{AIS}/{place}", params, data,
                  "application/json" if message is not None else "")
    yield Ask("bucket.rename", "POST", f"{AIS}/buckets/open", {},
              json.dumps({"action": "renamelb", "name": "closed"}), "application/json")


def all_names() -> dict[str, set[str]]:
    """Return the names of all operations that the dialects have, by dialect."""
    api = (*files.api.operations, *admin.api.operations)
    return {
        "files": {f"{one.method} {'/f' if one in files.api.operations else ''}{one.path}"
                  for one in api if any(param.name == "path" for param in one.params)},
        "webhdfs": {f"{one.method} {one.name}" for one in webhdfs.OPERATIONS
                    if one.name not in HDFS_PATHLESS},
        "alluxio": {f"{one.kind}/{one.action}" for one in streams.OPERATIONS} - ALLUXIO_PATHLESS,
        "s3": {one.name for one in s3.OPERATIONS if one.view} - S3_PATHLESS,
        "aistore": {one.name for one in aistore.OPERATIONS} - AIS_PATHLESS,
    }


DIALECTS = {"files": of_files, "webhdfs": of_webhdfs, "alluxio": of_alluxio, "s3": of_s3,
            "aistore": of_aistore}
