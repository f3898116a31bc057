"""Pages in a browser: what one of another origin may not have its reader's browser do.

A browser sends a password that it remembers with whatever any page asks for, and asks nobody
before a POST without a body. Dialects whose clients are programs refuse such changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import AccessDenied

if TYPE_CHECKING:
    from app.web.exchange import Exchange


def refuse_other_origins(exchange: Exchange, public_url: str) -> None:
    """Raise AccessDenied for a change that a page of another origin asks for.

    `public_url` is the gateway's own base URL where it is configured, else "".
    """
    origin = exchange.environ.get("HTTP_ORIGIN")
    own = origin is None or origin.partition("://")[2] == exchange.origin.authority or bool(
        public_url and f"{public_url}/".startswith(f"{origin}/"))
    site = exchange.environ.get("HTTP_SEC_FETCH_SITE", "none")
    if not own or (origin is None and site not in ("none", "same-origin")):
        raise AccessDenied(exchange.path, "a page of another origin may change nothing")
