"""ETags, checksums and sizes of joined parts, and the names and records of uploads; no I/O."""

from __future__ import annotations

import base64
import random
import zlib

import pytest
from awscrt import checksums as crt
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UpstreamFault
from app.core.model import FileStatus, FileType
from app.core.object_errors import InvalidPart
from app.core.objects import ObjectMeta, Part, PartClaim, Upload
from app.core.paths import HdfsPath
from app.fs import part_sizes, part_sums
from app.fs import upload_layout as layout
from app.fs.upload_plan import Plan, batches

KINDS = {"CRC32": (crt.crc32, 4), "CRC32C": (crt.crc32c, 4), "CRC64NVME": (crt.crc64nvme, 8)}
DIGESTS = st.binary(min_size=16, max_size=16).map(bytes.hex)
SUMS = st.dictionaries(st.sampled_from(["CRC64NVME", "SHA512", "XXHASH3"]),
                       st.binary(min_size=1, max_size=64).map(
                           lambda raw: base64.b64encode(raw).decode()))


def part_of(number: int, content: bytes, kind: str) -> Part:
    function, size = KINDS[kind]
    value = base64.b64encode(function(content).to_bytes(size, "big")).decode()
    return Part(number, "0" * 32, len(content), 0, {kind: value})


@given(st.sampled_from(sorted(KINDS)), st.lists(st.binary(max_size=300), min_size=1, max_size=9))
def test_checksums_of_the_whole_are_made_of_those_of_parts(
    kind: str, contents: list[bytes],
) -> None:
    parts = [part_of(i, content, kind) for i, content in enumerate(contents, 1)]
    function, size = KINDS[kind]
    whole = function(b"".join(contents)).to_bytes(size, "big")
    assert part_sums.checksums_of(parts, kind, "FULL_OBJECT") == {
        kind: base64.b64encode(whole).decode()}


def test_a_composite_checksum_is_that_of_the_parts_checksums() -> None:
    parts = [part_of(1, b"one", "CRC32"), part_of(2, b"two", "CRC32")]
    raw = b"".join(zlib.crc32(content).to_bytes(4, "big") for content in (b"one", b"two"))
    value = base64.b64encode(zlib.crc32(raw).to_bytes(4, "big")).decode()
    assert part_sums.checksums_of(parts, "CRC32", "COMPOSITE") == {"CRC32": f"{value}-2"}


def test_a_checksum_that_a_part_lacks_is_not_made_up() -> None:
    parts = [part_of(1, b"one", "CRC32"), part_of(2, b"two", "CRC32C")]
    assert part_sums.checksums_of(parts, "CRC32", "FULL_OBJECT") == {}
    assert part_sums.checksums_of(parts, "", "FULL_OBJECT") == {}


def test_without_an_algorithm_the_default_one_counts() -> None:
    parts = [part_of(1, b"one", "CRC64NVME"), part_of(2, b"two", "CRC64NVME")]
    value = base64.b64encode(crt.crc64nvme(b"onetwo").to_bytes(8, "big")).decode()
    assert part_sums.checksums_of(parts, "", part_sums.type_of("", "")) == {"CRC64NVME": value}


def test_the_etag_is_the_md5_of_the_parts_md5s() -> None:
    parts = [Part(i, "5d41402abc4b2a76b9719d911017c592", 5, 0, {}) for i in (1, 2)]
    assert part_sums.etag_of(parts) == "616b22817b80eed9f65c3aa38cd29054-2"


@given(st.integers(1, 10_000), DIGESTS, SUMS)
def test_a_parts_name_holds_what_is_known_of_it(
    number: int, md5: str, sums: dict[str, str],
) -> None:
    name = layout.part_name(number, md5, sums)
    assert len(name) <= 255
    assert "/" not in name
    status = FileStatus(FileType.FILE, name, "644", 7, 1, 1, 99, "a", "b", 1, 5)
    stored = layout.stored_part(status)
    assert stored is not None
    assert stored.part == Part(number, md5, 7, 99, sums)
    assert layout.number_and_md5(name) == (number, md5)


@pytest.mark.parametrize("name", [
    "open", "sealed", "plan-00000000", ".httpfs-proxy-x", "00001", "1.00000000." + "0" * 32,
    "00001.00000000." + "0" * 31, "00001.00000000." + "0" * 32 + ".",
    "00001.00000000." + "0" * 32 + ".crc-x",
])
def test_other_names_are_no_parts(name: str) -> None:
    status = FileStatus(FileType.FILE, name, "644", 7, 1, 1, 99, "a", "b", 1, 5)
    assert layout.stored_part(status) is None


def test_a_record_comes_back_as_it_was() -> None:
    meta = ObjectMeta(headers={"content-type": "a"}, user={"\u00fc": "\U0001f600"},
                      tags={"z": "", "a": "b"})
    upload = Upload("0" * 44, "k\u00e9y", meta, 5, "CRC32", "COMPOSITE")
    assert layout.upload_from_raw("0" * 44, layout.upload_to_raw(upload)) == upload


@pytest.mark.parametrize("raw", [
    b"", b"x", zlib.compress(b"[]"), zlib.compress(b"{}"), zlib.compress(b"\xff"),
    zlib.compress(b'{"key":"k","meta":{"other":1},"initiated":1,"algorithm":"","type":""}'),
])
def test_a_record_that_somebody_else_wrote(raw: bytes) -> None:
    with pytest.raises(UpstreamFault):
        layout.upload_from_raw("0" * 44, raw)


def test_the_sizes_of_10000_different_parts() -> None:
    numbers = random.Random(4)
    sizes = tuple(numbers.randrange(5 * 2**20, 5 * 2**30) for _ in range(10_000))
    xattrs = part_sizes.to_xattrs(sizes)
    assert 1 < len(xattrs) < 8
    assert all(len(name) + len(value) <= 16_384 for name, value in xattrs.items())
    meta = ObjectMeta(etag=f"{'0' * 32}-10000")
    assert part_sizes.from_xattrs(xattrs, meta, sum(sizes)) == sizes
    assert part_sizes.from_xattrs(xattrs, meta, sum(sizes) + 1) == ()
    other = ObjectMeta(etag=f"{'0' * 32}-1")
    assert part_sizes.from_xattrs(xattrs, other, sum(sizes)) == ()


@pytest.mark.parametrize("raw", [
    b"", b"x", zlib.compress(b"{}"), zlib.compress(b'["x"]'), zlib.compress(b"[-1,2]"),
    zlib.compress(b"[" * 100_000), zlib.compress(b"[1" + b" " * 2**21 + b"]"),
])
def test_sizes_that_somebody_else_wrote(raw: bytes) -> None:
    meta = ObjectMeta(etag=f"{'0' * 32}-1")
    assert part_sizes.from_xattrs({f"{part_sizes.NAME}0": raw}, meta, 1) == ()


def test_batches_keep_the_order_and_the_limit() -> None:
    files = [HdfsPath(f"/a/{i:05d}") for i in range(100)]
    made = list(batches(files, octets=46))
    assert [file for batch in made for file in batch] == files
    assert {len(batch) for batch in made} == {4}
    assert list(batches(files[:2], octets=1)) == [[files[0]], [files[1]]]
    assert list(batches([])) == []


def test_a_plan_is_kept_to() -> None:
    names = tuple(layout.part_name(i, f"{i:032x}", {}) for i in (1, 3))
    plan = Plan(names, ObjectMeta(part_sizes=(0, 4)))
    assert (plan.full(), plan.size) == ([names[1]], 4)
    plan.check([PartClaim(1, f"{1:032x}", {}), PartClaim(3, f'"{3:032x}"', {})])
    for claims in ([PartClaim(1, f"{1:032x}", {})],
                   [PartClaim(1, f"{1:032x}", {}), PartClaim(3, f"{4:032x}", {})]):
        with pytest.raises(InvalidPart):
            plan.check(claims)
