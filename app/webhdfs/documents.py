"""The model as the NameNode's JSON (org.apache.hadoop.hdfs.web.JsonUtil)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from app.webhdfs.errors import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.model import AclStatus, ContentSummary, FileChecksum, FileStatus

OCTETS = "application/octet-stream"


def answer(document: Any) -> Response:
    """Return 200 with a document."""
    return Response(encoded(document), content_type=JSON_TYPE)


def encoded(document: Any) -> bytes:
    """Return JSON as the NameNode writes it: no spaces, names as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        errors="surrogatepass")


def done() -> Response:
    """Return 200 without a body, as of what has no answer."""
    return Response(content_type=OCTETS)


def boolean(value: bool) -> Response:
    """Return 200 with whether it was done."""
    return answer({"boolean": value})


def file_status(status: FileStatus, suffix: str = "") -> dict[str, Any]:
    """Return a FileStatus."""
    told: dict[str, Any] = {
        "accessTime": status.access_time, "blockSize": status.block_size,
        "childrenNum": max(0, status.children), "fileId": status.file_id, "group": status.group,
        "length": status.length, "modificationTime": status.modification_time,
        "owner": status.owner, "pathSuffix": suffix, "permission": status.permission,
        "replication": status.replication, "storagePolicy": status.storage_policy,
        "type": status.type.value}
    flags = (("aclBit", status.acl), ("encBit", status.encrypted),
             ("ecBit", status.erasure_coded), ("snapshotEnabled", status.snapshottable))
    told |= {name: True for name, is_set in flags if is_set}
    if status.coding:
        told |= {"ecPolicy": status.coding.get("name"), "ecPolicyObj": dict(status.coding)}
    return told


def content_summary(summary: ContentSummary) -> dict[str, Any]:
    """Return a ContentSummary."""
    return {
        "directoryCount": summary.directory_count, "ecPolicy": summary.coding,
        "fileCount": summary.file_count, "length": summary.length, "quota": summary.quota,
        "snapshotDirectoryCount": summary.snapshot_directory_count,
        "snapshotFileCount": summary.snapshot_file_count,
        "snapshotLength": summary.snapshot_length,
        "snapshotSpaceConsumed": summary.snapshot_space_consumed,
        "spaceConsumed": summary.space_consumed, "spaceQuota": summary.space_quota,
        "typeQuota": dict(summary.type_quotas)}


def file_checksum(checksum: FileChecksum) -> dict[str, Any]:
    """Return a FileChecksum; HDFS writes zeros after its `length` bytes, up to 32."""
    return {"algorithm": checksum.algorithm, "bytes": checksum.value.ljust(64, "0"),
            "length": checksum.length}


def acl_status(acl: AclStatus) -> dict[str, Any]:
    """Return an AclStatus."""
    return {"entries": list(acl.entries), "group": acl.group, "owner": acl.owner,
            "permission": acl.permission, "stickyBit": acl.sticky}


def xattrs(found: Mapping[str, bytes], encoding: str) -> list[dict[str, Any]]:
    """Return XAttrs, their values in an `encoding` (org.apache.hadoop.fs.XAttrCodec)."""
    return [{"name": name, "value": _value(value, encoding)} for name, value in found.items()]


def xattr_value(text: str | None) -> bytes:
    """Return what the text of a value means. Raises ValueError."""
    if not text:
        return b""
    mark, rest = text[:2].lower(), text[2:]
    if mark == "0x":
        return bytes.fromhex(rest)
    if mark == "0s":
        return base64.b64decode(rest, validate=True)
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return (text[1:-1] if quoted else text).encode()


def _value(value: bytes, encoding: str) -> str | None:
    if not value:
        return None
    if encoding == "TEXT":
        return f'"{value.decode(errors="replace")}"'
    return f"0x{value.hex()}" if encoding == "HEX" else f"0s{base64.b64encode(value).decode()}"
