"""The content of an object as S3 and AIStore answer it: head and body of the same version."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.core.errors import PathNotFound
from app.core.object_errors import NoSuchKey
from app.web import streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

    from app.core.model import ByteRange
    from app.core.objects import ObjectInfo
    from app.fs.objects import ObjectStore

    Head = tuple[Response, ObjectInfo, ByteRange | None]
    HandOver = Callable[[Response, int, Callable[[], str]], bool]

_TRIES = 10


def answered(
    head: Callable[[], Head], objects: ObjectStore, hand_over: HandOver = lambda *_: False,
) -> Response:
    """Return what `head` makes, with the bytes that it wants of the object as its body.

    `head` returns the answer without a body, the object, and the bytes to open of it, None for
    none. `hand_over` has somebody else bring them, if it can. Raises what `head` raises,
    NoSuchKey, UpstreamError.
    """
    for tries_left in reversed(range(_TRIES)):
        response, info, wanted = head()
        if wanted is None:
            break
        try:
            if hand_over(response, wanted.length, partial(objects.datanode_url, info, wanted)):
                break
            source = objects.open(info, wanted)
            response.response = streams.begun(streams.content(source, wanted.length))
            break
        except (PathNotFound, NoSuchKey):
            # Replaced since it was looked at: the head must tell of the new object.
            if not tries_left:
                raise
    return response
