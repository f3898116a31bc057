"""Validators and conditional requests (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING

from app.core.errors import PreconditionFailed
from app.fs.publish import no_precondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.datastructures import Headers

    from app.core.model import FileStatus

GZIP_SUFFIX = "-gzip"
"""What the tag of an answer compressed on the way ends in."""
_LAST_HTTP_DATE = 253402300799  # 9999-12-31: HDFS takes any later time, HTTP has no date for it
_ON_WRITE = ("If-Match", "If-None-Match", "If-Unmodified-Since")
_ETAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def etag_of(status: FileStatus, suffix: str = "") -> str:
    """Return the strong entity tag of a file's content; `suffix` names a content coding.

    HDFS files are only appended to, truncated or replaced: the inode, the length and the time of
    modification together change with the content.
    """
    return f'"{status.file_id:x}-{status.length:x}-{status.modification_time:x}{suffix}"'


def last_modified_of(status: FileStatus) -> str:
    """Return the HTTP date of the last modification."""
    return formatdate(min(status.modification_time // 1000, _LAST_HTTP_DATE), usegmt=True)


def has_any(headers: Headers) -> bool:
    """Tell whether a write has conditions."""
    return any(name in headers for name in _ON_WRITE)


def for_write(headers: Headers) -> Callable[[FileStatus | None], None]:
    """Return what checks the conditions of a write; `no_precondition` where there are none."""
    if not has_any(headers):
        return no_precondition
    return partial(check_write, headers)


def check_write(headers: Headers, status: FileStatus | None) -> None:
    """Raise PreconditionFailed if a write may not happen; `status` is None for nothing there.

    A client that reads with compression knows the file by the tag of the compressed answer.
    """
    tags = () if status is None or status.is_directory else (
        etag_of(status), etag_of(status, GZIP_SUFFIX))
    check_tags(headers, status, *tags)


def check_tags(headers: Headers, status: FileStatus | None, *tags: str) -> None:
    """Do the same for what has these entity tags."""
    if_match = headers.get("If-Match")
    if if_match is not None:
        if not _matches(if_match, *tags, exists=status is not None, weak=False):
            raise PreconditionFailed("If-Match")
    elif status is not None and _changed_since(headers.get("If-Unmodified-Since"), status):
        raise PreconditionFailed("If-Unmodified-Since")
    if_none_match = headers.get("If-None-Match")
    if if_none_match is not None and _matches(
            if_none_match, *tags, exists=status is not None, weak=True):
        raise PreconditionFailed("If-None-Match")


def not_modified(headers: Headers, status: FileStatus, etag: str) -> bool:
    """Tell whether a read is to be answered by 304; raise PreconditionFailed for a 412."""
    if_match = headers.get("If-Match")
    if if_match is not None:
        if not _matches(if_match, etag, exists=True, weak=False):
            raise PreconditionFailed("If-Match")
    elif _changed_since(headers.get("If-Unmodified-Since"), status):
        raise PreconditionFailed("If-Unmodified-Since")
    if_none_match = headers.get("If-None-Match")
    if if_none_match is not None:
        return _matches(if_none_match, etag, exists=True, weak=True)
    since = headers.get("If-Modified-Since")
    return since is not None and seconds_of(since) is not None and not _changed_since(since, status)


def range_applies(headers: Headers, status: FileStatus, etag: str) -> bool:
    """Tell whether Range counts: If-Range is absent or names what is there (RFC 9110, 13.1.5)."""
    if_range = headers.get("If-Range")
    if if_range is None:
        return True
    if if_range.lstrip().startswith(('"', "W/")):
        return if_range.strip() == etag
    return seconds_of(if_range) == status.modification_time // 1000


def _matches(header: str, *etags: str, exists: bool, weak: bool) -> bool:
    if header.strip() == "*":
        return exists
    return any(f'"{tag}"' in etags and (weak or not mark) for mark, tag in _ETAG.findall(header))


def _changed_since(header: str | None, status: FileStatus) -> bool:
    date = seconds_of(header)
    return date is not None and status.modification_time // 1000 > date


def seconds_of(header: str | None) -> int | None:
    """Return an HTTP date in epoch seconds; None where there is none that can be read."""
    if header is None:
        return None
    try:
        date = parsedate_to_datetime(header)
        # The old asctime form names no zone; it is UTC too (RFC 9110, 5.6.7).
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
