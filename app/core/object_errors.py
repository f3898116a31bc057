"""What can go wrong with buckets, objects and signed requests; a branch of the tree in errors.py.

GatewayError
├── NotFound: NoSuchBucket, NoSuchKey, NoSuchUpload, NoSuchAttribute
├── AccessDenied: HoldsRoom
├── Conflict: BucketExists, BucketNotEmpty, NameTaken, OperationAborted
├── InvalidRequest: InvalidBucketName, InvalidKey, KeyTooLong, InvalidPart, InvalidPartOrder,
│   PartTooSmall, InvalidTag, InvalidPolicyDocument, MalformedDocument
└── NotAuthenticated: UnknownAccessKey, WrongSignature, SigningRuleBroken, ClockSkew,
    ExpiredRequest, MalformedAuthorization
    └── MalformedQueryAuthorization, WrongRegion
"""

from __future__ import annotations

from app.core.errors import (
    AccessDenied,
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    printable,
)

# --- what is not there


class NoSuchBucket(NotFound):
    """No directory has this bucket's name."""

    text = "no such bucket: {path}"


class NoSuchKey(NotFound):
    """The bucket has no object of this key."""

    text = "no such key: {path}"


class NoSuchUpload(NotFound):
    """No multipart upload of this id is under way for this key."""

    text = "no such multipart upload: {path}"


class NoSuchAttribute(NotFound):
    """The bucket or object has no such configuration: `kind` is "tags", "cors", "policy"."""

    text = "no such configuration: {path}"

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path)
        self.kind = kind


# --- what stands in the way


class BucketExists(Conflict):
    """The bucket is there and another's."""

    text = "the bucket exists and belongs to another: {path}"


class BucketNotEmpty(Conflict):
    """A bucket with objects cannot be deleted."""

    text = "the bucket is not empty: {path}"


class NameTaken(Conflict):
    """A file has the name of a directory that the key needs, or the other way round."""

    text = "HDFS has one name for a file and a directory, and the other kind has it: {path}"


class OperationAborted(Conflict):
    """Another request changes the same thing at this moment."""

    text = "another request is changing this at the moment: {path}"


class HoldsRoom(AccessDenied):
    """The bucket is or holds the root of a user, and was to be removed or moved."""

    text = "it is or holds the directory that is a user's root: {path}"


# --- what cannot be


class InvalidBucketName(InvalidRequest):
    """No bucket may have this name."""

    def __init__(self, bucket: str, allowed: str) -> None:
        super().__init__(f"'{printable(bucket)}' is no bucket name; allowed are {allowed}")
        self.bucket = bucket


class InvalidKey(InvalidRequest):
    """HDFS cannot hold this key, and no name stands for it."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"the key '{printable(key)}' cannot be stored: {reason}")
        self.key = key


class KeyTooLong(InvalidRequest):
    """The key has more than 1,024 bytes, or one of its parts more than 255."""

    def __init__(self, key: str, size: int, limit: int) -> None:
        super().__init__(f"the key or a part of it has {size} bytes; at most {limit} are possible")
        self.key = key
        self.size = size
        self.limit = limit


class InvalidPart(InvalidRequest):
    """A part that was never uploaded, or whose ETag or checksum is another."""


class InvalidPartOrder(InvalidRequest):
    """Parts must be named in ascending order."""


class PartTooSmall(InvalidRequest):
    """A part other than the last has less than 5 MiB."""

    def __init__(self, number: int, etag: str, size: int, least: int) -> None:
        super().__init__(f"part {number} has {size} bytes; all but the last need {least}")
        self.number = number
        self.etag = etag
        self.size = size
        self.least = least


class InvalidTag(InvalidRequest):
    """A tag breaks S3's limits."""


class InvalidPolicyDocument(InvalidRequest):
    """A POST form's policy cannot be read."""


class MalformedDocument(InvalidRequest):
    """A body that should be XML (or JSON) of a known form is not."""


# --- who


class UnknownAccessKey(NotAuthenticated):
    """No active access key has this id."""


class WrongSignature(NotAuthenticated):
    """The signature is not that of this request; `string_to_sign` is what should be signed."""

    def __init__(self, message: str, *, canonical: str = "", string_to_sign: str = "") -> None:
        super().__init__(message)
        self.canonical = canonical
        self.string_to_sign = string_to_sign


class MalformedAuthorization(NotAuthenticated):
    """The signed header or query cannot be read, or its scope is not this service's."""


class MalformedQueryAuthorization(MalformedAuthorization):
    """The same of a presigned URL."""


class WrongRegion(MalformedAuthorization):
    """Signed for another region than `region`, which is the gateway's."""

    def __init__(self, message: str, region: str) -> None:
        super().__init__(message)
        self.region = region


class SigningRuleBroken(NotAuthenticated):
    """No readable date, headers that had to be signed, or a time that is yet to come."""


class ClockSkew(NotAuthenticated):
    """The request's time is more than 15 minutes from the gateway's."""


class ExpiredRequest(NotAuthenticated):
    """A presigned URL or a form's policy is over."""
