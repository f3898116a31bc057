"""What gunicorn runs to show which certificate the gateway knows of a client; for tests alone."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from app.web.client_certificate import client_certificate
from app.web.exchange import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def telling(form: str, *proxies: str) -> Callable[..., Iterable[bytes]]:
    """Return an application that answers the certificate of who asks, as JSON."""
    networks = tuple(ip_network(proxy) for proxy in proxies)

    def tell(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = client_certificate(begin(environ, networks), form)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(found and found._asdict()).encode()]

    return tell
