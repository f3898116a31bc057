"""PUT, POST and DELETE of /v1/daemon: what admins do to this gateway, and to its cache's disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore.call import empty
from app.aistore.node_settings import set_by_message, set_by_query
from app.aistore.operation import Operation
from app.core.cache_errors import CacheDisabled, MountpathUnchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

    from app.aistore.call import AIStoreCall
    from app.cache.read_cache import ReadCache

_NO_CONTENT = 204


def set_config(call: AIStoreCall) -> Response:
    """Change a setting of this gateway."""
    return set_by_message(call, everywhere=False)


def set_configs(call: AIStoreCall) -> Response:
    """Change settings of this gateway, given as parameters of the query."""
    return set_by_query(call, everywhere=False)


def shutdown(call: AIStoreCall) -> Response:
    """Have this gateway stop gracefully."""
    call.services.orders.stop()
    return empty()


def enable(call: AIStoreCall) -> Response:
    """Use a directory of the cache again; 204 if it is in use."""
    return _switched(_cache(call).enable, call)


def disable(call: AIStoreCall) -> Response:
    """Use a directory of the cache no longer for now; 204 if it is not in use."""
    return _switched(_cache(call).disable, call)


def add(call: AIStoreCall) -> Response:
    """Use another directory for the cache."""
    _cache(call).add(call.fields.required("value"))
    return empty()


def remove(call: AIStoreCall) -> Response:
    """Forget a directory of the cache."""
    _cache(call).remove(call.fields.required("value"))
    return empty()


def _switched(switch: Callable[[str], object], call: AIStoreCall) -> Response:
    """Switch a directory of the cache on or off; 204 if it was so already."""
    try:
        switch(call.fields.required("value"))
    except MountpathUnchanged:
        return empty(_NO_CONTENT)
    return empty()


def _cache(call: AIStoreCall) -> ReadCache:
    """Return the cache. Raises CacheDisabled."""
    if call.services.cache is None:
        raise CacheDisabled
    return call.services.cache


_MOUNTPATHS = ("daemon", "mountpaths")

OPERATIONS = (
    Operation("daemon.set-config", ("PUT",), ("daemon",), set_config, actions=("setconfig",),
              admin=True),
    Operation("daemon.set-configs", ("PUT",), ("daemon", "setconfig"), set_configs, admin=True),
    Operation("daemon.shutdown", ("PUT",), ("daemon",), shutdown, actions=("shutdown",),
              admin=True),
    Operation("daemon.enable-mountpath", ("POST",), _MOUNTPATHS, enable, actions=("enable",),
              admin=True),
    Operation("daemon.disable-mountpath", ("POST",), _MOUNTPATHS, disable, actions=("disable",),
              admin=True),
    Operation("daemon.add-mountpath", ("PUT",), _MOUNTPATHS, add, actions=("add",), admin=True),
    Operation("daemon.remove-mountpath", ("DELETE",), _MOUNTPATHS, remove, actions=("remove",),
              admin=True),
)
