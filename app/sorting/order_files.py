"""Order files: which record goes to which output shard, from a bucket or from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from app.core.errors import InvalidParameter
from app.core.model import ByteRange
from app.core.sort_errors import SortFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.fs.objects import ObjectStore
    from app.jobs.running import Running

    Fetch = Callable[[str], Iterator[bytes]]

MOST_BYTES = 256 * 1024**2
_PIECE = 256 * 1024
_OBJECT = "ais"


class OrderFiles:
    """Reads order files; `fetch` gets those that http and https links name, as downloads do."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def save(
        self, objects: ObjectStore, place: str, running: Running, target: Path,
    ) -> None:
        """Write the order file at `place` to `target`: as lines it could fill the memory.

        Raises SortFailed and kin.
        """
        if urlsplit(place).scheme == _OBJECT:
            pieces = _object(objects, *object_of(place))
        else:
            pieces = self._fetch(place)
        size = 0
        with target.open("wb") as file:
            for piece in pieces:
                running.check()
                size += len(piece)
                if size > MOST_BYTES:
                    raise SortFailed(f"the order file has more than {MOST_BYTES} bytes")
                file.write(piece)


def check_place(place: str, own_url: str) -> str:
    """Return where an order file lies, `ais://bucket/object` for one of this gateway's objects.

    Raises InvalidParameter.
    """
    inside = f"{own_url}/v1/objects/"
    if place.startswith(inside):
        path = urlsplit(place).path.partition("/v1/objects/")[2]
        place = f"{_OBJECT}://{unquote(path)}"
    allowed = "a URL: http://…, https://… or ais://bucket/object"
    if "://" not in place or place.partition("://")[0] not in (_OBJECT, "http", "https"):
        raise InvalidParameter("order_file", place, allowed)
    if place.startswith(f"{_OBJECT}:") and not all(object_of(place)):
        raise InvalidParameter("order_file", place, allowed)
    return place


def object_of(place: str) -> tuple[str, str]:
    """Return bucket and object of `ais://bucket/object`."""
    bucket, _, name = place.removeprefix(f"{_OBJECT}://").partition("/")
    return bucket, name


def _object(objects: ObjectStore, bucket: str, name: str) -> Iterator[bytes]:
    info = objects.info(bucket, name)
    source = objects.open(info, ByteRange(0, info.size))
    try:
        while piece := source.read(_PIECE):
            yield piece
    finally:
        source.close()
