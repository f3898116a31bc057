"""Requests that gunicorn refuses before the application sees them: told, written down, not quoted.

What cannot be parsed may be anything: a password whose header lacks its colon, a signed URL with a
space in it. So messages name headers and paths, and nothing of their values.
"""

from __future__ import annotations

import re
from typing import Any

from gunicorn.http import errors

_LONGEST = 100
_NAME = re.compile(r"[^\s:=,;?&]*")


def without_values(error: BaseException) -> BaseException:
    """Return an error of gunicorn's parser, its words without what may be secret."""
    held: Any = error
    if isinstance(error, errors.InvalidRequestLine):
        held.req = _text(held.req).partition("?")[0][:_LONGEST]
    elif isinstance(error, errors.InvalidHTTPVersion):
        held.version = _first_name(held.version)
    elif isinstance(error, errors.InvalidRequestMethod):
        held.method = _first_name(held.method)
    elif isinstance(error, errors.InvalidHeader | errors.InvalidHeaderName):
        held.hdr = _first_name(held.hdr)
    elif isinstance(error, errors.ExpectationFailed):
        held.expect = _first_name(held.expect)
    elif isinstance(error, errors.InvalidChunkSize | errors.ChunkMissingTerminator):
        # Whatever stands where a size should: perhaps the body itself.
        name = "data" if isinstance(error, errors.InvalidChunkSize) else "term"
        setattr(held, name, "(not shown)")
    return error


def without_query(request: Any) -> None:
    """Take the query from a request that gunicorn is about to log."""
    if hasattr(request, "uri"):
        request.uri = request.uri.partition("?")[0]


def _first_name(text: Any) -> str:
    match = _NAME.match(_text(text))
    return match[0][:_LONGEST] if match else ""


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes | bytearray) else str(value)
