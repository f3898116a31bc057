"""PUT, POST and DELETE of /v1/cluster: what admins do to all gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore import rebalance
from app.aistore.call import as_text, empty
from app.aistore.node_settings import set_by_message, set_by_query
from app.aistore.operation import Operation

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall


def register(call: AIStoreCall) -> Response:
    """Return a gateway that is known to service; its id is all of the node that is read.

    A gateway that nobody heard of cannot be registered: it does that itself when it starts.
    """
    call.services.nodes.restore(call.fields.required("daemon_id"))
    return empty()


def unregister(call: AIStoreCall) -> Response:
    """Take a gateway out of service."""
    call.services.nodes.withdraw(call.names[0])
    return empty()


def set_primary(call: AIStoreCall) -> Response:
    """Make a gateway the primary one."""
    call.services.nodes.set_primary(call.names[0])
    return empty()


def shutdown(call: AIStoreCall) -> Response:
    """Have all gateways stop gracefully."""
    services = call.services
    services.orders.stop(services.nodes.all())
    return empty()


def start_rebalance(call: AIStoreCall) -> Response:
    """Start the cluster's balancer; the answer is the job's id."""
    return as_text(rebalance.start(call.services, call.principal).id)


def set_config(call: AIStoreCall) -> Response:
    """Change a setting of all gateways."""
    return set_by_message(call, everywhere=True)


def set_configs(call: AIStoreCall) -> Response:
    """Change settings of all gateways, given as parameters of the query."""
    return set_by_query(call, everywhere=True)


OPERATIONS = (
    Operation("cluster.register", ("POST",), ("cluster", "register"), register, json=True,
              admin=True),
    Operation("cluster.unregister", ("DELETE",), ("cluster", "daemon", "*id"), unregister,
              admin=True),
    Operation("cluster.set-primary", ("PUT",), ("cluster", "proxy", "*id"), set_primary,
              admin=True),
    Operation("cluster.set-config", ("PUT",), ("cluster",), set_config, actions=("setconfig",),
              admin=True),
    Operation("cluster.set-configs", ("PUT",), ("cluster", "setconfig"), set_configs, admin=True),
    Operation("cluster.shutdown", ("PUT",), ("cluster",), shutdown, actions=("shutdown",),
              admin=True),
    Operation("cluster.rebalance", ("PUT",), ("cluster",), start_rebalance,
              actions=("rebalance",), admin=True),
)
