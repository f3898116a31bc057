"""What AIStore says for an error, where its clients read the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import errors, node_errors, object_errors
from app.core.errors import printable
from app.core.paths import ROOT

if TYPE_CHECKING:
    from app.core.errors import GatewayError, PathError
    from app.web.exchange import Exchange

NODE = "httpfs_proxy.aistore.node"
"""Key of a WSGI environment: the id of the node that serves the request."""
ADMINS_ONLY = "it is for users with the role admin"
"""Detail of an AccessDenied to what concerns gateways, and so no path."""
_ON_OBJECTS = tuple(f"aistore.object.{name}" for name in (
    "get", "head", "rename", "delete", "evict"))


def message_of(error: GatewayError, exchange: Exchange) -> str:
    """Return AIStore's words for an error, else its own."""
    return (_about_bucket(error, exchange) or _about_gateway(error)
            or _about_the_rest(error, exchange))


def _about_bucket(error: GatewayError, exchange: Exchange) -> str:
    """Return what AIStore says of a bucket; "" where the error is about something else."""
    node = exchange.environ.get(NODE, "")
    if isinstance(error, object_errors.NoSuchBucket):
        return f"p[{node}]: bucket ais:/{_below_root(error, exchange)} does not exist"
    if isinstance(error, object_errors.BucketExists):
        return f"p[{node}]: bucket ais:/{_below_root(error, exchange)} already exists"
    if isinstance(error, object_errors.InvalidBucketName):
        return (f'bucket name "{printable(error.bucket)}" is invalid: may only contain letters,'
                " numbers, dashes (-), underscores (_), and dots (.)")
    return ""


def _about_gateway(error: GatewayError) -> str:
    """Return what is said of a gateway; "" where the error is about something else."""
    if isinstance(error, errors.AccessDenied) and error.detail == ADMINS_ONLY:
        return f"permission denied: {ADMINS_ONLY}"
    if isinstance(error, node_errors.NoSuchNode):
        return f"Unknown node {printable(error.node_id)}"
    if isinstance(error, node_errors.NotElectable):
        return f"New primary proxy {printable(error.node_id)} {error.reason}"
    return ""


def _about_the_rest(error: GatewayError, exchange: Exchange) -> str:
    if isinstance(error, object_errors.NoSuchKey) and exchange.operation in _ON_OBJECTS:
        return f"{printable(exchange.path[1:])} {error.detail or 'does not exist'}"
    if isinstance(error, errors.RouteNotFound):
        return "invalid request"
    if isinstance(error, errors.MethodNotAllowed):
        kind = exchange.environ["PATH_INFO"].strip("/").split("/")[1:2]
        return f"invalid method for /{kind[0] if kind else ''} path"
    return "; ".join(error.messages)


def _below_root(error: PathError, exchange: Exchange) -> str:
    """Return `/` and the bucket's name: its path, without that of the user's buckets."""
    who = exchange.principal
    root = who.visible(who.bucket_root) if who else ROOT
    return error.path if root == ROOT else error.path.removeprefix(root)
