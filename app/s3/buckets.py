"""Operations on buckets themselves: list, make, look at, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.s3 import acl, documents, tagging
from app.s3.errors import S3Error, invalid_argument
from app.s3.times import iso_time
from app.s3.xml import answer, empty, parse
from app.web import preflights

if TYPE_CHECKING:
    from werkzeug import Response

    from app.core.objects import Bucket
    from app.s3.call import S3Call
    from app.s3.xml import Field

DEFAULT_REGION = "us-east-1"
"""The region that AWS writes as nothing."""
MAX_BUCKETS = 10_000
_DIGITS = 9


def list_buckets(call: S3Call) -> Response:
    """Answer the caller's buckets in name order; `max-buckets` at a time where that is asked."""
    prefix, after = call.param("prefix"), call.param("continuation-token")
    limit = _max_buckets(call)
    found: list[Bucket] = []
    more = False
    for bucket in call.objects.buckets():
        if bucket.name > after and bucket.name.startswith(prefix):
            more = len(found) == limit
            if more:
                break
            found.append(bucket)
    fields: list[Field] = [
        ("Owner", [("ID", call.owner), ("DisplayName", call.owner)]),
        ("Buckets", [("Bucket", [
            ("Name", bucket.name),
            ("CreationDate", iso_time(bucket.status.modification_time)),
        ]) for bucket in found]),
    ]
    if more:
        fields.append(("ContinuationToken", found[-1].name))
    if "prefix" in call.query:
        fields.append(("Prefix", prefix))
    return answer("ListAllMyBucketsResult", fields)


def _max_buckets(call: S3Call) -> int:
    text = call.param("max-buckets")
    if not text:
        return MAX_BUCKETS
    if not text.isdecimal() or len(text) > _DIGITS or not 1 <= int(text) <= MAX_BUCKETS:
        raise invalid_argument("max-buckets", text, f"Argument max-buckets must be an integer"
                                                    f" between 1 and {MAX_BUCKETS}")
    return int(text)


def create_bucket(call: S3Call) -> Response:
    """Make a bucket; one's own that is there already is as good (200, as in us-east-1).

    Tags that are asked for are set in either case: who was cut off in between asks again.
    """
    acl.check_canned(call.headers)
    for header in ("x-amz-bucket-object-lock-enabled", "x-amz-bucket-namespace"):
        if call.headers.get(header, "false").lower() not in ("false", "global"):
            raise S3Error("NotImplemented", f"{header} is not implemented here")
    if call.headers.get("x-amz-object-ownership", acl.OWNERSHIP) != acl.OWNERSHIP:
        raise S3Error("NotImplemented", f"the object ownership is always {acl.OWNERSHIP}")
    tags = _configured(call)
    call.objects.create_bucket(call.bucket)
    if tags:
        tagging.set_bucket_tags(call, tags)
    response = empty()
    response.headers["Location"] = f"/{call.bucket}"
    return response


def _configured(call: S3Call) -> dict[str, str]:
    """Return the tags that a new bucket is to have.

    Refuses one that is to lie in another region than this gateway's. Raises InvalidTag.
    """
    data = documents.read_bytes(call)
    if not data:
        return {}
    tree = parse(data, "CreateBucketConfiguration")
    asked = tree.findtext("LocationConstraint") or ""
    region = call.services.settings.s3.region
    if asked not in ("", region):
        raise S3Error("InvalidLocationConstraint", LocationConstraint=asked)
    tags = tree.find("Tags")
    return {} if tags is None else tagging.tags_of(tags, tagging.MAX_BUCKET_TAGS)


def head_bucket(call: S3Call) -> Response:
    """Tell that the bucket is there."""
    call.objects.bucket(call.bucket)
    return empty(200, {"x-amz-bucket-region": call.services.settings.s3.region})


def delete_bucket(call: S3Call) -> Response:
    """Remove an empty bucket."""
    call.objects.delete_bucket(call.bucket)
    preflights.removed(call.services.store, call.objects, call.bucket)
    return empty(204)


def get_bucket_location(call: S3Call) -> Response:
    """Answer the region; nothing for us-east-1, as AWS does."""
    call.objects.bucket(call.bucket)
    region = call.services.settings.s3.region
    return answer("LocationConstraint", "" if region == DEFAULT_REGION else region)
