"""What surrounds the file APIs: health, readiness, metrics, the description, who am I."""

from __future__ import annotations

from app.admin.api import api

__all__ = ["api"]
