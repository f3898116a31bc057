"""One directory in S3's order of keys, from any place, by pages and at constant memory.

What HDFS lists in another order than S3 wants (app.fs.key_ranges) is kept while it is little;
where it is much, it is forgotten, passed over by seeking, and read again when its turn comes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from app.core.errors import UpstreamFault
from app.core.model import FileType
from app.core.objects import COLON, DOT, EMPTY, is_plain_name, part_of_name
from app.core.paths import HIDDEN_MARK, MAX_NAME_BYTES
from app.fs import key_ranges
from app.fs.key_ranges import END, IN_ORDER, SPECIAL_TEXTS, Spot, Unread, as_name, end_of, order_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.core.model import FileStatus, ListingPage
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem

KEEP = 2000
"""So many entries are kept that HDFS lists before their turn, before any is forgotten."""
_UNNAMEABLE = re.compile(f"[\\0{COLON}{DOT}{EMPTY}\ud800-\udfff]")
_UNSEEKABLE = re.compile(f"[\\0{COLON}\ud800-\udfff]")
_COUNTER = re.compile(r"[0-9]{3}(?:\.[A-Za-z][A-Za-z0-9]{0,7}){0,2}/?\Z")
"""The last three digits of a name that ends in them, or in them and a suffix or two."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_text = itemgetter(0)
_least = attrgetter("least")


def ordered(
    fs: FileSystem, directory: HdfsPath, *, after: str | None = None, prefix: str = "",
    keep: int = KEEP,
) -> Iterator[tuple[str, FileStatus]]:
    """Yield the entries of `directory` by text: the key's part, and `/` after a directory's.

    Only those > `after`, which may be any string, and that start with `prefix`. Names that no key
    stands for and symbolic links, which WebHDFS does not follow, are left out; a regular file has
    no entries. Nothing is asked for before the first is wanted. Raises PathNotFound, AccessDenied.
    """
    return iter(KeyOrder(fs, directory, after, prefix, keep))


class KeyOrder:
    """The entries of a directory; iterated once. The parameters are those of `ordered`."""

    def __init__(
        self, fs: FileSystem, directory: HdfsPath, after: str | None, prefix: str, keep: int,
    ) -> None:
        self._fs = fs
        self._directory = directory
        self._prefix = prefix
        self._keep = keep
        self._after = after if after is None else _one_level(after)
        self._told = self._after
        self._kept: list[tuple[str, FileStatus]] = []
        self._unread: list[Unread] = []
        self._aimed: Unread | None = None
        self._went_deep = False

    def __iter__(self) -> Iterator[tuple[str, FileStatus]]:
        """Yield texts and statuses."""
        self._unread = self._to_read()
        spot = self._first_spot() if self._unread else Spot(b"", None)
        while self._unread:
            self._read(spot)
            least = min(self._unread, key=_least).least if self._unread else None
            count = (len(self._kept) if least is None
                     else bisect_right(self._kept, least, key=_text))
            if count:
                ready, self._kept = self._kept[:count], self._kept[count:]
                self._told = ready[-1][0]
                self._went_deep = False
                yield from ready
            if self._unread:
                self._make_room(spot)
                spot = self._next_spot()

    # --- where to read

    def _to_read(self) -> list[Unread]:
        prefix, after = self._prefix, self._after
        beginning, slash, rest = prefix.partition("/")
        if rest or _UNNAMEABLE.search(prefix):
            return []
        if after is not None and not after.startswith(prefix):
            if after > prefix:
                return []
            after = self._after = self._told = None
        stem = as_name(beginning)
        if not self._fs.flavor_of(self._directory).list_batches:
            return [key_ranges.everything("")]
        special = any(text.startswith(prefix) and (after is None or text > after)
                      for text in SPECIAL_TEXTS)
        if after is not None:
            found = key_ranges.after(stem, _seekable(after), special=special)
        elif slash:
            found = [key_ranges.just(stem)] if stem else [key_ranges.specials()]
        else:
            found = [key_ranges.everything(stem)]
        if special and stem:
            found.append(key_ranges.specials())
        return found

    def _first_spot(self) -> Spot:
        """Return where to begin: a little before `after` if that looks like a counter.

        What lies aside of the names that are next is then read together with them.
        """
        nearest = min(self._unread, key=_least)
        after = self._after or ""
        counter = _COUNTER.search(after, len(self._prefix))
        if counter is None:
            return nearest.low
        key = order_key(as_name(_seekable(after[:counter.start()])))
        return min((one.low for one in self._unread if key <= one.low.key),
                   default=nearest.low)

    def _next_spot(self) -> Spot:
        """Return where to read on: at the interval that may hold the least text.

        Of intervals that were set aside those that are due soon are mostly close together in
        HDFS's order: begin at the first of them, and if that did not reach, at the one itself.
        """
        nearest = min(self._unread, key=_least)
        if not nearest.aside or self._aimed is nearest:
            return nearest.low
        self._aimed = nearest
        ahead = min((one.least for one in self._unread if not one.aside), default=None)
        return min(one.low for one in self._unread
                   if one.aside and (ahead is None or one.least < ahead))

    # --- reading

    def _read(self, spot: Spot) -> None:
        page = self._fs.list_page(self._directory, spot.seek)
        if page.entries and not page.entries[0].path_suffix:
            self._unread = []  # a regular file
            return
        more = page.remaining > 0 and bool(page.entries)
        begin = key_ranges.past(spot.seek).key if spot.seek else b""
        end = order_key(page.entries[-1].path_suffix) + b"\0" if more else END
        if end <= begin:
            raise UpstreamFault("HDFS lists a directory in another order than its own")
        taken = self._cover(begin, end, page, spot)
        if taken and page.entries:
            self._keep_of(_within(page.entries, taken))

    def _cover(
        self, begin: bytes, end: bytes, page: ListingPage, spot: Spot,
    ) -> list[tuple[bytes, bytes]]:
        """Note what has been read; return the intervals whose entries are new."""
        taken: list[tuple[bytes, bytes]] = []
        unread: list[Unread] = []
        crowded = len(self._kept) > self._keep
        for one in self._unread:
            wanted = one.low == spot or not crowded
            if one.high <= begin or one.low.key < begin or not wanted:
                unread.append(one)
            elif one.low.key >= end:
                if one.low == spot:
                    # All there was lies between the name to seek and the interval.
                    one.low = Spot(spot.key, page.entries[-1].path_suffix)
                unread.append(one)
            else:
                taken.append((one.low.key, min(one.high, end)))
                if one.high > end:
                    one.read_to(page.entries[-1].path_suffix)
                    unread.append(one)
        self._unread = unread
        return taken

    def _keep_of(self, entries: Sequence[FileStatus]) -> None:
        """Add the entries that are keys, in order."""
        found = [pair for pair in map(_entry, entries) if pair is not None]
        found.sort(key=_text)
        if self._told is not None:
            found = found[bisect_right(found, self._told, key=_text):]
        if not (found and found[0][0].startswith(self._prefix)
                and found[-1][0].startswith(self._prefix)):
            found = [pair for pair in found if pair[0].startswith(self._prefix)]
        if self._kept:
            found += self._kept
            found.sort(key=_text)
        self._kept = found

    # --- forgetting

    def _make_room(self, spot: Spot) -> None:
        """Forget a large group, if much is kept: it is read again when its turn comes.

        Only if reading at `spot` led on where there is still more to read first: so it has led on
        each time that something is forgotten, and comes to an end.
        """
        current = min(self._unread, key=_least)
        if (len(self._kept) <= self._keep or current.base == IN_ORDER
                or current.read_from != spot.key):
            return
        name = current.low.seek or ""
        counts = self._group_sizes(name, current.base)
        deep = max((i for i, count in counts.items() if 2 * count >= len(self._kept)), default=-1)
        if deep >= 0 and not self._went_deep:
            # Names often have a long beginning in common: nothing else need be there.
            self._went_deep = True
            self._forget(name[:deep])
        elif counts:
            largest = max(counts, key=lambda i: (counts[i], -i))
            if counts[largest] * 8 >= self._keep:
                self._forget(name[:largest])

    def _group_sizes(self, name: str, base: int) -> dict[int, int]:
        """Return how many are kept of the group of each beginning of `name`, by its length."""
        counts: dict[int, int] = {}
        for text, status in self._kept:
            other = status.path_suffix if text not in SPECIAL_TEXTS else ""
            for found in _NOT_ASCII.finditer(other, base):
                i = found.start()
                if i >= len(name) or other[:i] != name[:i]:
                    break
                counts[i] = counts.get(i, 0) + 1
        return counts

    def _forget(self, name: str) -> None:
        """Turn the group of `name` into something unread."""
        begin, rest, told = key_ranges.past(name).key, key_ranges.end_of_group(name), self._told
        # What counts as an empty part, `.` or `..` comes first: once read, it stays.
        special = any(one.low.key < end_of(EMPTY) and order_key(DOT) < one.high
                      for one in self._unread)
        self._kept = [(text, status) for text, status in self._kept
                      if not begin <= order_key(status.path_suffix) < rest.key
                      or (text in SPECIAL_TEXTS and not special)]
        unread = [one for one in self._unread if one.low.key < begin or rest.key < one.high]
        for one in unread:
            if begin <= one.low.key < rest.key:
                one.low = rest
                one.read_from = None
        self._unread = unread + key_ranges.group(
            name, colon=told is None or told < f"{key_ranges.as_text(name)};", special=special)


def _entry(status: FileStatus) -> tuple[str, FileStatus] | None:
    """Return the text of an entry with its status, None for what is no key."""
    name = status.path_suffix
    if name.isascii():
        if len(name) > MAX_NAME_BYTES or name.startswith(HIDDEN_MARK) or ":" in name:
            return None
    elif not is_plain_name(name) or ":" in name or len(name.encode()) > MAX_NAME_BYTES:
        return None
    else:
        name = part_of_name(name)
    if status.type is FileType.FILE:
        return name, status
    return (f"{name}/", status) if status.type is FileType.DIRECTORY else None


def _within(
    entries: Sequence[FileStatus], taken: list[tuple[bytes, bytes]],
) -> Sequence[FileStatus]:
    """Return the entries whose names are in one of these intervals of order keys."""
    if len(taken) == 1:
        begin, end = taken[0]
        if (begin <= order_key(entries[0].path_suffix)
                and order_key(entries[-1].path_suffix) < end):
            return entries
    taken.sort()
    found = []
    for entry in entries:
        key = order_key(entry.path_suffix)
        i = bisect_right(taken, key, key=_text) - 1
        if i >= 0 and key < taken[i][1]:
            found.append(entry)
    return found


def _one_level(after: str) -> str:
    """Return `after` without what follows a `/`: texts have none but at their end."""
    head, slash, _ = after.partition("/")
    return head + slash


def _seekable(after: str) -> str:
    """Return a text not greater than `after` and little less that names can be sought by."""
    found = _UNSEEKABLE.search(after)
    if found:
        before = {"\0": "", COLON: "\uf039\U0010ffff"}.get(found[0], "\ud7ff\U0010ffff")
        after = after[:found.start()] + before
    return after.encode()[:MAX_NAME_BYTES + 1].decode(errors="ignore")
