"""Errors as S3 tells them: status, code, AWS's message for it, the resource, the request's id.

The codes are those of the Amazon S3 API Reference, "Error responses". What only S3 has a word for
is raised as S3Error with that word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug import Response

from app.core import errors, limit_errors, object_errors
from app.s3.codes import CODES
from app.s3.xml import DECLARATION, UNREADABLE, XML_TYPE, element
from app.web.dialects import Dialect, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.errors import GatewayError
    from app.core.identity import Principal
    from app.s3.xml import Field
    from app.web.exchange import Exchange

PREFIX = "/api/v1/s3"


class S3Error(errors.GatewayError):
    """Something that S3 has a code for, one of CODES; `details` are further elements of the answer.

    Without a `message` it is AWS's own for this code.
    """

    def __init__(self, code: str, message: str = "", **details: str) -> None:
        super().__init__(message or CODES[code].message)
        self.code = code
        self.details = details


def invalid_argument(name: str, value: str, message: str) -> S3Error:
    """Return the error for a parameter or header whose value is not allowed."""
    return S3Error("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def _row(code: str) -> Row:
    return Row(CODES[code].status, code)


ROWS: dict[type[GatewayError], Row] = {cls: _row(code) for cls, code in {
    errors.GatewayError: "InternalError",
    errors.InvalidRequest: "InvalidRequest",
    errors.InvalidPath: "InvalidArgument",
    errors.InvalidParameter: "InvalidArgument",
    errors.InvalidParameters: "InvalidArgument",
    errors.IncompleteBody: "IncompleteBody",
    errors.DigestMismatch: "BadDigest",
    errors.LengthRequired: "MissingContentLength",
    errors.UnsupportedMedia: "InvalidRequest",
    errors.BodyTooLarge: "EntityTooLarge",
    errors.TooManyAttempts: "SlowDown",
    errors.AccessDenied: "AccessDenied",
    errors.QuotaExceeded: "QuotaExceeded",
    errors.NotFound: "NoSuchKey",
    errors.Conflict: "OperationAborted",
    errors.PreconditionFailed: "PreconditionFailed",
    errors.RangeNotSatisfiable: "InvalidRange",
    errors.RouteNotFound: "InvalidURI",
    errors.MethodNotAllowed: "MethodNotAllowed",
    errors.Unsupported: "NotImplemented",
    errors.UpstreamError: "ServiceUnavailable",
    errors.UpstreamFault: "InternalError",
    errors.StorageFault: "ServiceUnavailable",
    limit_errors.LimitReached: "ServiceUnavailable",
    limit_errors.UserLimitReached: "SlowDown",
    object_errors.NoSuchBucket: "NoSuchBucket",
    object_errors.NoSuchUpload: "NoSuchUpload",
    object_errors.BucketExists: "BucketAlreadyExists",
    object_errors.BucketNotEmpty: "BucketNotEmpty",
    object_errors.NameTaken: "NameTaken",
    object_errors.InvalidBucketName: "InvalidBucketName",
    object_errors.InvalidKey: "InvalidArgument",
    object_errors.KeyTooLong: "KeyTooLongError",
    object_errors.InvalidPart: "InvalidPart",
    object_errors.InvalidPartOrder: "InvalidPartOrder",
    object_errors.PartTooSmall: "EntityTooSmall",
    object_errors.InvalidTag: "InvalidTag",
    object_errors.InvalidPolicyDocument: "InvalidPolicyDocument",
    object_errors.MalformedDocument: "MalformedXML",
    object_errors.UnknownAccessKey: "InvalidAccessKeyId",
    object_errors.WrongSignature: "SignatureDoesNotMatch",
    object_errors.MalformedAuthorization: "AuthorizationHeaderMalformed",
    object_errors.MalformedQueryAuthorization: "AuthorizationQueryParametersError",
    object_errors.SigningRuleBroken: "AccessDenied",
    object_errors.MalformedQueryAuthorization: "AuthorizationQueryParametersError",
    object_errors.SigningRuleBroken: "AccessDenied",
    object_errors.ClockSkew: "RequestTimeTooSkewed",
    object_errors.ExpiredRequest: "AccessDenied",
}.items()} | {
    # Who sent a wrong password by Basic may be asked again; AWS knows no such callers.
    errors.NotAuthenticated: Row(401, "AccessDenied"),
}
_ATTRIBUTES = {"tags": "NoSuchTagSet", "cors": "NoSuchCORSConfiguration",
               "policy": "NoSuchBucketPolicy"}
_IN_AWS_WORDS = (
    object_errors.NoSuchBucket, object_errors.NoSuchKey, object_errors.NoSuchUpload,
    object_errors.BucketNotEmpty, object_errors.BucketExists, object_errors.UnknownAccessKey,
    object_errors.WrongSignature, object_errors.InvalidPartOrder, errors.RangeNotSatisfiable,
    errors.PreconditionFailed, errors.MethodNotAllowed, errors.PathNotFound,
)
"""Classes whose facts stand in elements of their own, so that the message can be AWS's."""


def _own_row(error: GatewayError) -> Row | None:
    """Return the row of an error that brings its code along."""
    if isinstance(error, S3Error):
        return _row(error.code)
    if isinstance(error, object_errors.NoSuchAttribute):
        return _row(_ATTRIBUTES.get(error.kind, "NoSuchKey"))
    return None


def _render(error: GatewayError, row: Row, exchange: Exchange) -> Response:
    fields: list[Field] = [("Code", row.code), ("Message", _message(error, row)),
                           *_details(error)]
    named = exchange.path or exchange.environ["PATH_INFO"].removeprefix(PREFIX)
    # A client that cannot parse the document learns nothing of what went wrong.
    resource = UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", named)
    fields += [("Resource", resource), ("RequestId", exchange.request_id),
               ("HostId", exchange.request_id)]
    return Response((DECLARATION + element("Error", fields)).encode(), row.status,
                    content_type=XML_TYPE)


def _message(error: GatewayError, row: Row) -> str:
    if isinstance(error, (*_IN_AWS_WORDS, object_errors.NoSuchAttribute)):
        return CODES[row.code].message
    return "; ".join(error.messages)


_DETAILS: dict[type[GatewayError], Callable[[Any], list[Field]]] = {
    S3Error: lambda error: list(error.details.items()),
    errors.PreconditionFailed: lambda error: [("Condition", error.header)],
    errors.RangeNotSatisfiable: lambda error: [("ActualObjectSize", error.length)],
    errors.MethodNotAllowed: lambda error: [("AllowedMethods", ", ".join(error.allowed))],
    errors.BodyTooLarge: lambda error: [("MaxSizeAllowed", error.limit)],
    object_errors.PartTooSmall: lambda error: [
        ("ProposedSize", error.size), ("MinSizeAllowed", error.least),
        ("PartNumber", error.number), ("ETag", error.etag)],
    object_errors.KeyTooLong: lambda error: [
        ("Size", error.size), ("MaxSizeAllowed", error.limit)],
    object_errors.InvalidBucketName: lambda error: [("BucketName", error.bucket)],
    # By this element clients find out where to ask again.
    object_errors.WrongRegion: lambda error: [("Region", error.region)],
    object_errors.WrongSignature: lambda error: [
        ("StringToSign", error.string_to_sign), ("CanonicalRequest", error.canonical)],
}
"""The elements that AWS has for the facts of some errors."""


def _details(error: GatewayError) -> list[Field]:
    return next((tell(error) for cls, tell in _DETAILS.items() if isinstance(error, cls)), [])


def code_and_message(error: GatewayError, principal: Principal | None) -> tuple[str, str]:
    """Return what is said of one error among the outcomes of a request."""
    if isinstance(error, errors.PathError) and principal:
        error.path = principal.visible(error.path)
    row = S3.row(error)
    return row.code, _message(error, row)


S3 = Dialect(rows=ROWS, render=_render, own_row=_own_row, schemes=("Basic",))
