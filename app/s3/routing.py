"""From a WSGI environment to a view: whose request, which operation, may they, what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.auth.basic import claimed_name
from app.auth.s3 import Caller, SignedRequest
from app.core.errors import GatewayError, MethodNotAllowed
from app.s3 import cors, table
from app.s3.call import S3Call
from app.s3.errors import S3Error
from app.s3.incoming import headers_of
from app.s3.target import target_of
from app.web.exchange import current
from app.web.operations import evidence_of
from app.web.query import parse_query
from app.web.underscored import underscored

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from werkzeug import Response

    from app.core.identity import Principal
    from app.s3.table import Operation
    from app.s3.target import Target
    from app.web.dialects import ErrorHandler
    from app.web.exchange import Exchange
    from app.web.services import Services

_AMBIENT = ("basic", "certificate")
"""What a browser sends along, whatever page it is that asks."""
_OWNER = "x-amz-expected-bucket-owner"


class S3:
    """Serves every request under the prefix; `handle` answers what goes wrong."""

    def __init__(self, services: Services, handle: ErrorHandler) -> None:
        self._services = services
        self._handle = handle
        self._public = dict(one.split("=", 1) for one in services.settings.s3.public)

    def __call__(self, environ: dict[str, Any]) -> Response:
        """Answer one request that `exchange.begin` has seen."""
        exchange = current(environ)
        call: S3Call | None = None
        try:
            target = target_of(environ)
            call = self._call(exchange, target)
            response = self._served(call, target)
        except Exception as error:  # noqa: BLE001 - the handler knows what to do with each
            response = self._handle(error, environ)
        if call and call.caller.principal and "HTTP_ORIGIN" in environ:
            cors.decorate(call, response)
        response.headers["x-amz-request-id"] = exchange.request_id
        return response

    def _call(self, exchange: Exchange, target: Target) -> S3Call:
        exchange.path = f"/{target.bucket}/{target.key}" if target.bucket else "/"
        query = exchange.query = parse_query(exchange.environ["QUERY_STRING"])
        nobody = Caller(None, "anonymous", "", None)
        return S3Call(self._services, exchange, nobody, target.bucket, target.key, query,
                      rooted=target.rooted)

    def _served(self, call: S3Call, target: Target) -> Response:
        method, level = call.exchange.method, target.level
        operation = table.find(method, level, call.query, _header_names(call))
        if operation is None:
            raise MethodNotAllowed(method, table.methods(level))
        call.exchange.operation = operation.name
        if not operation.admits:
            self._admit(call, target, operation)
        if operation.view is None:
            raise S3Error("NotImplemented", f"{operation.name} is not implemented here")
        self._check_owner(call)
        if call.caller.scheme in _AMBIENT and "HTTP_ORIGIN" in call.exchange.environ:
            cors.check_page(call)
        return operation.view(call)

    def _admit(self, call: S3Call, target: Target, operation: Operation) -> None:
        """Find out who asks, and whether an anonymous caller may."""
        exchange = call.exchange
        try:
            caller = self._services.s3.authenticate(signed_request(
                exchange, target, call.headers,
                allow_plain_http=self._services.settings.auth.allow_plain_http,
            )._replace(certificate=evidence_of(self._services, exchange).certificate))
        except GatewayError:
            exchange.claimed_user = claimed_name(exchange.environ.get("HTTP_AUTHORIZATION"))
            raise
        exchange.auth = caller.way or caller.scheme
        exchange.principal = caller.principal
        call.caller = caller
        call.plain = not target.rooted and not caller.signed
        if call.caller.principal is None:
            principal = self._public_reader(call.bucket) if operation.public else None
            if principal is None:
                raise S3Error("AccessDenied")
            call.act_as(principal)

    def _public_reader(self, bucket: str) -> Principal | None:
        """Return whom an anonymous caller reads this bucket as; None where it is not open."""
        user = self._services.users.find(self._public.get(bucket, ""))
        if user is None or not user.active:
            return None
        return replace(user.principal, name="anonymous", read_only=True, roles=frozenset())

    @staticmethod
    def _check_owner(call: S3Call) -> None:
        expected = call.headers.get(_OWNER)
        if call.caller.scheme == "v4-query":
            expected = headers_of(call).get(_OWNER)
        if expected and call.bucket and call.objects.bucket(call.bucket).status.owner != expected:
            raise S3Error("AccessDenied")


def _header_names(call: S3Call) -> Container[str]:
    """Return the names of the headers, and of what a presigned URL says instead of headers.

    A copy whose source stands in the URL must not pass for a PUT of its empty body.
    """
    if "X-Amz-Signature" not in call.query:
        return call.headers
    return {*call.headers, *map(str.lower, call.query)}


def signed_request(
    exchange: Exchange, target: Target, headers: Mapping[str, str], *, allow_plain_http: bool,
) -> SignedRequest:
    """Return what a signature covers of a request."""
    environ, origin = exchange.environ, exchange.origin
    covered = {**headers, **underscored(environ), "host": origin.authority}
    return SignedRequest(
        exchange.method, target.raw_path, environ["QUERY_STRING"], covered, origin.authority,
        origin.address, origin.confidential or allow_plain_http, target.resource)
