"""What surrounds the file APIs: health, readiness, metrics, the description, who am I, tokens."""

from __future__ import annotations

from app.admin import tokens  # noqa: F401 - it fills the api
from app.admin.api import api

__all__ = ["api"]
