"""Whose keys a keytab holds."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest

from app.fs.keytab import BadKeytab, principals

if TYPE_CHECKING:
    from pathlib import Path


def entry(realm: str, *names: str) -> bytes:
    """Return one key of a keytab, as krb5's documentation draws it."""
    words = b"".join(struct.pack(">H", len(word.encode())) + word.encode()
                     for word in (realm, *names))
    key = struct.pack(">HH", 18, 32) + bytes(32)
    body = struct.pack(">H", len(names)) + words + struct.pack(">IIB", 1, 0, 3) + key
    return struct.pack(">i", len(body)) + body


def removed(size: int) -> bytes:
    """Return the room of a key that is gone."""
    return struct.pack(">i", -size) + b"\xff" * size


def test_principals_of_all_keys(tmp_path: Path) -> None:
    file = tmp_path / "keytab"
    file.write_bytes(b"\x05\x02" + entry("A.COM", "HTTP", "host") + removed(57)
                     + entry("B.COM", "gäteway") + entry("A.COM", "HTTP", "host"))
    assert principals(file) == {"HTTP/host@A.COM", "gäteway@B.COM"}


def test_an_empty_keytab(tmp_path: Path) -> None:
    file = tmp_path / "keytab"
    file.write_bytes(b"\x05\x02" + bytes(8))
    assert principals(file) == frozenset()


@pytest.mark.parametrize(("content", "said"), [
    (b"", "is no keytab"), (b"\x05\x01abc", "format older than 2"), (b"hello", "is no keytab"),
    (b"\x05\x02\0\0\0\x20\0\x02\0", "damaged"), (b"\x05\x02" + entry("R", "n")[:12], "damaged"),
    (b"\x05\x02\0\0\0\x08\0\x01\0\x01\xff\0\x01\xff", "damaged"),
])
def test_what_is_no_keytab(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "keytab"
    file.write_bytes(content)
    with pytest.raises(BadKeytab, match=said):
        principals(file)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadKeytab, match="does not exist"):
        principals(tmp_path / "nothing")
    with pytest.raises(BadKeytab, match="cannot be read"):
        principals(tmp_path)
    sealed = tmp_path / "sealed"
    sealed.write_bytes(b"\x05\x02")
    sealed.chmod(0)
    if os.access(sealed, os.R_OK):
        assert principals(sealed) == frozenset()  # root reads everything
    else:
        with pytest.raises(BadKeytab, match="may not read"):
            principals(sealed)
