"""The file API: /f/, the heart of the gateway."""

from __future__ import annotations

from app.files import attributes, content, names, reading  # noqa: F401 - they fill the api
from app.files.api import api

__all__ = ["api"]
