"""GET /v1/health: whether the gateway serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.aistore.call import empty
from app.aistore.operation import Operation

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall


def health(_call: AIStoreCall) -> Response:
    """Answer 200 as long as requests are served at all."""
    return empty()


OPERATIONS = (
    Operation("health", ("GET", "HEAD"), ("health",), health, harmless=True, open_to_all=True),
)
