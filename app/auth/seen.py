"""Users that a way cannot look up, as they were when they last came: known for a while after."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.auth.lookups import MAX_ENTRIES, Lookups
from app.auth.mapping import Told, Unmapped
from app.core.errors import StorageFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.auth.mapping import Mapper
    from app.auth.users import User
    from app.core.paths import HdfsPath
    from app.state.store import Store

FRESH_SECONDS = 5.0
_WRITES = 10
"""A record is written again after a tenth of its life, so that requests cost no write each."""

log = logging.getLogger(__name__)


class SeenUsers:
    """What was told of users, in `store`, for `seconds` after they came; 0: not at all.

    It is mapped when it is read, so that roles taken from the settings are taken from all.
    `clock` tells seconds that only grow.
    """

    def __init__(
        self, way: str, mapper: Mapper, store: Store, seconds: float, *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._space = f"seen-{way}"
        self._mapper = mapper
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._written: dict[str, tuple[Told, float]] = {}
        self._known = Lookups(self._fetch, fresh=FRESH_SECONDS, stale=FRESH_SECONDS, clock=clock)

    def find(self, name: str) -> User | None:
        """Return the user as they were when they last came. Raises StorageFault."""
        return self._known.find(name) if self._seconds else None

    def note(self, told: Told) -> User:
        """Return who this is, and have others know. Raises Unmapped."""
        user = self._mapper.user(told)
        name, now = user.principal.name, self._clock()
        before = self._written.get(name)
        if self._seconds and not (
                before and before[0] == told and now < before[1] + self._seconds / _WRITES):
            self._write(name, told, now)
        return self._known.put(name, user)

    def rooms(self) -> set[HdfsPath]:
        """Return the directories of users that came a short while ago."""
        return {place for user in self._known.known()
                for place in (user.principal.root, user.principal.bucket_root)}

    def _write(self, name: str, told: Told, now: float) -> None:
        record = {"values": dict(told.values), "groups": list(told.groups)}
        try:
            self._store.put(self._space, name, record, ttl=self._seconds)
        except StorageFault as error:
            log.warning("that user %r came cannot be noted: %s", name, error)
            return
        if len(self._written) >= MAX_ENTRIES:
            self._written.clear()
        self._written[name] = told, now

    def _fetch(self, name: str) -> User | None:
        record = self._store.get(self._space, name)
        if record is None:
            return None
        try:
            return self._mapper.user(Told(name, record["values"], record["groups"]))
        except Unmapped as error:
            log.warning("user %r is known no longer: %s", name, error)
            return None
