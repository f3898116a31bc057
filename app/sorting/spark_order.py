"""In which order records come, and where one output shard ends and the next begins."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from app.sorting.spark_errors import SortError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_KEY = 64 * 1024
"""The longest file, in bytes, whose content can be a key."""
_INT = re.compile(rb"[+-]?[0-9]{1,300}")


class Piece(NamedTuple):
    """One file of a record: `place` is its input shard's number and its own in that."""

    place: tuple[int, int]
    extension: str
    size: int
    key: Any


class Record(NamedTuple):
    """Files that stay together; `key` is what the content algorithm sorts by, else None."""

    name: str
    key: Any
    size: int
    pieces: tuple[Piece, ...]
    duplicates: tuple[str, ...]


class Cut(NamedTuple):
    """One output shard: from which record on, which name it gets of its kind, how many of those."""

    first: int
    group: str
    number: int


def content_key(name: str, data: bytes, format_type: str) -> Any:
    """Return what the content of the file `name` is as a key. Raises SortError."""
    if len(data) > MAX_KEY:
        raise SortError(f"file '{name}' has {len(data)} bytes; a key has at most {MAX_KEY}")
    text = data.strip()
    if format_type == "int":
        if not _INT.fullmatch(text):
            raise SortError(f"the content of file '{name}' is no integer")
        return int(text)
    if format_type == "float":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            raise SortError(f"the content of file '{name}' is no number")
        return number
    return data


def merged(name: str, pieces: Iterable[Piece]) -> Record:
    """Return the record that these files make, wherever they come from.

    Of several files with one extension the first in the order of the input counts.
    """
    kept: dict[str, Piece] = {}
    duplicates = []
    for piece in sorted(pieces, key=lambda one: one.place):
        if piece.extension in kept:
            duplicates.append(name + piece.extension)
        else:
            kept[piece.extension] = piece
    key = next((piece.key for piece in kept.values() if piece.key is not None), None)
    return Record(name, key, sum(piece.size for piece in kept.values()), tuple(kept.values()),
                  tuple(duplicates))


def sort_key(record: Record, algorithm: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what orders a record among all others; no two have the same. Raises SortError."""
    kind, name = algorithm["kind"], record.name
    if kind == "none":
        return record.pieces[0].place
    if kind == "content":
        if record.key is None:
            raise SortError(f"record '{name}' has no file {algorithm['extension']} to be sorted by")
        return (record.key, _octets(name))
    if kind == "md5":
        return (hashlib.md5(_octets(name), usedforsecurity=False).hexdigest(), _octets(name))
    if kind == "shuffle":
        drawn = hashlib.sha256(f"{algorithm['seed']}:".encode() + _octets(name)).digest()
        return (drawn, _octets(name))
    return (_octets(name),)


def _octets(name: str) -> bytes:
    # Names in archives need not be Unicode.
    return name.encode("utf-8", "surrogateescape")


def cuts(records: Iterable[tuple[str, int]], limit: float, *, most: int | None) -> Iterator[Cut]:
    """Yield where each output shard begins, of each record's (group, size) in order.

    A shard ends with the record that brings it to `limit` bytes, and with its group. Raises
    SortError for more shards than `most`.
    """
    size, group, number, made = 0.0, None, 0, 0
    for index, (own_group, own_size) in enumerate(records):
        if own_group != group or size >= limit:
            number = number + 1 if own_group == group else 0
            size, group, made = 0.0, own_group, made + 1
            if most is not None and made > most:
                raise SortError(f"more output shards are needed than the {most} names that"
                                " output_format has")
            yield Cut(index, own_group, number)
        size += own_size


def read_order(
    lines: Iterable[str], separator: str, *, most: int,
) -> tuple[dict[str, str], list[int]]:
    """Return which shards each record goes to, by an order file, and the numbers of bad lines.

    A line is a record's name, the separator, and the format of its shards' names. Raises SortError
    for more lines than `most`.
    """
    order: dict[str, str] = {}
    malformed = []
    for number, line in enumerate(lines, 1):
        if number > most:
            raise SortError(f"the order file has more than {most} lines: more memory is needed"
                            " (setting sort.memory)")
        text = line.strip("\r\n")
        if not text.strip():
            continue
        name, _, pattern = text.partition(separator)
        if not name or not pattern or separator in pattern:
            malformed.append(number)
        else:
            order[name.strip()] = pattern.strip()
    return order, malformed


def compression(figures: Iterable[Sequence[float]]) -> float:
    """Return how many bytes one unpacked byte takes, of shards' (packed, unpacked) bytes."""
    packed = unpacked = 0.0
    for one, other in figures:
        packed, unpacked = packed + one, unpacked + other
    return packed / unpacked if packed and unpacked else 1.0
