"""The users of all ways: who somebody is now, by the first way that knows the name."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.auth.users import User
    from app.auth.ways import Way
    from app.core.paths import HdfsPath


class Rooms(Protocol):
    """Something that knows directories which are users' own."""

    def rooms(self) -> set[HdfsPath]:
        """Return the directories that are the root, or hold the buckets, of a user."""


class Directory:
    """Asks `ways`, in their order; `rooms` are those that know directories of users.

    The names of all ways are one namespace: a name belongs to the first way that knows it.
    """

    def __init__(self, ways: Sequence[Way], rooms: Sequence[Rooms] = ()) -> None:
        self._ways = tuple(ways)
        self._rooms = tuple(rooms)

    def find(self, name: str) -> User | None:
        """Return the user of this name, active or not. Raises WayUnavailable."""
        known = unicodedata.normalize("NFC", name)
        return self.first(known, self._ways)

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
