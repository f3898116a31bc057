"""The users of all ways: who somebody is now, by the first way that knows the name."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.auth.users import User
    from app.auth.ways import Way
    from app.core.paths import HdfsPath


@runtime_checkable
class Rooms(Protocol):
    """Something that knows directories which are users' own."""

    def rooms(self) -> set[HdfsPath]:
        """Return the directories that are the root, or hold the buckets, of a user."""


class Directory:
    """Asks `ways`, in their order; `rooms` are those that know directories of users.

    The names of all ways are one namespace: a name belongs to the first way that knows it.
    `applied` gives a user what their roles bring; the ways themselves know nothing of that.
    """

    def __init__(
        self, ways: Sequence[Way], rooms: Sequence[Rooms] = (),
        applied: Callable[[User], User] = lambda user: user,
    ) -> None:
        self.applied = applied
        self.holder: Callable[[str, str], User | None] = lambda _token, _name: None
        self._ways = tuple(ways)
        self._rooms = tuple(rooms)

    def find(self, name: str) -> User | None:
        """Return the user of this name, active or not. Raises WayUnavailable.

        A principal's `reference` finds who came with an access token, as long as that is good.
        """
        name, colon, token_id = name.partition(":")
        if colon:
            return self.holder(token_id, name)
        known = unicodedata.normalize("NFC", name)
        user = self.first(known, self._ways)
        return self.applied(user) if user else None

    def owner_before(self, way: Way, name: str) -> User | None:
        """Return the user of this name (in NFC) that a way before `way` knows."""
        return self.first(name, self._ways[:self._ways.index(way)])

    @staticmethod
    def first(name: str, ways: Sequence[Way]) -> User | None:
        """Return what the first of `ways` that knows this name (in NFC) says of it."""
        for way in ways:
            user = way.find(name)
            if user is not None:
                return user
        return None

    def rooms(self) -> set[HdfsPath]:
        """Return the directories that are the root, or hold the buckets, of a known user."""
        return set().union(*(each.rooms() for each in self._rooms))
