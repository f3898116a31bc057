"""Conditions on writes, as S3 has them.

A write knows `If-Match: <etag>` and `If-None-Match: *` (Amazon S3 User Guide, "How to prevent
object overwrites with conditional writes"); `If-None-Match: <etag>`, which AWS answers 501, means
here what it means in HTTP (RFC 9110, 13.1.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import PreconditionFailed
from app.core.object_errors import NoSuchKey
from app.s3.conditions import matches
from app.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.core.objects import ObjectInfo


def for_write(
    headers: Mapping[str, str], resource: str,
) -> Callable[[ObjectInfo | None], None] | None:
    """Return what checks the object that is about to be replaced; None where nothing is asked.

    It raises PreconditionFailed, and NoSuchKey where an object must be there. Raises S3Error
    (NotImplemented) for conditions that S3 does not have on writes.
    """
    if_match, if_none = headers.get("if-match"), headers.get("if-none-match")
    others = "if-modified-since" in headers or "if-unmodified-since" in headers
    if others or (if_none is not None and if_match is not None):
        raise S3Error("NotImplemented", "A header you provided implies functionality that is not"
                                        " implemented.", Supported="If-Match or"
                                                                   " If-None-Match")
    if if_match is None and if_none is None:
        return None

    def check(present: ObjectInfo | None) -> None:
        if if_match is None:
            if present is not None and matches(if_none or "", present.meta.etag):
                raise PreconditionFailed("If-None-Match")
        elif present is None:
            raise NoSuchKey(resource)
        elif not matches(if_match, present.meta.etag):
            raise PreconditionFailed("If-Match")

    return check
