"""Requests that need no parser of their own: HTTP/1.1 without a body, whole in one piece.

gunicorn's parser looks at every line of a head in Python, and asks its configuration about each:
for a short call that is as much work as the call. Here one expression in C takes such heads as
gunicorn takes without a second thought, and says of them what gunicorn says. Whatever is the least
unusual (a body, `Expect`, `Upgrade`, a name that comes twice or has an underscore, a head in
several pieces, anything that is refused) is left for gunicorn's own parser as it came.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE = 8192
_FIELDS = 64
_NAME = r"[!#$%&'*+\-.^`|~0-9A-Za-z]+"
_HEAD = re.compile(
    r"(GET|HEAD|DELETE|OPTIONS|PUT|POST) (/[!\"$-~]*) HTTP/1\.1\r\n"
    rf"((?:{_NAME}:[\t\x20-\x7e\x80-\xff]*\r\n)+)\r\n")
_UNUSUAL = frozenset({"TRANSFER-ENCODING", "EXPECT", "UPGRADE", "HTTP2-SETTINGS"})
_WITHOUT_PREFIX = frozenset({"CONTENT-LENGTH", "CONTENT-TYPE"})
_CONNECTION = {"keep-alive": False, "close": True}
_NONE: Mapping[str, str] = {}


class NoBody:
    """The `wsgi.input` of all requests without a body."""

    failed = False
    underscored = _NONE

    def read(self, _size: int | None = None) -> bytes:
        """Return b""."""
        return b""

    readline = read

    def readlines(self, _hint: int | None = None) -> list[bytes]:
        """Return no lines."""
        return []

    def __iter__(self) -> Any:
        """Iterate over no lines."""
        return iter(())


NO_BODY = NoBody()


class PlainRequest(Request):  # type: ignore[misc]
    """What gunicorn's own request would be; `fields` are its headers as an environment has them."""

    version = (1, 1)
    fragment = ""
    body = NO_BODY
    must_close = False
    trailers: tuple[()] = ()
    _expected_100_continue = False

    def __init__(
        self, parser: PlainParser, method: str, uri: str, headers: list[tuple[str, str]],
        fields: dict[str, str], *, closes: bool,
    ) -> None:
        # What its base would do is to read from the socket: nothing of it is called.
        self.cfg = parser.cfg
        self.unreader = parser.unreader
        self.peer_addr = self.remote_addr = parser.source_addr
        self.scheme = parser.scheme
        self.req_number = parser.req_count
        self.method = method
        self.uri = uri
        self.path, _, self.query = uri.partition("?")
        self.headers = headers
        self.fields = fields
        self.proxy_protocol_info: Any = None
        self._closes = closes

    def should_close(self) -> bool:
        """Tell whether the client, or who has called `force_close`, wants no other request."""
        return self._closes or self.must_close


class PlainParser(RequestParser):  # type: ignore[misc]
    """gunicorn's parser of one connection, with a shorter way for plain requests."""

    mesg: Any

    def __init__(self, cfg: Any, source: Any, source_addr: Any) -> None:
        super().__init__(cfg, source, source_addr)
        self.scheme = "https" if cfg.is_ssl else "http"
        self._longest, self._most = limits(
            cfg.limit_request_line, cfg.limit_request_field_size, cfg.limit_request_fields)

    def __next__(self) -> Any:
        """Return the next request. Raises StopIteration, and what gunicorn's parser raises."""
        last = self.mesg
        if last is not None and (last.should_close() or (
                type(last) is not PlainRequest and not self.finish_body())):
            raise StopIteration
        # What the base has to do with the last request is done.
        self.mesg = None
        unreader = self.unreader
        data: bytes = unreader.take_buffered() or unreader.sock.recv(_PIECE)
        if not data:
            raise StopIteration
        request = self._plain(data)
        if request is not None:
            return request
        unreader.unread(data)
        return super().__next__()

    next = __next__

    def _plain(self, data: bytes) -> PlainRequest | None:
        """Return the request at the start of `data`, None where it is not a plain one."""
        match = _HEAD.match(data.decode("latin-1"))
        if match is None or match.end() > self._longest:
            return None
        method, uri, block = match.groups()
        headers: list[tuple[str, str]] = []
        fields: dict[str, str] = {}
        for line in block[:-2].split("\r\n"):
            name, _, value = line.partition(":")
            name, field = _named(name)
            value = value.strip(" \t")
            headers.append((name, value))
            fields[field] = value
        closes = _CONNECTION.get(fields.get("HTTP_CONNECTION", "keep-alive").lower())
        if (closes is None or "" in fields or fields.get("CONTENT_LENGTH", "0") != "0"
                or len(fields) != len(headers) or len(headers) > self._most):
            return None
        self.req_count += 1
        if match.end() < len(data):
            self.unreader.unread(data[match.end():])
        request = self.mesg = PlainRequest(self, method, uri, headers, fields, closes=closes)
        return request


@lru_cache
def limits(line: int, field: int, fields: int) -> tuple[int, int]:
    """Return the octets of a head that no limit of gunicorn's minds, and the number of fields.

    0 is no limit, or gunicorn's own: it has its say about what is longer than a piece.
    """
    longest = min([_PIECE - 2, *(one for one in (line, field) if one > 0)])
    return longest, fields if fields > 0 else _FIELDS


@lru_cache(1024)
def _named(name: str) -> tuple[str, str]:
    """Return a header's name as gunicorn and as an environment has it, "" for unusual ones."""
    upper = name.upper()
    if upper in _UNUSUAL:
        return upper, ""
    variable = upper.replace("-", "_")
    return upper, variable if upper in _WITHOUT_PREFIX else f"HTTP_{variable}"


def takes_plain(cfg: Any, log: Any) -> bool:
    """Tell whether gunicorn is configured so that nothing but the request decides what it means.

    Proxy protocol, headers that change the scheme, SCRIPT_NAME and gunicorn's own access log need
    gunicorn's own way.
    """
    return (cfg.proxy_protocol == "off" and cfg.protocol == "http" and not cfg.secure_scheme_headers
            and "SCRIPT_NAME" not in os.environ
            and type(log) is Logger and not log.access_log_enabled)
