"""Downloads whose bytes nginx brings straight from a DataNode, past Python.

The gateway authenticates, authorises and translates as ever, and asks the NameNode which DataNode
has the bytes. Then its answer, to a proxy that announced itself by the word of `web.accel`, has no
body but tells where to get one (X-Accel-Redirect): deploy/nginx-accel.conf does the rest, and
comes back for a plain answer where the DataNode gives none. Of the headers that the client is to
see nginx knows those in NAMES; an answer with others goes the plain way.
"""

from __future__ import annotations

import hmac
import re
import socket
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug import Response

    from app.web.exchange import Exchange

    Headers = list[tuple[str, str]]

ANNOUNCED = "HTTP_X_GATEWAY_ACCEL"
LOCATION = "@httpfs_proxy_accel"
PREFIX = "X-Gateway-"
NAMES = frozenset({
    "accept-ranges", "cache-control", "content-disposition", "content-encoding",
    "content-language", "content-range", "content-security-policy", "content-type", "etag",
    "expires", "last-modified", "referrer-policy", "vary", "x-content-type-options",
    "x-request-id", "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-type", "x-amz-mp-parts-count",
    "x-amz-request-id", "x-amz-tagging-count",
})
"""The headers, in lower case, that nginx-accel.conf hands on."""
_NOT_OURS = frozenset({"content-length", "strict-transport-security"})  # nginx tells both itself
WORTH = 4 * 1024 * 1024
"""Bytes from which on nginx is asked: at 1 MiB the way by two answers took a fifth more time for a
seventh less CPU, at 4 MiB it saves both (bench/RESULTS.md)."""
_REMEMBERED_SECONDS = 30.0
_LITERAL = re.compile(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class Handover(NamedTuple):
    """What nginx is told: `url` has an address in place of the name in `authority`."""

    url: str
    authority: str
    host: str
    length: int


def handed_over(
    exchange: Exchange, word: str, response: Response, length: int, locate: Callable[[], str],
) -> bool:
    """Have nginx bring the `length` bytes of the body of `response`, if it can.

    `word` is the setting `web.accel`. `locate` returns the DataNode's URL; what it raises goes on.
    """
    if not (word and length >= WORTH and _is_announced(exchange, word) and _fits(
            exchange, response)):
        return False
    url = locate()
    handover = _addressed(url, length) if url else None
    if handover is None:
        return False
    exchange.handover = handover
    return True


def rewritten(headers: Sequence[tuple[str, str]], handover: Handover) -> Headers:
    """Return the head for nginx of an answer whose head for the client would be `headers`.

    Under names of their own, as nginx would add some of them to whatever it answers in the end.
    """
    joined: dict[str, str] = {}
    for name, value in headers:
        if name.lower() not in _NOT_OURS:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return [
        ("X-Accel-Redirect", LOCATION),
        (f"{PREFIX}Datanode", handover.url),
        (f"{PREFIX}Datanode-Authority", handover.authority),
        (f"{PREFIX}Datanode-Host", handover.host),
        ("Content-Length", "0"),
        *((f"{PREFIX}{name}", value) for name, value in joined.items())]


def _is_announced(exchange: Exchange, word: str) -> bool:
    given = exchange.environ.get(ANNOUNCED, "")
    return exchange.origin.trusted_peer and hmac.compare_digest(
        given.encode("latin-1"), word.encode())


def _fits(exchange: Exchange, response: Response) -> bool:
    """Tell whether nothing is asked of the answer but what nginx does.

    It counts no bytes for limits and knows no headers of CORS. A body it has sent on when it hears
    of the handover, and could not send again to ask for the plain answer.
    """
    environ = exchange.environ
    return (exchange.method == "GET" and exchange.meter is None
            and "HTTP_ORIGIN" not in environ and "HTTP_TRANSFER_ENCODING" not in environ
            and environ.get("CONTENT_LENGTH") in (None, "", "0")
            and all(name.lower() in NAMES | _NOT_OURS for name, _ in response.headers))


def _addressed(url: str, length: int) -> Handover | None:
    """Return what to tell nginx of a URL, None where its name has no address.

    nginx looks names up only where it has a resolver of its own, and never in /etc/hosts.
    """
    parts = urlsplit(url)
    host, authority = parts.hostname or "", parts.netloc
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    address = host if _LITERAL.fullmatch(host) else _resolved(
        host, port, int(time.monotonic() / _REMEMBERED_SECONDS))
    if not address:
        return None
    shown = f"[{address}]" if ":" in address else address
    rest = url[len(parts.scheme) + len("://") + len(authority):]
    return Handover(f"{parts.scheme}://{shown}:{port}{rest}", authority, host, length)


@lru_cache(1024)
def _resolved(host: str, port: int, _period: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ""
    return str(found[0][4][0])
