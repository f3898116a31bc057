"""One source read for the gateway's own use, under the same rules as downloads into buckets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.downloads.fetching import Fetcher, Limits
from app.downloads.flight import Flight
from app.downloads.guard import Guard
from app.downloads.links import parse_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import DownloadSettings


_LOOK_SECONDS = 0.25


def fetched(settings: DownloadSettings, link: str) -> Iterator[bytes]:
    """Yield the content of a source. Raises DownloadsDisabled, SourceRefused, SourceFault."""
    fetcher = Fetcher(
        Guard(settings.hosts, settings.private_networks),
        Limits(settings.timeout, settings.max_bytes, settings.min_rate))
    flight, over = Flight(0, link, settings.max_seconds), threading.Event()
    threading.Thread(target=_watch, args=(flight, over), daemon=True).start()
    try:
        incoming = fetcher.open(parse_link(link), {}, flight)
        try:
            yield from incoming.pieces()
        finally:
            incoming.close()
    finally:
        over.set()


def _watch(flight: Flight, over: threading.Event) -> None:
    """End a flight whose time is over: its own timeouts may never come, see Flight.expect."""
    while not over.wait(_LOOK_SECONDS):
        if flight.overdue():
            flight.stop("")
