"""set-config: settings that change at run time, of all gateways or of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore.call import empty
from app.core.errors import MissingParameter

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall


def set_by_message(call: AIStoreCall, *, everywhere: bool) -> Response:
    """Change the setting `name` to `value`."""
    fields = call.fields
    call.services.runtime.change(
        {fields.required("name"): fields.required("value")}, everywhere=everywhere)
    return empty()


def set_by_query(call: AIStoreCall, *, everywhere: bool) -> Response:
    """Change each setting that is a parameter of the query, all or none."""
    if not call.query:
        raise MissingParameter("a setting's name", "a parameter like stats_time=10s")
    call.services.runtime.change(
        {name: values[0] for name, values in call.query.items()}, everywhere=everywhere)
    return empty()
