"""Listings of a bucket: pages of keys and common prefixes, with the ETag of each object."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from app.core.objects import Entry, EntryPage
from app.fs.object_meta import EMPTY_MD5
from app.fs.object_renaming import ObjectRenaming
from app.fs.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.fs.walk import KeyEntry

AT_ONCE = 16
"""So many files are asked for their ETags at the same time."""


class ObjectListing(ObjectRenaming):
    """The listings of one principal's buckets."""

    def list(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "",
        limit: int = 1000, etags: bool = True,
    ) -> EntryPage:
        """Return up to `limit` (>= 1) keys and common prefixes > `after`, in key order.

        ETags come from what this worker remembers, else from one call a file. Raises
        NoSuchBucket, AccessDenied where a directory may not be listed.
        """
        path = self.bucket_path(bucket)
        self.require_bucket(path)
        keys = walk(self._fs, path, prefix=prefix, delimiter=delimiter, after=after,
                    is_marker=self._directories.is_marker)
        found = list(islice(keys, limit))
        more = len(found) == limit and next(keys, None) is not None
        told = self._etags_of(found) if etags else [""] * len(found)
        entries = [Entry(one.key, one.status, etag)
                   for one, etag in zip(found, told, strict=True)]
        return EntryPage(entries, found[-1].key if more else None)

    def _etags_of(self, found: Sequence[KeyEntry]) -> Sequence[str]:
        """Return the ETags in the same order; "" for a common prefix."""
        etags = [self._known_etag(one) for one in found]
        unknown = [place for place, etag in enumerate(etags) if etag is None]
        if unknown:
            with ThreadPoolExecutor(min(AT_ONCE, len(unknown))) as pool:
                asked = pool.map(self._asked_etag, (found[place] for place in unknown))
                for place, etag in zip(unknown, asked, strict=True):
                    etags[place] = etag
        return [etag or "" for etag in etags]

    def _known_etag(self, one: KeyEntry) -> str | None:
        if one.status is None:
            return ""
        if one.status.is_directory:
            return EMPTY_MD5
        return self._etags.get(self._fs.user, one.status)

    def _asked_etag(self, one: KeyEntry) -> str:
        return self.etag(one.path, one.status) if one.status else ""
