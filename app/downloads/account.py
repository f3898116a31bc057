"""What has become of the objects of one download: the account that its job keeps, and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.downloads.flight import Flight

    Told = dict[str, Any]

SHOWN = 200
"""So many finished objects, and so many errors, are told one by one: the latest."""


class Account:
    """Which objects are over, by number, with the latest of them; a job's cursor and back.

    `done` are over from 0 on, `beyond` more of them after that. `finished` and `errors` are what
    is told of single objects.
    """

    def __init__(self, cursor: Any) -> None:
        kept = cursor if isinstance(cursor, dict) else {}
        self._done: int = kept.get("done", 0)
        self._beyond: set[int] = set(kept.get("beyond", ()))
        self.finished: list[Told] = kept.get("finished", [])
        self.errors: list[Told] = kept.get("errors", [])

    def has(self, number: int) -> bool:
        """Tell whether an object is over, whatever came of it."""
        return number < self._done or number in self._beyond

    def left(self, total: int) -> Iterator[int]:
        """Yield the numbers that are not over, as they were when this is asked first."""
        over = frozenset(self._beyond)
        return (number for number in range(self._done, total) if number not in over)

    def close(self, flight: Flight) -> Any:
        """Note that an object is over; return the cursor."""
        self._beyond.add(flight.index)
        while self._done in self._beyond:
            self._beyond.remove(self._done)
            self._done += 1
        if flight.error:
            self.errors = [*self.errors, {"name": flight.name, "error": flight.error}][-SHOWN:]
        else:
            self.finished = [*self.finished, told(flight)][-SHOWN:]
        return {"done": self._done, "beyond": sorted(self._beyond), "finished": self.finished,
                "errors": self.errors}


def told(flight: Flight) -> Told:
    """Return what is told of one object: bytes so far and in all (-1: unknown), epoch ms."""
    return {"name": flight.name, "downloaded": flight.downloaded, "total": flight.total,
            "started": flight.started, "ended": flight.ended}
