"""Whether files can be served, told in the log when a worker starts and not at the first call."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.core.errors import UpstreamError

if TYPE_CHECKING:
    from app.fs.port import Backend

_log = logging.getLogger(__name__)


def look_in_background(backend: Backend, timeout: float) -> None:
    """Ask the backend as /readyz does, within `timeout` seconds, and log what is wrong."""
    threading.Thread(target=_look, args=(backend, timeout), daemon=True,
                     name="httpfs-proxy-first-look").start()


def _look(backend: Backend, timeout: float) -> None:
    try:
        backend.probe(timeout)
    except UpstreamError as error:
        _log.error("files cannot be served yet: %s", error)
