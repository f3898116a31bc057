"""What the gateway tells of itself: its version, and of its configuration what one may know."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from app.settings import sections
from app.streams.errors import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings
    from app.streams.call import AlluxioCall

_FOR_ALL = ("files.", "streams.", "web.max_body", "web.body_timeout")
"""The settings that tell callers what they may send, and nothing of the host."""
_CREDENTIALS = re.compile(r"((?<=://)[^/?#]*(?=@)|(?<=password=)[^&]*)", re.IGNORECASE)


def info(call: AlluxioCall) -> Response:
    """Answer version and configuration; admins are told all of it but passwords."""
    everything = "admin" in call.principal.roles
    configuration = {name: value for name, value in _settings(call.services.settings)
                     if everything or name.startswith(_FOR_ALL)}
    text = json.dumps({"version": call.services.description["info"]["version"],
                       "configuration": configuration},
                      separators=(",", ":"))
    return Response(text, content_type=JSON_TYPE)


def _settings(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values, in the order of their declarations."""
    for prefix, section in sections().items():
        holder = getattr(settings, prefix) if prefix else settings
        for declared in fields(section):
            if "kind" in declared.metadata:
                name = f"{prefix}.{declared.name}" if prefix else declared.name
                yield name, plain(getattr(holder, declared.name))


def plain(value: Any) -> Any:
    """Return a value as JSON has it, without the credentials that a URL may hold."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return _CREDENTIALS.sub("***", str(value))
