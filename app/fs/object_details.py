"""What is kept beside many objects at once, for listings that tell it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from app.core.errors import AccessDenied, PathNotFound
from app.core.objects import ObjectInfo
from app.fs.object_meta import OBJECT, decode
from app.fs.object_reading import ObjectReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.objects import Entry

AT_ONCE = 16
"""So many files are asked at the same time."""


class ObjectDetails(ObjectReader):
    """The objects of one principal, several at a time."""

    def details(self, bucket: str, entries: Sequence[Entry]) -> list[ObjectInfo]:
        """Return what the entries of a listing without prefixes are, by one call for each.

        What may not be read, or vanished meanwhile, has an ETag derived from its status alone.
        """
        if not entries:
            return []
        with ThreadPoolExecutor(min(AT_ONCE, len(entries))) as pool:
            return list(pool.map(lambda entry: self._detailed(bucket, entry), entries))

    def _detailed(self, bucket: str, entry: Entry) -> ObjectInfo:
        status = entry.status
        if status is None:
            raise ValueError(entry.key)
        place = self.locate(bucket, entry.key)
        path = place.path if status.is_directory else place.content
        try:
            raw = self._xattrs(path, status).get(OBJECT)
        except (AccessDenied, PathNotFound):
            raw = None
        return ObjectInfo(entry.key, path, status, decode(raw, status))
