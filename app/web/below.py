"""Routes of a dialect to which everything below a prefix belongs, whatever the path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, request
from werkzeug.routing import BaseConverter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug import Response

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH")


class _Raw(BaseConverter):
    """The rest of a path, whatever it is."""

    regex = ".*?"
    part_isolating = False


def register_below(
    app: Flask, name: str, prefix: str, serve: Callable[[dict[str, Any]], Response],
) -> None:
    """Give Flask the routes of the dialect `name`, for whoever asks it what is served where."""
    app.url_map.converters["raw"] = _Raw
    blueprint = Blueprint(name, __name__, url_prefix=prefix)

    def view(**_: str) -> Response:
        return serve(request.environ)

    for rule in ("", "/<raw:rest>"):
        blueprint.add_url_rule(rule, f"{name}{len(rule)}", view, methods=METHODS,
                               provide_automatic_options=False)
    app.register_blueprint(blueprint)
