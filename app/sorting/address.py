"""Under which URL Spark reaches this gateway."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.core.sort_errors import SortFailed
from app.nodes.address import listening_url

if TYPE_CHECKING:
    from app.settings import Settings


def gateway_url(settings: Settings) -> str:
    """Return the URL: the one that is set, else on this host loopback, else the node's.

    Raises SortFailed where none of these is known.
    """
    if settings.sort.gateway_url:
        return settings.sort.gateway_url
    if settings.sort.master.startswith("local"):
        found = urlsplit(listening_url(tls=False, but_not=settings.s3.ports))
        if found.port:
            host = found.hostname or ""
            host = "127.0.0.1" if host == socket.gethostname().lower() else host
            return f"http://{f'[{host}]' if ':' in host else host}:{found.port}"
    url = settings.node.url or settings.web.public_url
    if not url:
        raise SortFailed("where Spark's workers reach this gateway is not known: the setting"
                         " sort.gateway_url tells it")
    return url
