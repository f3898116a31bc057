"""Where blocks lie, over the embedded server, a real NameNode and a real HttpFS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core import errors
from app.core.paths import HdfsPath, child_of

if TYPE_CHECKING:
    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.webhdfs import WebHdfsBackend

MIB = 1 << 20
LENGTH = 2 * MIB + 5
RANGES = [(0, MIB), (MIB, MIB), (2 * MIB, 5)]


@pytest.fixture
def path(alice: WebHdfsFileSystem, directory: HdfsPath) -> HdfsPath:
    """Return a file of two blocks and a bit."""
    made = child_of(directory, "f ä+%41")
    alice.create(made, [bytes(MIB), bytes(MIB), b"12345"], block_size=MIB)
    return made


def test_each_block_has_its_range_and_its_hosts(alice: WebHdfsFileSystem, path: HdfsPath) -> None:
    blocks = alice.block_locations(path, LENGTH)
    assert [(block.offset, block.length) for block in blocks] == RANGES
    for block in blocks:
        (name,) = block.names
        (host,) = block.hosts
        address, _, port = name.rpartition(":")
        assert address
        assert host
        assert 0 < int(port) < 65536
        assert (block.cached_hosts, block.corrupt) == ((), False)


@pytest.mark.parametrize(("length", "count"), [
    (1, 1), (MIB, 1), (MIB + 1, 2), (2 * MIB, 2), (2 * MIB + 1, 3), (10 * MIB, 3), (2**62, 3)])
def test_only_the_blocks_of_the_first_bytes_are_told(
    alice: WebHdfsFileSystem, path: HdfsPath, length: int, count: int,
) -> None:
    blocks = alice.block_locations(path, length)
    assert [(block.offset, block.length) for block in blocks] == RANGES[:count]


def test_an_empty_file_has_no_blocks(alice: WebHdfsFileSystem, directory: HdfsPath) -> None:
    path = child_of(directory, "empty")
    alice.create(path, [])
    assert list(alice.block_locations(path, 0)) == []
    assert list(alice.block_locations(path, 100)) == []


def test_blocks_follow_what_is_appended_and_cut(
    alice: WebHdfsFileSystem, directory: HdfsPath,
) -> None:
    path = child_of(directory, "f")
    alice.create(path, [bytes(10)], block_size=MIB)
    alice.append(path, [bytes(MIB)])
    assert [b.length for b in alice.block_locations(path, MIB + 10)] == [MIB, 10]
    assert alice.truncate(path, MIB)
    assert [b.length for b in alice.block_locations(path, MIB)] == [MIB]


def test_what_has_no_blocks(
    alice: WebHdfsFileSystem, directory: HdfsPath, path: HdfsPath,
) -> None:
    with pytest.raises(errors.NotAFile) as caught:
        alice.block_locations(directory, 1)
    assert caught.value.path == directory
    for missing in (child_of(directory, "none"), HdfsPath(f"{path}/below")):
        with pytest.raises(errors.PathNotFound) as gone:
            alice.block_locations(missing, 1)
        assert gone.value.path == missing


def test_who_may_not_read_is_not_told(
    backend: WebHdfsBackend, alice: WebHdfsFileSystem, path: HdfsPath,
) -> None:
    bob = backend.as_user("bob")
    assert len(bob.block_locations(path, LENGTH)) == 3
    alice.set_permission(path, "600")
    with pytest.raises(errors.AccessDenied):
        bob.block_locations(path, LENGTH)


def test_a_file_is_asked_for_by_its_number_too(alice: WebHdfsFileSystem, path: HdfsPath) -> None:
    number = alice.status(path).file_id
    blocks = alice.block_locations(HdfsPath(f"/.reserved/.inodes/{number}"), LENGTH)
    assert blocks == alice.block_locations(path, LENGTH)
