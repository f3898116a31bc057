"""What has become of the objects of one download: the account that its job keeps, and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.downloads.flight import Flight

    Told = dict[str, Any]

SHOWN = 200
"""So many finished objects, and so many errors, are told one by one: the latest."""


class Account:
    """Which objects are over, by number, with the latest of them; a job's cursor and back.

    Numbers are taken one after the other. So what is over is all below `next`, but for the few
    that are `open`; these are taken again after a restart, before all others. `finished` and
    `errors` are what is told of single objects.
    """

    def __init__(self, cursor: Any, total: int = 0) -> None:
        kept = cursor if isinstance(cursor, dict) else {}
        self._total = total
        self._next: int = kept.get("next", 0)
        self._open: set[int] = set(kept.get("open", ()))
        self._again = sorted(self._open, reverse=True)
        self.finished: list[Told] = kept.get("finished", [])
        self.errors: list[Told] = kept.get("errors", [])

    def has(self, number: int) -> bool:
        """Tell whether an object is over, whatever came of it."""
        return number < self._next and number not in self._open

    def take(self) -> int | None:
        """Return the number of the next object to fetch, None where all are taken."""
        if self._again:
            return self._again.pop()
        if self._next >= self._total:
            return None
        self._open.add(self._next)
        self._next += 1
        return self._next - 1

    def close(self, flight: Flight) -> Any:
        """Note that an object is over; return the cursor."""
        self._open.discard(flight.index)
        if flight.error:
            self.errors = [*self.errors, {"name": flight.name, "error": flight.error}][-SHOWN:]
        else:
            self.finished = [*self.finished, told(flight)][-SHOWN:]
        return {"next": self._next, "open": sorted(self._open), "finished": self.finished,
                "errors": self.errors}


def told(flight: Flight) -> Told:
    """Return what is told of one object: bytes so far and in all (-1: unknown), epoch ms."""
    return {"name": flight.name, "downloaded": flight.downloaded, "total": flight.total,
            "started": flight.started, "ended": flight.ended}
