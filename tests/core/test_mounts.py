"""Where a path lies when directories are mounted, and the numbers of files there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import PathNotFound
from app.core.mounts import (
    ID_BITS,
    LAST_ID,
    Mount,
    MountTable,
    check_named,
    mounted_id,
    split_by_number,
    split_id,
)
from app.core.paths import ROOT, HdfsPath, child_of, is_inside, parent_of

NAMES = st.sampled_from(["a", "b", "ab", "a b", "é", "😀"])
PATHS = st.lists(NAMES, max_size=5).map(lambda names: HdfsPath("/" + "/".join(names)))
POINTS = PATHS.filter(lambda path: path != ROOT)


@st.composite
def tables(draw: st.DrawFn) -> MountTable:
    points = draw(st.lists(POINTS, unique=True, max_size=6))
    return MountTable(
        Mount(path, draw(st.sampled_from(["", "other"])), draw(PATHS), draw(st.booleans()), i + 1)
        for i, path in enumerate(points))


@given(tables(), PATHS)
def test_a_path_is_in_the_mount_of_the_longest_point_above_it(
    table: MountTable, path: HdfsPath,
) -> None:
    above = [mount for mount in table if is_inside(path, mount.path)]
    assert table.of(path) == max(above, key=lambda mount: len(mount.path), default=None)
    assert table.at(path) == next((mount for mount in table if mount.path == path), None)


@given(tables(), PATHS)
def test_what_is_below_and_in_a_directory(table: MountTable, path: HdfsPath) -> None:
    assert table.inside(path) == [mount for mount in table if is_inside(mount.path, path)]
    assert table.in_directory(path) == [
        mount for mount in table if parent_of(mount.path) == path]
    for name, count in table.counts_in(path).items():
        assert count == len(table.in_directory(child_of(path, name))) > 0
    assert sum(table.counts_in(path).values()) == sum(
        path == parent_of(parent_of(mount.path)) for mount in table) or path == ROOT


@given(POINTS, PATHS, st.lists(NAMES, max_size=4))
def test_there_and_back(point: HdfsPath, source: HdfsPath, names: list[str]) -> None:
    mount = Mount(point, "other", source, read_only=False, mount_id=1)
    path = HdfsPath("/".join((point, *names)))
    there = mount.there(path)
    assert is_inside(there, source)
    assert "//" not in there
    assert (there == ROOT) == (source == ROOT and not names)
    assert mount.here(there) == path


@given(POINTS, PATHS, PATHS)
def test_only_what_is_in_the_source_is_here(
    point: HdfsPath, source: HdfsPath, real: HdfsPath,
) -> None:
    mount = Mount(point, "other", source, read_only=False, mount_id=1)
    here = mount.here(real)
    assert (here is not None) == is_inside(real, source)
    assert here is None or mount.there(here) == real


@given(st.integers(1, 2**ID_BITS - 1), st.integers(1, LAST_ID))
def test_numbers_name_one_file_among_all_clusters(inode: int, number: int) -> None:
    mount = Mount(HdfsPath("/m"), "", ROOT, read_only=False, mount_id=number)
    known = mounted_id(inode, mount)
    assert split_id(known) == (inode, number)
    assert 0 < known < 2**63
    assert mounted_id(inode, None) == inode
    assert split_id(inode) == (inode, 0)


def test_numbers_that_are_none_stay_untold() -> None:
    mount = Mount(HdfsPath("/m"), "", ROOT, read_only=False, mount_id=3)
    assert mounted_id(0, mount) == mounted_id(0, None) == 0
    assert mounted_id(1 << ID_BITS | 5, None) == mounted_id(1 << ID_BITS | 5, mount) == 0


@pytest.mark.parametrize(("path", "expected"), [
    ("/.reserved/.inodes/12", (12, "")),
    ("/.reserved/.inodes/012/a/b\nc", (12, "/a/b\nc")),
    ("/.reserved/.inodes/12x", None),
    ("/.reserved/.inodes/+12", None),
    ("/.reserved/.inodes/١٢", None),
    ("/.reserved/.inodes", None),
    ("/a/.reserved/.inodes/12", None),
    ("/.reserved/raw/12", None),
])
def test_paths_by_number(path: str, expected: tuple[int, str] | None) -> None:
    assert split_by_number(path) == expected


def test_nobody_names_a_file_of_a_mount_by_number() -> None:
    for path in ("/a", "/.reserved/.inodes/5", "/.reserved/.inodes/5/x", "/.reserved"):
        assert check_named(HdfsPath(path)) == path
    for number in (1 << ID_BITS | 5, 1 << ID_BITS, 10**19):
        for rest in ("", "/x"):
            with pytest.raises(PathNotFound):
                check_named(HdfsPath(f"/.reserved/.inodes/{number}{rest}"))
