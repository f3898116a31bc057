"""What a request names: its bucket and key, from the URL exactly as it was sent.

A decoded and normalised path has lost what keys and signatures depend on: `//`, `%2F`, `..`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidRequest
from app.s3.errors import PREFIX, S3Error
from app.s3.table import Level
from app.web.raw_path import decoded, is_known, raw_path
from app.web.roots import ROOTED

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """Return the path as it was sent; made anew, it has the prefix that a root stands for."""
    path = raw_path(environ)
    return path.removeprefix(PREFIX) if ROOTED in environ and not is_known(environ) else path


def _decoded(text: str) -> str:
    """Return percent-encoded UTF-8 as text; a plus is a plus."""
    try:
        return decoded(text)
    except InvalidRequest:
        raise S3Error("InvalidURI") from None
