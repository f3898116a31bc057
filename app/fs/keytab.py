"""Whose keys a keytab holds: what Kerberos itself says of a wrong one does not help anybody.

The format is MIT's, version 2 (doc/formats/keytab_file_format in krb5's documentation). Keys are
skipped and never kept.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x05\x02"
SIZE_LIMIT = 1024 * 1024
"""Bytes; a key is about a hundred."""


class BadKeytab(Exception):
    """The file cannot be read, or is no keytab; the message is a sentence about it."""


def principals(file: Path) -> frozenset[str]:
    """Return the principals of a keytab, like "HTTP/host@REALM". Raises BadKeytab."""
    try:
        with file.open("rb") as opened:
            data = opened.read(SIZE_LIMIT)
    except FileNotFoundError:
        raise BadKeytab("the keytab does not exist") from None
    except PermissionError:
        raise BadKeytab("the gateway's user may not read the keytab") from None
    except OSError as error:
        raise BadKeytab(f"the keytab cannot be read: {error.strerror}") from None
    if not data.startswith(MAGIC):
        raise BadKeytab("the keytab is no keytab, or one of a format older than 2")
    try:
        return frozenset(_principals(data))
    except (struct.error, UnicodeDecodeError):
        raise BadKeytab("the keytab is damaged") from None


def _principals(data: bytes) -> list[str]:
    found: list[str] = []
    at = len(MAGIC)
    while at + 4 <= len(data):
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        # A negative size is the room that a removed key has left, and 0 is the end.
        if at + abs(size) > len(data):
            raise struct.error
        if size > 0:
            found.append(_principal(data, at))
        elif size == 0:
            break
        at += abs(size)
    return found


def _principal(data: bytes, at: int) -> str:
    (count,) = struct.unpack_from(">H", data, at)
    at += 2
    words: list[str] = []
    for _ in range(count + 1):
        (length,) = struct.unpack_from(">H", data, at)
        words.append(struct.unpack_from(f"{length}s", data, at + 2)[0].decode())
        at += 2 + length
    return f"{'/'.join(words[1:])}@{words[0]}"
