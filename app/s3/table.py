"""Every operation of S3 in one table: how a request is told to be this one, and what serves it.

An operation is served by a view, a function from S3Call to an answer; one without a view is
answered 501 NotImplemented, never by another operation's 200. Names and forms are those of the
Amazon S3 API Reference, "Actions".
"""

from __future__ import annotations

from collections.abc import Callable, Container
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from app.s3 import (
    acl,
    attributes,
    buckets,
    copying,
    cors,
    deleting,
    listing,
    multipart,
    posting,
    reading,
    tagging,
    uploads,
    writing,
)
from app.s3.configured import absent, removed, unset

if TYPE_CHECKING:
    from werkzeug import Response

    from app.s3.call import S3Call
    from app.web.query import Query

View = Callable[["S3Call"], "Response"]


class Level(Enum):
    """What the URL names."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


class Operation(NamedTuple):
    """One operation.

    A request is this operation when method and level are the same, its query has all `keys` (a
    key with a value: `list-type=2`) and it has the `header`; the first such row counts.
    `public` ones are open to all where the bucket is; `admits` ones see to the caller themselves.
    """

    name: str
    method: str
    level: Level
    keys: tuple[str, ...] = ()
    view: View | None = None
    header: str = ""
    public: bool = False
    admits: bool = False

    def fits(self, query: Query, headers: Container[str]) -> bool:
        """Tell whether a request of this method and level is this operation."""
        return all(_has(query, key) for key in self.keys) and (
            not self.header or self.header in headers)


def _has(query: Query, key: str) -> bool:
    name, valued, value = key.partition("=")
    return name in query and (not valued or query[name][0] == value)


_SERVICE = Level.SERVICE
_BUCKET = Level.BUCKET
_OBJECT = Level.OBJECT

OPERATIONS: tuple[Operation, ...] = (
    # --- the service
    Operation("ListDirectoryBuckets", "GET", _SERVICE, ("x-id=ListDirectoryBuckets",)),
    Operation("ListBuckets", "GET", _SERVICE, (), buckets.list_buckets),
    Operation("WriteGetObjectResponse", "POST", _SERVICE, (), None, "x-amz-request-route"),
    # --- buckets: what is configured
    Operation("GetBucketLocation", "GET", _BUCKET, ("location",), buckets.get_bucket_location),
    Operation("GetBucketVersioning", "GET", _BUCKET, ("versioning",),
              unset("VersioningConfiguration")),
    Operation("PutBucketVersioning", "PUT", _BUCKET, ("versioning",)),
    Operation("GetBucketTagging", "GET", _BUCKET, ("tagging",), tagging.get_bucket_tagging),
    Operation("PutBucketTagging", "PUT", _BUCKET, ("tagging",), tagging.put_bucket_tagging),
    Operation("DeleteBucketTagging", "DELETE", _BUCKET, ("tagging",),
              tagging.delete_bucket_tagging),
    Operation("GetBucketCors", "GET", _BUCKET, ("cors",), cors.get_bucket_cors),
    Operation("PutBucketCors", "PUT", _BUCKET, ("cors",), cors.put_bucket_cors),
    Operation("DeleteBucketCors", "DELETE", _BUCKET, ("cors",), cors.delete_bucket_cors),
    Operation("GetBucketAcl", "GET", _BUCKET, ("acl",), acl.get_bucket_acl),
    Operation("PutBucketAcl", "PUT", _BUCKET, ("acl",), acl.put_bucket_acl),
    Operation("GetBucketPolicy", "GET", _BUCKET, ("policy",), absent("NoSuchBucketPolicy")),
    Operation("PutBucketPolicy", "PUT", _BUCKET, ("policy",)),
    Operation("DeleteBucketPolicy", "DELETE", _BUCKET, ("policy",), removed),
    Operation("GetBucketPolicyStatus", "GET", _BUCKET, ("policyStatus",),
              absent("NoSuchBucketPolicy")),
    Operation("GetBucketLifecycleConfiguration", "GET", _BUCKET, ("lifecycle",),
              absent("NoSuchLifecycleConfiguration")),
    Operation("PutBucketLifecycleConfiguration", "PUT", _BUCKET, ("lifecycle",)),
    Operation("DeleteBucketLifecycle", "DELETE", _BUCKET, ("lifecycle",), removed),
    Operation("GetBucketEncryption", "GET", _BUCKET, ("encryption",),
              absent("ServerSideEncryptionConfigurationNotFoundError")),
    Operation("PutBucketEncryption", "PUT", _BUCKET, ("encryption",)),
    Operation("DeleteBucketEncryption", "DELETE", _BUCKET, ("encryption",), removed),
    Operation("GetPublicAccessBlock", "GET", _BUCKET, ("publicAccessBlock",),
              absent("NoSuchPublicAccessBlockConfiguration")),
    Operation("PutPublicAccessBlock", "PUT", _BUCKET, ("publicAccessBlock",)),
    Operation("DeletePublicAccessBlock", "DELETE", _BUCKET, ("publicAccessBlock",), removed),
    Operation("GetBucketOwnershipControls", "GET", _BUCKET, ("ownershipControls",),
              absent("OwnershipControlsNotFoundError")),
    Operation("PutBucketOwnershipControls", "PUT", _BUCKET, ("ownershipControls",)),
    Operation("DeleteBucketOwnershipControls", "DELETE", _BUCKET, ("ownershipControls",), removed),
    Operation("GetObjectLockConfiguration", "GET", _BUCKET, ("object-lock",),
              absent("ObjectLockConfigurationNotFoundError")),
    Operation("PutObjectLockConfiguration", "PUT", _BUCKET, ("object-lock",)),
    Operation("GetBucketWebsite", "GET", _BUCKET, ("website",),
              absent("NoSuchWebsiteConfiguration")),
    Operation("PutBucketWebsite", "PUT", _BUCKET, ("website",)),
    Operation("DeleteBucketWebsite", "DELETE", _BUCKET, ("website",), removed),
    Operation("GetBucketReplication", "GET", _BUCKET, ("replication",),
              absent("ReplicationConfigurationNotFoundError")),
    Operation("PutBucketReplication", "PUT", _BUCKET, ("replication",)),
    Operation("DeleteBucketReplication", "DELETE", _BUCKET, ("replication",), removed),
    Operation("GetBucketLogging", "GET", _BUCKET, ("logging",), unset("BucketLoggingStatus")),
    Operation("PutBucketLogging", "PUT", _BUCKET, ("logging",)),
    Operation("GetBucketNotificationConfiguration", "GET", _BUCKET, ("notification",),
              unset("NotificationConfiguration")),
    Operation("PutBucketNotificationConfiguration", "PUT", _BUCKET, ("notification",)),
    Operation("GetBucketRequestPayment", "GET", _BUCKET, ("requestPayment",),
              unset("RequestPaymentConfiguration", ("Payer", "BucketOwner"))),
    Operation("PutBucketRequestPayment", "PUT", _BUCKET, ("requestPayment",)),
    Operation("GetBucketAccelerateConfiguration", "GET", _BUCKET, ("accelerate",),
              unset("AccelerateConfiguration")),
    Operation("PutBucketAccelerateConfiguration", "PUT", _BUCKET, ("accelerate",)),
    *(Operation(f"{verb}Bucket{name}", method, _BUCKET, (key,))
      for key, name in (
          ("analytics", "AnalyticsConfiguration"), ("inventory", "InventoryConfiguration"),
          ("intelligent-tiering", "IntelligentTieringConfiguration"),
          ("metrics", "MetricsConfiguration"), ("metadataTable", "MetadataTableConfiguration"),
          ("metadataConfiguration", "MetadataConfiguration"), ("abac", "Abac"))
      for verb, method in (("Get", "GET"), ("Put", "PUT"), ("Delete", "DELETE"),
                           ("Create", "POST"))),
    Operation("CreateSession", "GET", _BUCKET, ("session",)),
    # --- buckets: what is in them
    Operation("ListMultipartUploads", "GET", _BUCKET, ("uploads",),
              uploads.list_multipart_uploads),
    Operation("ListObjectVersions", "GET", _BUCKET, ("versions",),
              listing.list_object_versions, public=True),
    Operation("ListObjectsV2", "GET", _BUCKET, ("list-type=2",),
              listing.list_objects_v2, public=True),
    Operation("ListObjects", "GET", _BUCKET, (), listing.list_objects, public=True),
    Operation("DeleteObjects", "POST", _BUCKET, ("delete",), deleting.delete_objects),
    Operation("PostObject", "POST", _BUCKET, (), posting.post_object, admits=True),
    Operation("HeadBucket", "HEAD", _BUCKET, (), buckets.head_bucket, public=True),
    Operation("CreateBucket", "PUT", _BUCKET, (), buckets.create_bucket),
    Operation("DeleteBucket", "DELETE", _BUCKET, (), buckets.delete_bucket),
    Operation("PreflightBucket", "OPTIONS", _BUCKET, (), cors.preflight, admits=True),
    # --- objects
    Operation("GetObjectTagging", "GET", _OBJECT, ("tagging",),
              tagging.get_object_tagging, public=True),
    Operation("PutObjectTagging", "PUT", _OBJECT, ("tagging",), tagging.put_object_tagging),
    Operation("DeleteObjectTagging", "DELETE", _OBJECT, ("tagging",),
              tagging.delete_object_tagging),
    Operation("GetObjectAcl", "GET", _OBJECT, ("acl",), acl.get_object_acl),
    Operation("PutObjectAcl", "PUT", _OBJECT, ("acl",), acl.put_object_acl),
    Operation("GetObjectAttributes", "GET", _OBJECT, ("attributes",),
              attributes.get_object_attributes, public=True),
    Operation("GetObjectLegalHold", "GET", _OBJECT, ("legal-hold",),
              absent("NoSuchObjectLockConfiguration")),
    Operation("PutObjectLegalHold", "PUT", _OBJECT, ("legal-hold",)),
    Operation("GetObjectRetention", "GET", _OBJECT, ("retention",),
              absent("NoSuchObjectLockConfiguration")),
    Operation("PutObjectRetention", "PUT", _OBJECT, ("retention",)),
    Operation("GetObjectTorrent", "GET", _OBJECT, ("torrent",)),
    Operation("RestoreObject", "POST", _OBJECT, ("restore",)),
    Operation("SelectObjectContent", "POST", _OBJECT, ("select",)),
    Operation("RenameObject", "PUT", _OBJECT, ("renameObject",)),
    Operation("UpdateObjectEncryption", "PUT", _OBJECT, ("encryption",)),
    Operation("ListParts", "GET", _OBJECT, ("uploadId",), uploads.list_parts),
    Operation("CreateMultipartUpload", "POST", _OBJECT, ("uploads",),
              multipart.create_multipart_upload),
    Operation("CompleteMultipartUpload", "POST", _OBJECT, ("uploadId",),
              multipart.complete_multipart_upload),
    Operation("AbortMultipartUpload", "DELETE", _OBJECT, ("uploadId",),
              multipart.abort_multipart_upload),
    Operation("UploadPartCopy", "PUT", _OBJECT, ("uploadId",), multipart.upload_part_copy,
              copying.SOURCE),
    Operation("UploadPart", "PUT", _OBJECT, ("uploadId",), multipart.upload_part),
    Operation("CopyObject", "PUT", _OBJECT, (), copying.copy_object, copying.SOURCE),
    Operation("GetObject", "GET", _OBJECT, (), reading.get_object, public=True),
    Operation("HeadObject", "HEAD", _OBJECT, (), reading.head_object, public=True),
    Operation("PutObject", "PUT", _OBJECT, (), writing.put_object),
    Operation("DeleteObject", "DELETE", _OBJECT, (), deleting.delete_object),
    Operation("PreflightObject", "OPTIONS", _OBJECT, (), cors.preflight, admits=True),
)


def find(
    method: str, level: Level, query: Query, headers: Container[str],
) -> Operation | None:
    """Return the operation of a request; None: S3 has no such method at this level.

    `headers` are names in lower case.
    """
    rows, keys, plain = _BY_PLACE.get((method, level), _NOWHERE)
    if keys.isdisjoint(query):
        rows = plain
    return next((row for row in rows if row.fits(query, headers)), None)


def methods(level: Level) -> list[str]:
    """Return the methods that S3 has at a level."""
    return sorted({row.method for row in OPERATIONS if row.level is level})


class _Place(NamedTuple):
    """The operations of a method at a level, the keys that tell them apart, those without any."""

    rows: list[Operation]
    keys: frozenset[str]
    plain: list[Operation]


def _place_of(rows: list[Operation]) -> _Place:
    return _Place(rows, frozenset(key.partition("=")[0] for row in rows for key in row.keys),
                  [row for row in rows if not row.keys])


_NOWHERE = _place_of([])
_BY_PLACE = {place: _place_of([row for row in OPERATIONS if (row.method, row.level) == place])
             for place in dict.fromkeys((row.method, row.level) for row in OPERATIONS)}
