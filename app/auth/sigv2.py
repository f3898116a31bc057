"""AWS Signature Version 2, for clients of its time (boto 2).

Source: Amazon S3 Developer Guide, "Signing and Authenticating REST Requests". HMAC-SHA1 over the
method, a few headers and the resource; neither the host nor most of the query is covered.
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import TYPE_CHECKING

from app.auth.s3_request import decoded_name, octets_of, wire_octets
from app.core.errors import InvalidParameter
from app.core.object_errors import SigningRuleBroken, WrongSignature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.auth.s3_request import SignedRequest

MAX_AUTHORIZATION = 1024
PARAMETERS = ("AWSAccessKeyId", "Signature", "Expires")
_HEADER = re.compile(r"AWS ([^\s:]{1,128}):(\S{1,128})")
_BLANKS = " \t"

SUB_RESOURCES = frozenset({
    "accelerate", "acl", "analytics", "compose", "cors", "defaultObjectAcl", "delete", "encryption",
    "encryptionConfig", "inventory", "legal-hold", "lifecycle", "location", "logging", "metrics",
    "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires", "restore",
    "retention", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId",
    "uploads", "versionId", "versioning", "versions", "website", "websiteConfig",
})
"""Parameters that are part of the resource: the Developer Guide's, and those that boto signs."""


def read_header(authorization: str) -> tuple[str, str]:
    """Return key id and signature of an Authorization header. Raises InvalidParameter."""
    match = _HEADER.fullmatch(authorization) if len(authorization) <= MAX_AUTHORIZATION else None
    if match is None:
        raise InvalidParameter("Authorization", "AWS …", "AWS <key id>:<signature>")
    return match[1], match[2]


def read_query(values: Mapping[str, str]) -> tuple[str, str, int]:
    """Return key id, signature and end in seconds of the epoch. Raises SigningRuleBroken."""
    if any(not values.get(name) for name in PARAMETERS):
        raise SigningRuleBroken(
            "query-string authentication requires the Signature, Expires and AWSAccessKeyId"
            " parameters")
    if not re.fullmatch("[0-9]{1,12}", values["Expires"]):
        raise SigningRuleBroken("Expires is a number of seconds since the epoch")
    return values["AWSAccessKeyId"], values["Signature"], int(values["Expires"])


def sign(secret: str, string_to_sign: bytes) -> str:
    """Return the signature in Base64."""
    return base64.b64encode(hmac.digest(secret.encode(), string_to_sign, "sha1")).decode()


def same(one: str, other: str) -> bool:
    """Compare signatures in a time that tells nothing about them."""
    return hmac.compare_digest(wire_octets(one), wire_octets(other))


def verify(request: SignedRequest, secret: str, signature: str, *, expires: str = "") -> None:
    """Raise WrongSignature; `expires` takes the date's place in presigned URLs."""
    first = b""
    for string_to_sign in _strings(request, expires):
        if same(sign(secret, string_to_sign), signature):
            return
        first = first or string_to_sign
    raise WrongSignature("the signature is not that of this request",
                         string_to_sign=first.decode("latin-1"))


def _strings(request: SignedRequest, expires: str) -> Iterator[bytes]:
    """Yield what a client may have signed, the likely spelling first."""
    headers = request.headers
    date = "" if "x-amz-date" in headers else headers.get("date", "")
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""),
             expires or date]
    lines += [f"{name}:{headers[name].strip(_BLANKS)}"
              for name in sorted(headers) if name.startswith("x-amz-")]
    start = wire_octets("\n".join(lines)) + b"\n"
    for path in _paths(request):
        for query in _queries(request.raw_query):
            yield start + wire_octets(path) + (b"?" + query if query else b"")


def _paths(request: SignedRequest) -> list[str]:
    """Return the resource, also as boto3 and boto 2 sign it.

    boto3 writes a slash behind a bucket alone. boto 2 signs a prefix of the path, too; where the
    bucket is in the host's name the path without it stands for another resource and is not taken.
    """
    paths = [request.resource]
    if request.raw_path != request.resource and request.raw_path.endswith(request.resource):
        paths.append(request.raw_path)
    if request.resource.count("/") == 1 and request.resource != "/":
        paths += [f"{path}/" for path in paths]
    return paths


def _queries(raw_query: str) -> Iterable[bytes]:
    """Return the sub-resources; some clients leave the "=" of an empty value out."""
    parts = sorted(_sub_resources(raw_query), key=lambda part: part[0])
    as_sent = b"&".join([name + rest for name, rest in parts])
    without = b"&".join([name + (b"" if rest == b"=" else rest) for name, rest in parts])
    return dict.fromkeys((as_sent, without))


def _sub_resources(raw_query: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield names, and values with their "=", both decoded: an encoded name names the same."""
    for pair in raw_query.split("&"):
        raw_name, equals, value = pair.partition("=")
        name = decoded_name(raw_name)
        if name in SUB_RESOURCES:
            yield name.encode(), b"=" + octets_of(value) if equals else b""
