"""A request's path exactly as it was sent: what a decoded one has lost counts in some dialects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from app.core.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ORIGIN = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_PLAIN = "/:@!$&'()*+,;=-._~"


def is_known(environ: Mapping[str, Any]) -> bool:
    """Tell whether the server tells the path as it was sent."""
    return bool(environ.get("RAW_URI") or environ.get("REQUEST_URI"))


def raw_path(environ: Mapping[str, Any]) -> str:
    """Return the path as it was sent; made anew where the server does not tell it."""
    if not is_known(environ):
        return quote_from_bytes(str(environ["PATH_INFO"]).encode("latin-1"), safe=_PLAIN)
    sent = environ.get("RAW_URI") or environ["REQUEST_URI"]
    return _ORIGIN.sub("", str(sent), count=1).partition("?")[0] or "/"


def decoded(text: str) -> str:
    """Return percent-encoded UTF-8 as text; a plus is a plus. Raises InvalidRequest."""
    if "%" not in text and text.isascii():
        return text
    try:
        if not _BROKEN_ESCAPE.search(text):
            return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError:
        pass
    raise InvalidRequest("the path is not percent-encoded UTF-8")
