"""Access control lists: HDFS's permissions decide, so there is one list, and no other can be set.

What S3 calls the ownership BucketOwnerEnforced: the owner has full control, requests that say so
are accepted, all others are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.s3 import documents
from app.s3.errors import S3Error, invalid_argument
from app.s3.xml import answer, empty, parse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from werkzeug import Response

    from app.s3.call import S3Call
    from app.s3.conditions import Named
    from app.s3.xml import Field

OWNERSHIP = "BucketOwnerEnforced"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
FULL_CONTROL = "FULL_CONTROL"
ACCEPTED = ("private", "bucket-owner-full-control")
CANNED = (*ACCEPTED, "public-read", "public-read-write", "authenticated-read",
          "aws-exec-read", "bucket-owner-read", "log-delivery-write")
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_GRANTS = ("x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp",
           "x-amz-grant-write", "x-amz-grant-write-acp")


def check_canned(headers: Named) -> None:
    """Raise S3Error unless the headers of a write ask for no other access than the owner's."""
    canned = headers.get("x-amz-acl", ACCEPTED[0])
    if canned not in CANNED:
        raise invalid_argument("x-amz-acl", canned, "")
    if canned not in ACCEPTED or any(name in headers for name in _GRANTS):
        raise S3Error("AccessControlListNotSupported")


def get_bucket_acl(call: S3Call) -> Response:
    """Answer the owner's full control, and everybody's reading where the gateway opens it."""
    owner = call.objects.bucket(call.bucket).status.owner
    opened = any(one.partition("=")[0] == call.bucket for one in call.services.settings.s3.public)
    return _list(owner, public=opened)


def get_object_acl(call: S3Call) -> Response:
    """Answer the owner's full control."""
    call.check_version()
    return _list(call.objects.info(call.bucket, call.key).status.owner)


def put_bucket_acl(call: S3Call) -> Response:
    """Accept what is so anyway; refuse all else."""
    return _put(call, call.objects.bucket(call.bucket).status.owner)


def put_object_acl(call: S3Call) -> Response:
    """Accept what is so anyway; refuse all else."""
    call.check_version()
    return _put(call, call.objects.info(call.bucket, call.key).status.owner)


def _list(owner: str, *, public: bool = False) -> Response:
    grants: list[Field] = [_grant("CanonicalUser", [("ID", owner), ("DisplayName", owner)],
                                  FULL_CONTROL)]
    if public:
        grants.append(_grant("Group", [("URI", ALL_USERS)], "READ"))
    return answer("AccessControlPolicy", [
        ("Owner", [("ID", owner), ("DisplayName", owner)]), ("AccessControlList", grants)])


def _grant(kind: str, grantee: list[Field], permission: str) -> Field:
    return ("Grant", [(f'Grantee xmlns:xsi="{_SCHEMA}" xsi:type="{kind}"', grantee),
                      ("Permission", permission)])


def _put(call: S3Call, owner: str) -> Response:
    check_canned(call.headers)
    data = documents.read_bytes(call)
    if data:
        _check_list(parse(data, "AccessControlPolicy"), owner)
    elif "x-amz-acl" not in call.headers:
        raise S3Error("MissingRequestBodyError")
    return empty()


def _check_list(policy: Element, owner: str) -> None:
    """Refuse a list that is not the owner's full control alone."""
    grants = policy.findall("AccessControlList/Grant")
    said = [(grant.findtext("Grantee/ID"), grant.findtext("Permission")) for grant in grants]
    if said != [(owner, FULL_CONTROL)] or policy.findtext("Owner/ID", owner) != owner:
        raise S3Error("AccessControlListNotSupported")
