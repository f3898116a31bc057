"""Archives as shards: every file of them comes out and goes in, and nothing in them does harm."""

from __future__ import annotations

import io
import random
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sorting.spark_errors import SortError
from app.sorting.spark_shards import (
    EXTENSIONS,
    Member,
    read_shard,
    size_in_shard,
    split_name,
    write_shard,
)
from tests.sorting.shards import files_of, make_shard

FILES = [("a/one.txt", b"1"), ("b.cls", b""), ("ünï/três.txt.gz", b"3" * 5000)]
PLENTY = 10**9


def members(
    extension: str, shard: bytes, *, most: int = PLENTY, room: int = PLENTY,
) -> list[Member]:
    return list(read_shard("s", io.BytesIO(shard), extension, most=most, room=room))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_files_come_out_and_go_in_as_they_were(extension: str) -> None:
    found = members(extension, make_shard(extension, FILES))
    assert [(one.name, one.data) for one in found] == FILES
    target = io.BytesIO()
    assert write_shard(target, extension, found) == len(FILES)
    assert files_of(extension, target.getvalue()) == FILES
    again = io.BytesIO()
    write_shard(again, extension, members(extension, target.getvalue()))
    assert again.getvalue() == target.getvalue()


def test_what_a_tar_says_of_its_files_stays() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("x" * 150)
        info.mode, info.mtime, info.uid, info.uname = 0o640, 1234567890.5, 77, "zoé"
        info.pax_headers = {"comment": "kept"}
        tar.addfile(info)
    target = io.BytesIO()
    write_shard(target, ".tar", members(".tar", packed.getvalue()))
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as tar:
        (found,) = tar.getmembers()
    assert (found.name, found.mode, found.mtime, found.uid, found.uname) == (
        "x" * 150, 0o640, 1234567890.5, 77, "zoé")
    assert found.pax_headers["comment"] == "kept"


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_names_are_only_names(extension: str) -> None:
    files = [("../../etc/passwd", b"x"), ("/etc/shadow", b"y"), ("..", b"z")]
    found = members(extension, make_shard(extension, files))
    assert [one.name for one in found] == [name for name, _ in files]


def test_directories_are_left_out_and_links_refused() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        directory = tarfile.TarInfo("d")
        directory.type = tarfile.DIRTYPE
        tar.addfile(directory)
    assert members(".tar", packed.getvalue()) == []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            link = tarfile.TarInfo("innocent")
            link.type, link.linkname = kind, "/etc/passwd"
            tar.addfile(link)
        with pytest.raises(SortError, match="shard s: 'innocent' is no regular file"):
            members(".tar", packed.getvalue())


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_bomb_is_not_unpacked(extension: str) -> None:
    bomb = make_shard(extension, [("bomb", b"\0" * 3_000_000), ("more", b"\0" * 3_000_000)])
    with pytest.raises(SortError, match=r"file 'bomb' has 3000000 bytes; .* at most 1000000"):
        members(extension, bomb, most=1_000_000)
    with pytest.raises(SortError, match=r"sort\.max_bytes"):
        members(extension, bomb, room=5_000_000)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("cut", [10, 700, -20])
def test_a_shard_that_is_cut_short_or_no_archive_fails(extension: str, cut: int) -> None:
    whole = make_shard(extension, [(f"{i}.bin", bytes(range(256)) * 20) for i in range(9)])
    if extension == ".tar" and cut < 0:
        cut = 30_000  # in the middle of a file; behind the last one is nothing but zeros
    with pytest.raises(SortError, match="shard s"):
        members(extension, whole[:cut])
    with pytest.raises(SortError, match=f"shard s cannot be read as {extension}"):
        members(extension, b"no archive, but some text " * 100)


@pytest.mark.parametrize("extension", [".tgz", ".zip"])
def test_one_flipped_bit_is_found(extension: str) -> None:
    content = random.Random(1).randbytes(20_000)  # deflate stores it as it is
    shard = bytearray(make_shard(extension, [("a", content)]))
    shard[len(shard) // 2] ^= 1
    with pytest.raises(SortError, match="shard s cannot be read"):
        members(extension, bytes(shard))


def test_an_encrypted_zip_fails() -> None:
    shard = bytearray(make_shard(".zip", [("a", b"content" * 100)]))
    shard[6] |= 1
    directory = shard.index(b"PK\x01\x02")
    shard[directory + 8] |= 1
    with pytest.raises(SortError, match="'a' is encrypted"):
        members(".zip", bytes(shard))


@pytest.mark.parametrize(("name", "record", "extension"), [
    ("a.txt", "a", ".txt"), ("a.b/c.jpg.txt", "a.b/c", ".jpg.txt"), ("a.b/c", "a.b/c", ""),
    (".hidden", "", ".hidden"), ("d/.x.y", "d/", ".x.y"), ("plain", "plain", ""),
])
def test_a_record_is_what_stands_before_the_first_dot(
    name: str, record: str, extension: str,
) -> None:
    assert split_name(name) == (record, extension)


@given(st.lists(st.binary(max_size=3000), max_size=8))
def test_sizes_in_a_tar_are_what_files_take_there(contents: list[bytes]) -> None:
    files = [Member(f"f{number}", {}, content) for number, content in enumerate(contents)]
    target = io.BytesIO()
    write_shard(target, ".tar", files)
    taken = sum(size_in_shard(one, ".tar") for one in files)
    # A tar ends with two blocks of zeros and is filled up to 20 blocks.
    assert len(target.getvalue()) == -(-(taken + 1024) // 10240) * 10240
