"""The headers that keep a browser from making more of an answer than it is.

Every answer has them, whatever dialect it is in and whether it tells of success or of an error.
No answer sets a cookie, and none lets pages of other origins read it but those of S3 buckets whose
owner said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.web.exchange import Exchange

    Headers = list[tuple[str, str]]

POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""For what is no page: a page that a file pretends to be runs nothing and loads nothing."""
TRANSPORT = "max-age=31536000"
"""By HTTPS alone for a year (RFC 6797); deploy/nginx.conf says the same."""
ALWAYS: Headers = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
_CACHING = ("Cache-Control", "no-cache, private")
_CACHED = [*ALWAYS, _CACHING]
_POLICY = ("Content-Security-Policy", POLICY)
_TRANSPORT = ("Strict-Transport-Security", TRANSPORT)


def protective(headers: Headers, exchange: Exchange) -> Headers:
    """Return what is to be added to the headers of an answer.

    An object's own answer (`own_caching`) is as S3 tells it, with the policy that its view chose.
    """
    added = [*ALWAYS] if exchange.own_caching else [*_CACHED]
    if not exchange.own_caching:
        for name, _ in headers:
            if name == "Content-Security-Policy":
                break
        else:
            added.append(_POLICY)
    origin = exchange.origin
    # A browser would keep to it for everything that its user ever runs on their own machine.
    if origin.scheme == "https" and not origin.authority.startswith("localhost"):
        added.append(_TRANSPORT)
    return added
