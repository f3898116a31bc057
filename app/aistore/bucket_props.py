"""What can be set for a bucket: the checksum of its objects, and what may be done with them.

It stands in the bucket's record beside what S3 keeps there, under RECORD, and holds for AIStore's
dialect. Versions are always off: HDFS keeps one and counts none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any

from app.core.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.fs.objects import ObjectStore

RECORD = "aistore"
CHECKSUMS = ("none", "xxhash", "md5", "crc32c", "sha256", "sha512")
DEFAULT_CHECKSUM = "xxhash"
ALL_ACCESS = 2**64 - 1


class Access(IntFlag):
    """The bits of `access` (2020: `aattrs`) that mean something here (AIStore's cmn.Access…)."""

    GET = 1 << 0
    HEAD = 1 << 1
    PUT = 1 << 2
    APPEND = 1 << 3
    DOWNLOAD = 1 << 4
    DELETE = 1 << 5
    MOVE = 1 << 6
    LIST = 1 << 9
    MOVE_BUCKET = 1 << 10
    DESTROY = 1 << 15


class OperationNotAllowed(AccessDenied):
    """The bucket's own `access` does not allow this operation."""

    text = "the bucket's access does not allow this: {path}"


@dataclass(frozen=True, slots=True)
class BucketProps:
    """What is set for one bucket.

    `checksum` is one of CHECKSUMS; `access` has a bit for each operation that is allowed.
    """

    checksum: str = DEFAULT_CHECKSUM
    access: int = ALL_ACCESS

    def require(self, access: Access, name: str) -> None:
        """Raise OperationNotAllowed unless `access`, all of it, is allowed; `name` is what for."""
        missing = Access(access & ~self.access)
        if missing:
            raise OperationNotAllowed(name, f"{missing.name} is not among what `access` allows")


def props_of(objects: ObjectStore, bucket: str) -> BucketProps:
    """Return what is set for a bucket, by one call to HDFS. Raises NoSuchBucket."""
    return from_record(objects.quick_record(bucket))


def from_record(record: Mapping[str, Any]) -> BucketProps:
    """Return what a bucket's record says; anybody may have written it: what is unsound is unset."""
    data = record.get(RECORD)
    if not isinstance(data, dict):
        return BucketProps()
    checksum, access = data.get("checksum"), data.get("access")
    return BucketProps(
        checksum if checksum in CHECKSUMS else DEFAULT_CHECKSUM,
        access if type(access) is int and 0 <= access <= ALL_ACCESS else ALL_ACCESS)


def to_record(props: BucketProps) -> dict[str, Any]:
    """Return the entry of a bucket's record that says this; {} where nothing is set."""
    unset = BucketProps()
    return {name: value for name in ("checksum", "access")
            if (value := getattr(props, name)) != getattr(unset, name)}
