"""Conditions of S3's requests: If-Match and its family, for reads and for sources of copies.

The ETags compared are S3's, with quotes or without. Where both an ETag and a time are given the
ETag counts (Amazon S3 API Reference, GetObject: If-Match over If-Unmodified-Since, If-None-Match
over If-Modified-Since).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import PreconditionFailed
from app.web.conditions import seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Headers

    from app.core.objects import ObjectInfo

    Named = Headers | Mapping[str, str]
    """Headers of a request; in a plain map their names are lower-case."""


def matches(header: str, etag: str) -> bool:
    """Tell whether a list of ETags, or `*`, names this one (without quotes)."""
    given = (one.strip().removeprefix("W/").strip('"') for one in header.split(","))
    return any(one in ("*", etag) for one in given)


def not_modified(headers: Named, info: ObjectInfo, prefix: str = "") -> bool:
    """Tell whether a read is to be answered by 304. Raises PreconditionFailed for a 412.

    `prefix` stands before the headers' names, in lower case: `x-amz-copy-source-`.
    """
    if_match = headers.get(f"{prefix}if-match")
    if if_match is not None:
        if not matches(if_match, info.meta.etag):
            raise PreconditionFailed("If-Match")
    elif _modified_since(headers.get(f"{prefix}if-unmodified-since"), info) is True:
        raise PreconditionFailed("If-Unmodified-Since")
    if_none_match = headers.get(f"{prefix}if-none-match")
    if if_none_match is not None:
        return matches(if_none_match, info.meta.etag)
    return _modified_since(headers.get(f"{prefix}if-modified-since"), info) is False


def range_counts(headers: Named, info: ObjectInfo) -> bool:
    """Tell whether Range counts: If-Range is absent, or names what is there."""
    if_range = headers.get("if-range")
    if if_range is None or matches(if_range, info.meta.etag):
        return True
    return seconds_of(if_range) == info.status.modification_time // 1000


def _modified_since(header: str | None, info: ObjectInfo) -> bool | None:
    """Tell whether the object is newer than a date; None where there is none to compare."""
    seconds = seconds_of(header)
    return None if seconds is None else info.status.modification_time // 1000 > seconds
