"""One source read for the gateway's own use, under the same rules as downloads into buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.downloads.fetching import Fetcher, Limits
from app.downloads.flight import Flight
from app.downloads.guard import Guard
from app.downloads.links import parse_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import DownloadSettings


def fetched(settings: DownloadSettings, link: str) -> Iterator[bytes]:
    """Yield the content of a source. Raises DownloadsDisabled, SourceRefused, SourceFault."""
    fetcher = Fetcher(
        Guard(settings.hosts, settings.private_networks),
        Limits(settings.timeout, settings.max_bytes, settings.min_rate))
    incoming = fetcher.open(parse_link(link), {}, Flight(0, link, settings.max_seconds))
    try:
        yield from incoming.pieces()
    finally:
        incoming.close()
