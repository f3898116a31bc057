"""What answers tell of an object: AIStore's headers, by their names of 2020 and of 2021.

A client of either year finds its own; a header that would not be true is left out. `Version` is:
HDFS keeps one version of a file and counts none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.aistore import times
from app.aistore.digests import known_digest
from app.aistore.provider import AIS
from app.web.conditions import last_modified_of

if TYPE_CHECKING:
    from werkzeug import Response

    from app.core.objects import ObjectInfo

OCTETS = "application/octet-stream"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NANOS = 1_000_000


def etag_of(info: ObjectInfo) -> str:
    """Return the entity tag of an object: the one that S3 shows."""
    return f'"{info.meta.etag}"'


def describe(response: Response, info: ObjectInfo) -> None:
    """Add what every answer about an object tells, as HTTP and browsers want it.

    The type is never the object's own, and a page among the objects may not act: a browser sends
    along the password that it remembers.
    """
    headers = response.headers
    headers["ETag"] = etag_of(info)
    headers["Last-Modified"] = last_modified_of(info.status)
    headers["Accept-Ranges"] = "bytes"
    headers["Content-Type"] = OCTETS
    headers["Content-Security-Policy"] = "sandbox"


def describe_content(response: Response, info: ObjectInfo, *, whole: bool) -> None:
    """Add what comes with an object's bytes; the checksum where they are all of them."""
    headers = response.headers
    headers["Objsize"] = headers["Size"] = str(info.size)
    accessed = info.status.access_time
    if accessed > 0:
        headers["Objatime"] = headers["Atime"] = str(accessed * _NANOS)
    if whole:
        _add_digest(response, info)


def describe_properties(response: Response, bucket: str, info: ObjectInfo) -> None:
    """Add the properties that HEAD tells; those of 2020 have the time in words (RFC 822)."""
    describe_content(response, info, whole=True)
    headers, status = response.headers, info.status
    if status.access_time > 0:
        headers["Objatime"] = times.written(status.access_time, times.DEFAULT)
    copies = str(max(1, status.replication))
    headers["Objnumcopies"] = headers["Copies"] = copies
    headers["Objpresent"] = headers["Present"] = "true"
    for name in ("Objprovider", "Cloudprovider", "Provider", "Bucket.provider"):
        headers[name] = AIS
    headers["Bucket.name"] = bucket
    if not _CONTROL.search(info.key):
        headers["Name"] = info.key.encode().decode("latin-1")


def _add_digest(response: Response, info: ObjectInfo) -> None:
    kind, value = known_digest(info)
    if kind:
        headers = response.headers
        headers["Objcksumtype"] = headers["Checksum.type"] = kind
        headers["Objcksumval"] = headers["Checksum.value"] = value
