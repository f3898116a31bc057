"""Operations about the gateway itself, and about the user who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug import Response

from app.core.errors import AccessDenied
from app.core.node_errors import NodeWithdrawn
from app.core.paths import ROOT
from app.fs.mount_health import answering
from app.web.answers import enveloped
from app.web.cache_metrics import CacheCollector
from app.web.envelope import JSON_TYPE, encode, success
from app.web.metrics import Metrics
from app.web.operations import Api, authenticate

if TYPE_CHECKING:
    from app.web.operations import Call, OpenCall

api = Api("admin", "")


@api.operation("GET", "/healthz", "Tell that the process serves.", open_to_all=True,
               result={"type": "object"})
def healthz(_call: OpenCall) -> Response:
    """Answer 200 as long as requests are served at all."""
    return Response(success({"process": "serving"}), content_type=JSON_TYPE)


@api.operation("GET", "/readyz", "Tell whether files can be served.", open_to_all=True,
               result={"type": "object"})
def readyz(call: OpenCall) -> Response:
    """Answer 200 if the backend and the state store answer within a bounded time, else 503.

    And 503 while an admin has taken this gateway out of service. Of what the configuration mounts
    it tells which clusters answer: one that does not keeps nobody from the others.
    """
    services = call.services
    if not services.nodes.in_service():
        raise NodeWithdrawn(services.node_id)
    services.staging.store.get("ready", "probe")
    services.backend.probe(services.settings.web.ready_timeout)
    result: dict[str, Any] = {"backend": "answers", "state": "answers"}
    if services.mounts.configured:
        states = answering(services.mounts, services.settings.web.ready_timeout)
        result["mounts"] = {path: "answers" if state else "does not answer"
                            for path, state in states.items()}
    return Response(success(result), content_type=JSON_TYPE)


@api.operation("GET", "/metrics", "Get the gateway's figures for Prometheus.", open_to_all=True,
               answers={200: "The figures."}, media="text/plain")
def metrics(call: OpenCall) -> Response:
    """Answer the figures of all workers to configured networks, and to admins."""
    if not call.exchange.origin.within(call.services.settings.web.metrics_from):
        principal = authenticate(call.services, call.exchange)
        if "admin" not in principal.roles:
            raise AccessDenied("/metrics", "it is for the networks in web.metrics_from, and for"
                                           " users with the role admin")
    cache = call.services.cache
    text, media = Metrics.exposition(*([CacheCollector(cache)] if cache else []))
    return Response(text, content_type=media)


@api.operation("GET", "/openapi.json", "Get this description.", open_to_all=True,
               answers={200: "OpenAPI 3.1."}, media="application/json")
def openapi(call: OpenCall) -> Response:
    """Answer the description of everything that is served."""
    return Response(encode(call.services.description), content_type="application/json")


@api.operation("GET", "/users/me", "Get what the gateway knows of the user who asks.",
               result={"type": "object", "properties": {"user": {"type": "object"}}})
def me(call: Call) -> Response:
    """Answer names, rights and home directory."""
    principal = call.principal
    user: dict[str, Any] = {
        "name": principal.name, "hadoopUser": principal.hadoop_user,
        "confined": principal.root != ROOT, "readOnly": principal.read_only,
        "roles": sorted(principal.roles), "home": call.files.home(),
    }
    return enveloped(call, {"user": user})
