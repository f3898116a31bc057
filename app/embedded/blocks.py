"""A file's content as rows: stretches of data files, grouped into HDFS blocks."""

import sqlite3
from typing import NamedTuple

from app.embedded.datafiles import Stretch
from app.embedded.inodes import Inode
from app.embedded.removal import bury_if_unused, remove_blocks


class Row(NamedTuple):
    """One stretch of a file and the HDFS block that it is (a part) of."""

    seq: int
    block: int
    data: int
    start: int
    length: int


class Block(NamedTuple):
    """An HDFS block: its number, its offset in the file, and where its bytes lie."""

    number: int
    offset: int
    length: int
    stretches: list[Stretch]


def rows_of(connection: sqlite3.Connection, inode: int) -> list[Row]:
    """Read the stretches of a file in order."""
    rows = connection.execute(
        "SELECT seq, block, data, start, length FROM blocks WHERE inode = ? ORDER BY seq",
        (inode,),
    )
    return [Row._make(row) for row in rows]


def blocks_of(connection: sqlite3.Connection, inode: int) -> list[Block]:
    """Read the blocks of a file in order."""
    blocks: list[Block] = []
    offset = 0
    for row in rows_of(connection, inode):
        stretch = Stretch(row.data, row.start, row.length)
        if blocks and blocks[-1].number == row.block:
            last = blocks[-1]
            blocks[-1] = last._replace(
                length=last.length + row.length, stretches=[*last.stretches, stretch]
            )
        else:
            blocks.append(Block(row.block, offset, row.length, [stretch]))
        offset += row.length
    return blocks


def cut(blocks: list[Block], offset: int, length: int) -> list[Stretch]:
    """Give the stretches that hold `length` bytes from `offset`."""
    result = []
    end = offset + length
    for block in blocks:
        position = block.offset
        for stretch in block.stretches:
            first, last = max(offset, position), min(end, position + stretch.length)
            if first < last:
                result.append(Stretch(stretch.data, stretch.start + first - position, last - first))
            position += stretch.length
    return result


def room(connection: sqlite3.Connection, inode: Inode) -> int:
    """Tell how many bytes a file's last block takes before a new one begins."""
    existing = blocks_of(connection, inode.id)
    return max(inode.blocksize - existing[-1].length, 0) if existing else 0


def append(
    connection: sqlite3.Connection, inode: Inode, data: int, start: int, length: int
) -> None:
    """Add a stretch to a file: fill its last block up to the block size, then begin new ones."""
    if not length:
        return
    existing = blocks_of(connection, inode.id)
    seq = connection.execute(
        "SELECT coalesce(max(seq), -1) + 1 FROM blocks WHERE inode = ?", (inode.id,)
    ).fetchone()[0]
    free = inode.blocksize - existing[-1].length if existing else 0
    pieces: list[tuple[int, int]] = []
    if free > 0:
        taken = min(free, length)
        _extend_last(connection, inode.id, Row(seq, existing[-1].number, data, start, taken))
        start, length, seq = start + taken, length - taken, seq + 1
    while length > 0:
        taken = min(inode.blocksize, length)
        pieces.append((start, taken))
        start, length = start + taken, length - taken
    first = _new_numbers(connection, len(pieces)) if pieces else 0
    connection.executemany(
        "INSERT INTO blocks (inode, seq, block, data, start, length) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (inode.id, seq + index, first + index, data, begin, taken)
            for index, (begin, taken) in enumerate(pieces)
        ],
    )


def _extend_last(connection: sqlite3.Connection, inode: int, row: Row) -> None:
    """Lengthen the last stretch where the new bytes follow it on disk, else add a row."""
    lengthened = connection.execute(
        "UPDATE blocks SET length = length + ? WHERE inode = ? AND seq = ? AND data = ?"
        " AND start + length = ?",
        (row.length, inode, row.seq - 1, row.data, row.start),
    ).rowcount
    if not lengthened:
        connection.execute(
            "INSERT INTO blocks (inode, seq, block, data, start, length) VALUES (?, ?, ?, ?, ?, ?)",
            (inode, *row),
        )


def _new_numbers(connection: sqlite3.Connection, count: int) -> int:
    """Take `count` block numbers; returns the first."""
    (last,) = connection.execute(
        "UPDATE counters SET value = value + ? WHERE name = 'block' RETURNING value", (count,)
    ).fetchone()
    return int(last) - count + 1


def truncate(connection: sqlite3.Connection, inode: int, length: int) -> list[int]:
    """Drop what lies behind `length`; returns data files that nothing uses any more."""
    position = 0
    for row in rows_of(connection, inode):
        if position + row.length > length:
            keep = length - position
            first_dropped = row.seq
            if keep:
                connection.execute(
                    "UPDATE blocks SET length = ? WHERE inode = ? AND seq = ?",
                    (keep, inode, row.seq),
                )
                first_dropped += 1
            return remove_blocks(connection, inode, first_dropped)
        position += row.length
    return []


def concatenate(connection: sqlite3.Connection, target: int, sources: list[int]) -> None:
    """Move the stretches of some files behind those of the target."""
    for source in sources:
        connection.execute(
            """UPDATE blocks SET inode = :target, seq = seq + (
                SELECT coalesce(max(seq), -1) + 1 FROM blocks WHERE inode = :target
            ) WHERE inode = :source""",
            {"target": target, "source": source},
        )


def new_data(connection: sqlite3.Connection, lease: str) -> int:
    """Make the row of a data file that is going to be written under a lease."""
    data = connection.execute("INSERT INTO data (lease) VALUES (?)", (lease,)).lastrowid
    assert data is not None
    return data


def tail(connection: sqlite3.Connection, inode: int) -> tuple[int, int] | None:
    """Give data file and length where an append can write behind a file's last byte.

    None where the data file goes on behind it: after a truncate, or in a snapshot.
    """
    row: tuple[int, int] | None = connection.execute(
        """SELECT d.id, d.length FROM blocks b JOIN data d ON d.id = b.data
            WHERE b.inode = ? AND d.lease IS NULL AND b.start + b.length = d.length
            AND b.seq = (SELECT max(seq) FROM blocks WHERE inode = b.inode)""",
        (inode,),
    ).fetchone()
    return row


def settle(connection: sqlite3.Connection, data: int, length: int) -> bool:
    """Commit the length of a data file that was written; tells whether nothing uses it."""
    connection.execute("UPDATE data SET length = ?, lease = NULL WHERE id = ?", (length, data))
    return bury_if_unused(connection, data)
