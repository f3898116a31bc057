"""Buckets and objects, as S3 and AIStore name them, over an HDFS tree: names, records, no I/O.

A bucket is a directory, an object a regular file whose path below the bucket is its key. What a
key may hold and an HDFS name may not stands in the name as a character of Unicode's private use
area (U+F000 plus the code, as Cygwin and SMB clients do), and is turned back in listings:

| in the key | in HDFS |
| --- | --- |
| `:` | U+F03A |
| a part that is `.` or `..` | U+F02E, once or twice |
| an empty part (`//`, a leading `/`) | U+F02F |

A key that ends in `/` is the directory itself where it has no content ("a directory marker"), else
a file named U+F02F in it. Keys that hold one of these characters, NUL, or a part of more than 255
bytes are refused. Keys are compared by their bytes of UTF-8 (Amazon S3 User Guide, "Listing object
keys programmatically").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import InvalidPath
from app.core.object_errors import InvalidBucketName, InvalidKey, KeyTooLong
from app.core.paths import HIDDEN_MARK, MAX_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath

META_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
"""What user metadata may be called: the name of a header, in lower case (RFC 9110, 5.6.2)."""
MAX_KEY_BYTES = 1024
SYSTEM_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language",
                  "content-type", "expires")
"""The headers of a PUT that are kept with the object and sent with it."""
COLON = "\uf03a"
DOT = "\uf02e"
EMPTY = "\uf02f"
_ESCAPES = re.compile(f"[{COLON}{DOT}{EMPTY}]")
_NEW_BUCKET = re.compile(r"(?=.{3,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?"
                         r"(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_ANY_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")


def names_of_key(key: str) -> list[str]:
    """Return the HDFS names of `key`, the file's name last; EMPTY last where it ends in `/`.

    Raises InvalidKey, KeyTooLong.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidKey(key, "it is not valid Unicode") from None
    if size > MAX_KEY_BYTES:
        raise KeyTooLong(key, size, MAX_KEY_BYTES)
    if not key or "\0" in key or _ESCAPES.search(key):
        raise InvalidKey(key, "a key is not empty and has no NUL, U+F02E, U+F02F or U+F03A")
    return [name_of_part(part) for part in key.split("/")]


def name_of_part(part: str) -> str:
    """Return the HDFS name for one part of a key. Raises InvalidKey, KeyTooLong."""
    if not part:
        return EMPTY
    if part in (".", ".."):
        return DOT * len(part)
    if part.startswith(HIDDEN_MARK):
        raise InvalidKey(part, f"names that begin with {HIDDEN_MARK} are the gateway's own")
    name = part.replace(":", COLON)
    size = len(name.encode())
    if size > MAX_NAME_BYTES:
        raise KeyTooLong(part, size, MAX_NAME_BYTES)
    return name


def part_of_name(name: str) -> str:
    """Return the part of a key that stands in HDFS as `name`, whoever put it there."""
    if name == EMPTY:
        return ""
    if name in (DOT, DOT * 2):
        return "." * len(name)
    return name.replace(COLON, ":")


def is_plain_name(name: str) -> bool:
    """Tell whether an HDFS name is that of a key's part: one that no key stands for is hidden."""
    return not name.startswith(HIDDEN_MARK) and (
        name in (EMPTY, DOT, DOT * 2) or not (EMPTY in name or DOT in name))


def names_of_bucket(bucket: str) -> list[str]:
    """Return the directory names of `bucket` below the bucket root; `a:b` is a/b (Alluxio).

    Raises InvalidBucketName for what no bucket, however old, may be called.
    """
    names = bucket.split(":")
    for name in names:
        if not _ANY_BUCKET.fullmatch(name) or name in (".", "..") or name.startswith(HIDDEN_MARK):
            raise InvalidBucketName(bucket, "letters, digits, '.', '_' and '-'; ':' between the"
                                    " names of nested directories")
    return names


def check_new_bucket(bucket: str) -> None:
    """Raise InvalidBucketName unless a new bucket may have this name (S3's naming rules)."""
    for name in bucket.split(":"):
        if (not _NEW_BUCKET.fullmatch(name) or _IPV4.fullmatch(name)
                or name.startswith("xn--")):
            raise InvalidBucketName(bucket, "3 to 63 lower-case letters, digits, '.' and '-', a"
                                    " letter or digit at both ends and beside each '.', not an IP"
                                    " address")


def is_bucket_name(name: str) -> bool:
    """Tell whether a directory's name can be a bucket's."""
    try:
        return bool(names_of_bucket(name)) and ":" not in name
    except (InvalidPath, InvalidBucketName):
        return False


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """What S3 keeps beside an object's bytes.

    `etag` is without quotes. `checksums` maps the name of a kind ("CRC64NVME", "SHA256", …) to the
    Base64 text that S3 shows (with `-N` for a composite one); `checksum_type` is "FULL_OBJECT" or
    "COMPOSITE". `headers` are the system headers by their lower-case names ("content-type",
    "cache-control", …), `user` the x-amz-meta-* by theirs (without the prefix), `tags` in their
    order. `part_sizes` are the bytes of each part of a multipart upload, in order; `upload` is its
    id. `part_checksums` are its parts' checksums (Base64) of the kind in `checksums`: all, or none
    where none was asked for when the upload began. `digests` are checksums of the whole content
    that S3 does not show, by AIStore's names for their kinds ("xxhash", "crc32c", "sha256",
    "sha512"), in lower-case hex.
    """

    etag: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"
    headers: Mapping[str, str] = field(default_factory=dict)
    user: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    part_sizes: tuple[int, ...] = ()
    upload: str = ""
    part_checksums: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)


class ObjectInfo(NamedTuple):
    """One object: the file that it is, and what is kept beside it.

    `meta.etag` is always filled: where the file was changed or made by others it is derived from
    the file's id, length and modification time. A directory marker has a directory's `status`,
    and no content.
    """

    key: str
    path: HdfsPath
    status: FileStatus
    meta: ObjectMeta

    @property
    def size(self) -> int:
        """The object's bytes."""
        return 0 if self.status.is_directory else self.status.length


class Entry(NamedTuple):
    """One line of a listing: an object, or a common prefix (`status` is None)."""

    key: str
    status: FileStatus | None
    etag: str = ""


class EntryPage(NamedTuple):
    """Up to `limit` entries in key order; `next_after` resumes behind them, None at the end."""

    entries: list[Entry]
    next_after: str | None


class Bucket(NamedTuple):
    """A bucket; `status` is its directory's."""

    name: str
    path: HdfsPath
    status: FileStatus


class Part(NamedTuple):
    """One uploaded part; `etag` is the MD5 of its bytes in hex, `modified` in epoch ms."""

    number: int
    etag: str
    size: int
    modified: int
    checksums: Mapping[str, str]


class PartClaim(NamedTuple):
    """A part as CompleteMultipartUpload names it; `etag` without quotes."""

    number: int
    etag: str
    checksums: Mapping[str, str]


class Upload(NamedTuple):
    """A multipart upload under way: what CreateMultipartUpload said.

    `checksum_algorithm` is "" where the client named none; `initiated` in epoch ms.
    """

    upload_id: str
    key: str
    meta: ObjectMeta
    initiated: int
    checksum_algorithm: str = ""
    checksum_type: str = ""
