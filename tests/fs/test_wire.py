"""WebHDFS JSON: what is understood, and that nothing else gets through or raises otherwise."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UpstreamFault
from app.core.model import BlockLocation, FileType
from app.fs import wire
from tests.fs.upstream import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

READERS = [wire.file_status, wire.listing, wire.listing_batch, wire.content_summary,
           wire.checksum, wire.acl_status, wire.xattrs, wire.snapshots, wire.path, wire.boolean,
           wire.trash_interval, wire.block_locations]
WORDS = [
    "FileStatus", "FileStatuses", "DirectoryListing", "partialListing", "remainingEntries",
    "ContentSummary", "FileChecksum", "AclStatus", "XAttrs", "SnapshotList", "Path", "boolean",
    "BlockLocations", "BlockLocation", "offset", "hosts", "names", "cachedHosts", "corrupt",
    "FsServerDefaults", "trashInterval", "bytes", "length", "algorithm", "entries", *STATUS]
BLOCK = {
    "offset": 1048576, "length": 5, "hosts": ["a", "b"], "names": ["a:9866", "b:9866"],
    "cachedHosts": ["b"], "corrupt": False, "topologyPaths": ["/r/a:9866", "/r/b:9866"],
    "storageTypes": ["DISK", "SSD"]}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20)


def told(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_status() -> None:
    status = wire.file_status(told({"FileStatus": {**STATUS, "aclBit": True, "ecBit": True}}))
    assert status == (FileType.FILE, "", "644", 5, 134217728, 1, 2, "alice", "supergroup", 1,
                      16391, True, False, True, False, STATUS["childrenNum"],
                      STATUS["storagePolicy"], None)


@pytest.mark.parametrize("given_id", [-1, 0, None])
def test_a_status_without_inode_number(given_id: int | None) -> None:
    facts = {**STATUS, "fileId": given_id}
    if given_id is None:
        del facts["fileId"]
    assert wire.file_status(told({"FileStatus": facts})).file_id == 0


@pytest.mark.parametrize(("name", "value"), [
    ("type", "PIPE"), ("type", 5), ("pathSuffix", None), ("pathSuffix", "../x"), ("length", -1),
    ("length", "5"), ("length", 5.0), ("length", True), ("permission", 644),
    ("permission", "rw-r--r--"), ("permission", ""), ("permission", "-644"),
    ("permission", "77777"), ("owner", None), ("fileId", "x"), ("aclBit", 1), ("replication", [])])
def test_a_status_with_a_wrong_fact(name: str, value: object) -> None:
    with pytest.raises(UpstreamFault):
        wire.file_status(told({"FileStatus": {**STATUS, name: value}}))


@pytest.mark.parametrize("name", sorted(STATUS.keys() - {"fileId", "childrenNum", "storagePolicy"}))
def test_a_status_with_a_missing_fact(name: str) -> None:
    facts = {key: value for key, value in STATUS.items() if key != name}
    with pytest.raises(UpstreamFault):
        wire.file_status(told({"FileStatus": facts}))


def test_listings() -> None:
    entries = {"FileStatuses": {"FileStatus": [{**STATUS, "pathSuffix": n} for n in "ab"]}}
    assert [entry.path_suffix for entry in wire.listing(told(entries)).entries] == ["a", "b"]
    page = wire.listing_batch(told({
        "DirectoryListing": {"partialListing": entries, "remainingEntries": 7}}))
    assert (len(page.entries), page.remaining) == (2, 7)


def test_a_page_of_a_thousand_entries_is_read_in_no_time() -> None:
    entries = [{**STATUS, "pathSuffix": f"name-{i:08}"} for i in range(1000)]
    raw = told({"FileStatuses": {"FileStatus": entries}})
    started = time.process_time()
    for _ in range(10):
        assert len(wire.listing(raw).entries) == 1000
    assert time.process_time() - started < 1


@pytest.mark.parametrize("length", [28, 32])
def test_a_checksum_loses_its_padding(length: int) -> None:
    raw = {"FileChecksum": {"algorithm": "MD5", "bytes": "0A" * 32, "length": length}}
    assert wire.checksum(told(raw)).value == "0a" * length


@pytest.mark.parametrize("value", [{"bytes": "0a", "length": 28}, {"bytes": "zz", "length": 1},
                                   {"bytes": "0a" * 32, "length": -1}])
def test_a_checksum_that_is_none(value: dict[str, Any]) -> None:
    with pytest.raises(UpstreamFault):
        wire.checksum(told({"FileChecksum": {"algorithm": "MD5", **value}}))


def test_xattrs() -> None:
    raw = told({"XAttrs": [{"name": "user.a", "value": "0sAP8="}, {"name": "user.b"},
                           {"name": "user.c", "value": "0s"}]})
    assert wire.xattrs(raw) == {"user.a": b"\0\xff", "user.b": b"", "user.c": b""}


@pytest.mark.parametrize("value", ["0x41", "text", "0s!!", 5])
def test_xattrs_in_another_coding(value: object) -> None:
    with pytest.raises(UpstreamFault):
        wire.xattrs(told({"XAttrs": [{"name": "user.a", "value": value}]}))


def blocks(*items: object) -> bytes:
    return told({"BlockLocations": {"BlockLocation": items}})


def test_block_locations() -> None:
    assert wire.block_locations(blocks()) == []
    without = {name: value for name, value in BLOCK.items() if name != "cachedHosts"}
    assert wire.block_locations(blocks(BLOCK, {**without, "corrupt": True, "hosts": []})) == [
        BlockLocation(1048576, 5, ("a", "b"), ("a:9866", "b:9866"), ("b",), corrupt=False),
        BlockLocation(1048576, 5, (), ("a:9866", "b:9866"), (), corrupt=True)]


@pytest.mark.parametrize("name", ["offset", "length", "hosts", "names", "corrupt"])
def test_a_block_with_a_missing_fact(name: str) -> None:
    with pytest.raises(UpstreamFault):
        wire.block_locations(blocks({key: BLOCK[key] for key in BLOCK if key != name}))


@pytest.mark.parametrize(("name", "value"), [
    ("offset", -1), ("offset", "0"), ("offset", 1.0), ("offset", True), ("offset", None),
    ("length", -1), ("length", []), ("hosts", "a"), ("hosts", {"a": "b"}), ("hosts", [1]),
    ("hosts", None), ("names", [["a:1"]]), ("names", 5), ("cachedHosts", None),
    ("cachedHosts", [None]), ("corrupt", "false"), ("corrupt", 0), ("corrupt", None)])
def test_a_block_with_a_wrong_fact(name: str, value: object) -> None:
    with pytest.raises(UpstreamFault):
        wire.block_locations(blocks(BLOCK, {**BLOCK, name: value}))


@pytest.mark.parametrize("value", [
    None, [], {}, {"BlockLocation": None}, {"BlockLocation": {"offset": 0}},
    {"BlockLocation": "x"}, {"BlockLocation": [None]}, {"BlockLocation": [[]]}])
def test_block_locations_of_another_shape(value: object) -> None:
    with pytest.raises(UpstreamFault):
        wire.block_locations(told({"BlockLocations": value}))


@pytest.mark.parametrize("value", ["relative", "/a/../../b", 5, None])
def test_paths_that_are_none(value: object) -> None:
    with pytest.raises(UpstreamFault):
        wire.path(told({"Path": value}))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"\xff", b"[]", b"5", b"[" * 100_000])
def test_what_is_no_answer_at_all(read: Callable[[bytes], object], raw: bytes) -> None:
    with pytest.raises(UpstreamFault):
        read(raw)


@given(json_values)
def test_whatever_comes_nothing_but_a_fault_is_raised(value: object) -> None:
    for read in READERS:
        try:
            read(told(value))
        except UpstreamFault:
            continue
