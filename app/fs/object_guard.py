"""What a PUT holds in its hands: the condition under which it may be done, and its body."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from app.core.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.core.objects import ObjectInfo
    from app.fs.object_reading import ObjectReader, Place

    Precondition = Callable[[ObjectInfo | None], None]

REPEATABLE = 1024 * 1024
"""Bytes of a body that are kept until its file is made, so that it can be made elsewhere."""


class Guard:
    """A precondition on what lies at `place`, checked before the body and before publication."""

    def __init__(
        self, objects: ObjectReader, place: Place, precondition: Precondition | None,
    ) -> None:
        self._objects = objects
        self._place = place
        self._precondition = precondition
        self._known: ObjectInfo | None = None
        self._expects_nothing = False

    @property
    def is_set(self) -> bool:
        """Tell whether there is a precondition."""
        return self._precondition is not None

    def check(self) -> ObjectInfo | None:
        """Look what is there, and raise what the precondition does; None where there is nothing.

        Without a precondition nothing is looked at.
        """
        if self._precondition is None:
            return None
        self._known = self._objects.look_again(self._place, self._known)
        try:
            self._precondition(self._known)
        except GatewayError:
            self._objects.require_bucket(self._place.bucket)
            raise
        self._expects_nothing = self._known is None
        return self._known

    def may_create(self) -> bool:
        """Tell, once, whether nothing was there and that was right.

        A RENAME that refuses whatever is there by now is all the look that is needed then.
        """
        found, self._expects_nothing = self._expects_nothing, False
        return found


class Repeatable:
    """A body that can be read again from its start while no more than REPEATABLE was read."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._rest: Iterator[bytes] = iter(body)
        self._seen: list[bytes] | None = []
        self._size = 0

    @property
    def is_repeatable(self) -> bool:
        """Tell whether iterating now gives all of it."""
        return self._seen is not None

    def is_empty(self) -> bool:
        """Tell whether the body has no byte, by waiting for the first; before it is iterated."""
        first = next((piece for piece in self._rest if piece), None)
        if first is None:
            return True
        self._rest = chain((first,), self._rest)
        return False

    def __iter__(self) -> Iterator[bytes]:
        """Yield what was read before, as long as that is known, and the rest."""
        yield from tuple(self._seen or ())
        for piece in self._rest:
            self._keep(piece)
            yield piece

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._seen is not None:
            self._seen.append(piece)
            if self._size > REPEATABLE:
                self._seen = None
