"""httpfs-proxy: an authenticating HTTP gateway to the files of a Hadoop cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings

__version__ = "0.1.0"


def create_app(settings: Settings | None = None) -> Flask:
    """Return the WSGI application; `settings` default to the configuration file's.

    The factory is imported here and not above so that `import app.core` stays free of Flask.
    """
    from app.factory import build  # noqa: PLC0415

    return build(settings)
