"""Head and body of an answer are of one version of a file, though others replace it meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from app.core.errors import PathNotFound
from app.core.object_errors import NoSuchKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Response

_TRIES = 10

T = TypeVar("T")


def answered(
    head: Callable[[], tuple[Response, T | None]], fill: Callable[[Response, T], Response],
) -> Response:
    """Return what `head` makes, with the body that `fill` gives it.

    `head` returns the answer without a body, and what to open for that, None for nothing. When
    `fill` raises PathNotFound or NoSuchKey it was replaced since, and the head must tell of what is
    there now. Raises what both raise.
    """
    tries = 1
    while True:
        response, wanted = head()
        if wanted is None:
            return response
        try:
            return fill(response, wanted)
        except (PathNotFound, NoSuchKey):
            if tries == _TRIES:
                raise
            tries += 1
