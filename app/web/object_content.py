"""The content of an object as S3 and AIStore answer it: head and body of the same version."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.web import one_version, streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

    from app.core.model import ByteRange
    from app.core.objects import ObjectInfo
    from app.fs.objects import ObjectStore

    Head = tuple[Response, ObjectInfo, ByteRange | None]
    HandOver = Callable[[Response, int, Callable[[], str]], bool]


def answered(
    head: Callable[[], Head], objects: ObjectStore, hand_over: HandOver = lambda *_: False,
) -> Response:
    """Return what `head` makes, with the bytes that it wants of the object as its body.

    `head` returns the answer without a body, the object, and the bytes to open of it, None for
    none. `hand_over` has somebody else bring them, if it can. Raises what `head` raises,
    NoSuchKey, UpstreamError.
    """
    def whole_head() -> tuple[Response, tuple[ObjectInfo, ByteRange] | None]:
        response, info, wanted = head()
        return response, None if wanted is None else (info, wanted)

    def fill(response: Response, opened: tuple[ObjectInfo, ByteRange]) -> Response:
        info, wanted = opened
        if not hand_over(response, wanted.length, partial(objects.datanode_url, info, wanted)):
            source = objects.open(info, wanted)
            response.response = streams.begun(streams.content(source, wanted.length))
        return response

    return one_version.answered(whole_head, fill)
