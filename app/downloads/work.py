"""The job of a download: several objects at once, each whole or not at all.

What is under way is told once a second, what is over stands in the job's cursor.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app.core.download_errors import DownloadStopped, SourceAway
from app.core.errors import GatewayError, UpstreamError, printable
from app.core.job_errors import JobAborted
from app.downloads import records
from app.downloads.account import Account, told
from app.downloads.flight import Flight
from app.downloads.links import parse_link
from app.downloads.orders import Orders
from app.downloads.pace import Pace
from app.jobs.runs import HANDED_ON, TAKEN_OVER, USER_CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.core.identity import Principal
    from app.downloads.fetching import Fetcher, Incoming
    from app.downloads.plan import Item
    from app.downloads.records import Kept
    from app.jobs.running import Running
    from app.settings import DownloadSettings
    from app.state.store import Store

    Put = Callable[[Principal, tuple[str, str], Iterator[bytes], str], None]

KIND = "download"
CANCELLED_TEXT = "it was cancelled"
GOES_ON = (HANDED_ON, TAKEN_OVER, USER_CHANGED)
"""Why a run ends whose job does not."""
PAUSES = (0.5, 2.0)
"""Seconds before each further try of a source that was away."""
UPSTREAM_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""The same where HDFS was."""
_TICK_SECONDS = 0.25
_TELL_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Downloads:
    """Does the jobs of this kind.

    `put` makes content an object of a bucket, whole or not at all: it gets the principal, bucket
    and name, pieces and the content type.
    """

    def __init__(
        self, store: Store, fetcher: Fetcher, settings: DownloadSettings, put: Put, *,
        kept_seconds: float,
    ) -> None:
        self.store = store
        self.fetcher = fetcher
        self.settings = settings
        self.put = put
        self._kept_seconds = kept_seconds

    def work(self, running: Running) -> None:
        """Do a job, from where it stands. Raises JobAborted."""
        run = _Run(self, running, records.kept(self.store, running.job.spec["kept"]))
        try:
            run.go()
        except JobAborted as aborted:
            if aborted.reason not in GOES_ON:
                self.undo(running)
            raise
        except Exception:
            self.undo(running)
            raise
        self.undo(running)

    def undo(self, running: Running) -> None:
        """Forget what only a job that goes on needs."""
        records.close(self.store, running.job.id, running.job.spec["kept"], self._kept_seconds)


class _Run:
    """One run of one job, in several threads."""

    def __init__(self, room: Downloads, running: Running, kept: Kept) -> None:
        self._room = room
        self._running = running
        self._plan, self._headers = kept
        self._orders = Orders(**running.job.spec["orders"])
        self._pace = Pace(self._orders.bytes_per_hour)
        self._account = Account(running.job.cursor, self._plan.total)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._flights: dict[int, Flight] = {}
        self._cancelled: frozenset[int] = frozenset()
        self._fault: Exception | None = None

    def go(self) -> None:
        """Fetch what is left. Raises JobAborted."""
        self._running.progress(total=self._plan.total)
        self._look()
        most = self._room.settings.at_once
        count = min(most, self._orders.connections or most, self._plan.total)
        threads = [threading.Thread(target=self._fetch_all, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            self._watch(threads)
        finally:
            self._stop_all("the download ends")
            for thread in threads:
                thread.join()
        if self._fault:
            raise self._fault

    # --- the watcher

    def _watch(self, threads: Sequence[threading.Thread]) -> None:
        """Look after the flights until all threads are through. Raises JobAborted."""
        told_at = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            self._running.wait(_TICK_SECONDS)
            for flight in self._here():
                if flight.overdue():
                    flight.stop("")
                elif flight.index in self._cancelled:
                    flight.stop(CANCELLED_TEXT)
            if time.monotonic() - told_at >= _TELL_SECONDS:
                told_at = time.monotonic()
                self._tell()

    def _tell(self) -> None:
        """Write what is under way, and look what was cancelled."""
        try:
            records.tell(self._room.store, self._running.job.id, list(map(told, self._here())))
            self._look()
        except GatewayError as error:
            _log.warning("a download's progress is not told for now: %r", error)

    def _look(self) -> None:
        self._cancelled = records.cancelled(self._room.store, self._running.job.id)

    def _stop_all(self, reason: str) -> None:
        self._over.set()
        for flight in self._here():
            flight.stop(reason)

    def _here(self) -> list[Flight]:
        with self._lock:
            return list(self._flights.values())

    # --- the threads

    def _fetch_all(self) -> None:
        try:
            while not self._over.is_set():
                with self._lock:
                    number = self._account.take()
                if number is None:
                    return
                self._fetch(number)
        except JobAborted:
            return  # the watcher hears of it, too
        except Exception as error:  # noqa: BLE001 - raised where the job can be told of it
            self._fault = error
            self._stop_all("the download failed")

    def _fetch(self, number: int) -> None:
        settings = self._room.settings
        seconds = min(settings.max_seconds, self._orders.timeout or settings.max_seconds)
        flight = Flight(number, str(number), seconds)
        with self._lock:
            self._flights[number] = flight
        try:
            if number in self._cancelled:
                flight.stop(CANCELLED_TEXT)
            if self._over.is_set():
                return
            item = self._plan.item(number)
            flight.name = item.name
            self._land(item, flight)
        except GatewayError as error:
            flight.error = printable(self._running.told(error))
        finally:
            with self._lock:
                del self._flights[number]
            flight.release()
        self._close(flight)

    def _close(self, flight: Flight) -> None:
        """Report an object that is over; one that ended with the run is not."""
        if flight.error and self._over.is_set():
            return
        flight.ended = int(time.time() * 1000)
        with self._lock:
            cursor = self._account.close(flight)
            if flight.error:
                self._running.progress(failed=f"{flight.name}: {flight.error}", cursor=cursor)
            else:
                self._running.progress(objects=1, bytes=flight.downloaded, cursor=cursor)

    def _land(self, item: Item, flight: Flight) -> None:
        """Make an object of its source, with further tries. Raises GatewayError."""
        pauses = {SourceAway: iter(PAUSES), UpstreamError: iter(UPSTREAM_PAUSES)}
        while True:
            try:
                return self._land_once(item, flight)
            except (SourceAway, UpstreamError) as error:
                kind = SourceAway if isinstance(error, SourceAway) else UpstreamError
                pause = next(pauses[kind], None)
                if pause is None:
                    raise
                self._sleep(pause, flight)

    def _land_once(self, item: Item, flight: Flight) -> None:
        flight.check()
        incoming = self._room.fetcher.open(parse_link(item.link), self._headers, flight)
        job = self._running
        try:
            self._room.put(job.principal, (job.job.bucket, item.name),
                           self._paced(incoming, flight), incoming.content_type)
        finally:
            incoming.close()

    def _paced(self, incoming: Incoming, flight: Flight) -> Iterator[bytes]:
        for piece in incoming.pieces():
            yield piece
            self._sleep(self._pace.wait_after(len(piece)), flight)

    def _sleep(self, seconds: float, flight: Flight) -> None:
        """Wait, but not beyond the end of the run or of the object's time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._over.wait(min(left, _TICK_SECONDS)):
                raise DownloadStopped("the download ends")
            flight.check()
