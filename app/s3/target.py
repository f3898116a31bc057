"""What a request names: its bucket and key, from the URL exactly as it was sent.

A decoded and normalised path has lost what keys and signatures depend on: `//`, `%2F`, `..`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from app.s3.errors import PREFIX, S3Error
from app.s3.table import Level
from app.web.roots import ROOTED

if TYPE_CHECKING:
    from collections.abc import Mapping

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ORIGIN = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_PLAIN = "/:@!$&'()*+,;=-._~"


class Target(NamedTuple):
    """One request's target; `raw_path` as sent, `resource` as "/bucket/key" in every style.

    `rooted`: the root of the host or port is S3, there is no prefix.
    """

    raw_path: str
    resource: str
    bucket: str
    key: str
    rooted: bool

    @property
    def level(self) -> Level:
        """What the URL names."""
        if self.key:
            return Level.OBJECT
        return Level.BUCKET if self.bucket else Level.SERVICE


def target_of(environ: Mapping[str, Any]) -> Target:
    """Return the target of a request under the prefix or a root. Raises S3Error (InvalidURI)."""
    raw = _raw_path(environ)
    hosted = environ.get(ROOTED)
    if hosted:
        return Target(raw, f"/{hosted}{raw}", hosted, _decoded(raw[1:]), rooted=True)
    below = raw
    if hosted is None:
        below = raw.removeprefix(PREFIX)
        if below == raw or below[:1] not in ("", "/"):
            raise S3Error("InvalidURI")
    bucket, _, key = below[1:].partition("/")
    return Target(raw, below or "/", _decoded(bucket), _decoded(key), rooted=hosted is not None)


def _raw_path(environ: Mapping[str, Any]) -> str:
    """Return the path as it was sent; made anew where the server does not tell it."""
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if sent is None:
        path = str(environ["PATH_INFO"])
        path = path.removeprefix(PREFIX) if ROOTED in environ else path
        return quote_from_bytes(path.encode("latin-1"), safe=_PLAIN)
    return _ORIGIN.sub("", str(sent), count=1).partition("?")[0] or "/"


def _decoded(text: str) -> str:
    """Return percent-encoded UTF-8 as text; a plus is a plus."""
    if "%" not in text and text.isascii():
        return text
    try:
        if not _BROKEN_ESCAPE.search(text):
            return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError:
        pass
    raise S3Error("InvalidURI")
