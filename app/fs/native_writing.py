"""What a file is written with that goes to the DataNodes by their own protocol.

A body can be taken once. Until its first piece was taken WebHDFS can do it all; after that whoever
is the active NameNode has to help on with what was begun.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.fs.native_faults import LANE_FAULTS, did_nothing, is_timeout
from app.hadoop.ipc import Broken, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.fs.lanes import Lanes
    from app.hadoop.ipc import Identity

PATIENCE = 30.0
"""Seconds for which a NameNode is looked for that goes on with a file."""
_PAUSE = 0.2


class Pieces:
    """A body on its way, which may be taken back as far as it was not sent.

    While it is `quiet`, it just ends where it raises: what came before is written and the file is
    closed, then `settle` raises. A greenlet that is killed is not made to wait for that.
    """

    def __init__(self, body: Iterable[bytes]) -> None:
        self._rest = iter(body)
        self._back = b""
        self._error: Exception | None = None
        self.quiet = False
        self.begun = False
        self.any = False

    def __iter__(self) -> Iterator[bytes]:
        """Return itself: who goes on begins where the one before ended."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        self.begun = True
        if self._back:
            piece, self._back = self._back, b""
            return piece
        if self._error is None:
            try:
                piece = next(self._rest)
            except StopIteration:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised later
                self._error = error
            else:
                self.any = True
                return piece
        if not self.quiet:
            self.settle()
        raise StopIteration

    def take_back(self, taken: bytes) -> None:
        """Let the next piece be `taken`, which was sent nowhere."""
        self._back = taken
        self.quiet = False

    def settle(self) -> None:
        """Raise what the body has raised, if it has."""
        if self._error is not None:
            raise self._error


class Following:
    """Makes the calls of one writer, at whichever NameNode is active by then.

    `look` makes WebHDFS look for that one, `note` hears what was passed over.
    """

    def __init__(
        self, lanes: Lanes, pieces: Pieces, look: Callable[[], object],
        note: Callable[[Exception], None],
    ) -> None:
        self._lanes = lanes
        self._pieces = pieces
        self._look = look
        self._note = note

    def call(self, who: Identity, head: bytes, request: bytes, *, may_repeat: bool) -> bytes:
        """Make one call; none before the body is begun is made twice.

        Blocks know what was added to them last, and a file that is closed stays so: what such a
        call asks for happens once, even if two NameNodes hear it.
        """
        ends = time.monotonic() + PATIENCE
        while True:
            lane = self._lanes.now
            fault: Exception = NotSent("no NameNode is active")
            try:
                if lane.ready():
                    return lane.call(who, head, request, may_repeat=may_repeat)
            except LANE_FAULTS as error:
                passing = did_nothing(error) or (
                    isinstance(error, Broken) and not is_timeout(error))
                if not self._pieces.begun or not passing:
                    raise
                self._note(error)
                fault = error
            if not self._pieces.begun or time.monotonic() > ends:
                raise fault
            self._look()
            time.sleep(_PAUSE)
