"""Operations: declared once, then routed, authenticated, validated and described from that.

A module declares `api = Api("files", "/f", …)` and puts `@api.operation("GET", "/file/status",
…)` over each view. A view takes a `Call` and returns a werkzeug response; by then the caller is
known and every parameter is of its declared type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, request
from werkzeug.datastructures import EnvironHeaders

from app.auth.basic import claimed_name
from app.auth.ways import Evidence
from app.core.errors import GatewayError, InsecureTransport, NotAuthenticated
from app.web.body import RequestBody
from app.web.client_certificate import client_certificate
from app.web.exchange import current
from app.web.params import read_all
from app.web.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug import Response

    from app.core.identity import Principal
    from app.fs.translator import UserFileSystem
    from app.web.exchange import Exchange
    from app.web.params import Param
    from app.web.services import Services

_BROWSER = ("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_SEC_FETCH_SITE", "HTTP_ACCEPT_LANGUAGE")

T = TypeVar("T")
V = TypeVar("V", bound="Callable[..., Response]")
Endpoint = Callable[[dict[str, Any]], "Response"]
"""Serves one operation for a WSGI environment that `exchange.begin` has seen."""


@dataclass(slots=True)
class OpenCall:
    """One request to an operation that is open to all: nobody was asked who they are."""

    services: Services
    exchange: Exchange


@dataclass(slots=True)
class Call(OpenCall):
    """One authenticated, validated request: `call[PARAM]` is a parameter's value."""

    principal: Principal
    files: UserFileSystem
    values: Mapping[Param[Any], Any]

    def __getitem__(self, param: Param[T]) -> T:
        value: T = self.values[param]
        return value

    @property
    def headers(self) -> EnvironHeaders:
        """The request's headers."""
        return EnvironHeaders(self.exchange.environ)

    def body(self, *, wanted: bool = True) -> RequestBody:
        """Return the request's body, its headers checked if it is `wanted`.

        Raises InvalidRequest and kin.
        """
        web = self.services.settings.web
        body = RequestBody(self.exchange, max_bytes=web.max_body, timeout=web.body_timeout)
        if wanted:
            body.check()
        return body


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one URL, as it is served and as OpenAPI tells it.

    `result` describes the envelope's `result` in JSON Schema, or is None where the answer has no
    JSON; `answers` are the statuses beside the errors, with what they mean.
    """

    name: str
    method: str
    path: str
    summary: str
    params: Sequence[Param[Any]]
    view: Callable[[Any], Response]
    result: dict[str, Any] | None = None
    answers: Mapping[int, str] = field(default_factory=dict)
    media: str | None = None
    body: str | None = None
    open_to_all: bool = False


class Api:
    """The operations of one dialect under one URL prefix."""

    def __init__(self, name: str, prefix: str) -> None:
        self.name = name
        self.prefix = prefix
        self.operations: list[Operation] = []

    def operation(
        self, method: str, path: str, summary: str, *params: Param[Any], **described: Any,
    ) -> Callable[[V], V]:
        """Declare the decorated view as an operation; `described` are Operation's other fields."""

        def declare(view: V) -> V:
            self.operations.append(
                Operation(view.__name__, method, path, summary, params, view, **described))
            return view

        return declare

    def endpoints(self, services: Services) -> dict[tuple[str, str], Endpoint]:
        """Return what serves each method and URL over `services`."""
        return {(operation.method, f"{self.prefix}{operation.path}"):
                _endpoint(operation, services) for operation in self.operations}

    def blueprint(self, endpoints: Mapping[tuple[str, str], Endpoint]) -> Blueprint:
        """Return the blueprint that serves the operations by their `endpoints`."""
        blueprint = Blueprint(self.name, __name__, url_prefix=self.prefix or None)
        for operation in self.operations:
            endpoint = endpoints[operation.method, f"{self.prefix}{operation.path}"]
            blueprint.add_url_rule(
                operation.path, operation.name, _view(endpoint), methods=[operation.method],
                provide_automatic_options=False)
        return blueprint


def _view(endpoint: Endpoint) -> Callable[[], Response]:
    """Return the view function that Flask calls."""
    return lambda: endpoint(request.environ)


def _endpoint(operation: Operation, services: Services) -> Endpoint:
    def endpoint(environ: dict[str, Any]) -> Response:
        exchange = current(environ)
        exchange.operation = operation.name
        if operation.open_to_all:
            return operation.view(OpenCall(services, exchange))
        principal = authenticate(services, exchange)
        exchange.query = parse_query(environ["QUERY_STRING"])
        values = read_all(operation.params, exchange.query)
        files = services.files_of(principal)
        return operation.view(Call(services, exchange, principal, files, values))

    return endpoint


def authenticate(
    services: Services, exchange: Exchange, *, networks: bool = False,
) -> Principal:
    """Return who asks. Raises NotAuthenticated, TooManyAttempts, InsecureTransport.

    With `networks` who brings no credentials may be known by the address (`auth.networks`).
    """
    evidence = evidence_of(services, exchange)
    authorization = evidence.authorization
    if networks and authorization is None and evidence.certificate is None:
        principal = _by_network(services, exchange)
        if principal:
            exchange.auth = "network"
            exchange.principal = principal
            return principal
    if authorization:
        require_confidential(services, exchange)
    try:
        who = services.authenticator.identify(evidence)
    except GatewayError:
        exchange.claimed_user = claimed_name(authorization)
        raise
    exchange.auth = who.way
    exchange.principal = who.principal
    return who.principal


def evidence_of(services: Services, exchange: Exchange) -> Evidence:
    """Return what a request brings to prove who sent it."""
    settings = services.settings
    certificate = (client_certificate(exchange, settings.web.certificate_header)
                   if "certificate" in settings.auth.ways else None)
    return Evidence(
        exchange.environ.get("HTTP_AUTHORIZATION"), exchange.origin.address, certificate)


def require_confidential(services: Services, exchange: Exchange) -> None:
    """Raise InsecureTransport where credentials could have been read on their way."""
    if not (exchange.origin.confidential or services.settings.auth.allow_plain_http):
        raise InsecureTransport(
            "credentials are not taken over plain HTTP; use HTTPS (a proxy in front that ends"
            " TLS must be listed in web.trusted_proxies)")


def _by_network(services: Services, exchange: Exchange) -> Principal | None:
    """Return whom the client's address stands for.

    Not in a browser: any page on the web has it send requests without credentials from the
    reader's own network. Scripts cannot keep all of these headers back.
    """
    principal = services.networks.find(exchange.origin.client)
    if principal and any(name in exchange.environ for name in _BROWSER):
        raise NotAuthenticated("credentials are required: by their network (auth.networks) only"
                               " programs are known, and this request came from a browser")
    return principal
