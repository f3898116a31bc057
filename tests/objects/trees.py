"""A file system of names alone, listed as HDFS lists, and the plain model of S3's listings."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from app.core.errors import PathNotFound
from app.core.model import FileStatus, FileType, ListingPage
from app.core.objects import COLON, DOT, EMPTY, MAX_KEY_BYTES, is_plain_name, part_of_name
from app.core.paths import HdfsPath, child_of
from app.fs.flavors import NAMENODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from app.fs.port import Flavor

ROOT = HdfsPath("/bucket")
MARKER = "777"
"""The permission of directories that are keys, in these trees."""
_SIGNED = bytes((octet + 128) % 256 for octet in range(256))

CHARACTERS = "".join(map(chr, range(1, 128))) + "\x80\xff\u0301é中文\ud7ff\ue000\uf039\uf03b" \
    + COLON + DOT + EMPTY + "\uffff\U00010000😀\U0010fffd\U0010ffff"
IN_NAMES = CHARACTERS.replace("/", "").replace(":", "")
few = st.sampled_from("a-.0é中" + COLON)
names = st.one_of(
    st.text(few, min_size=1, max_size=5),
    st.text(st.sampled_from(IN_NAMES), min_size=1, max_size=4),
    st.text(st.characters(exclude_characters="/:\0", exclude_categories=["Cs"]),
            min_size=1, max_size=3),
    st.sampled_from([EMPTY, DOT, DOT * 2, f"a{COLON}", ".httpfs-proxy-x", "é" * 120]),
).filter(lambda name: name not in {".", ".."})
somewhere = st.one_of(
    st.just(""),
    st.text(few | st.sampled_from("//:"), max_size=8),
    st.text(st.sampled_from(CHARACTERS + "\0\ud800\udfff"), max_size=4),
    names.map(part_of_name))
"""What a listing may be asked to begin after: any string, whether a key could be it or not."""


def order(name: str) -> bytes:
    """Return bytes that compare as HDFS compares names."""
    return name.encode().translate(_SIGNED)


def status(name: str, kind: FileType = FileType.FILE, children: int = 0,
           permission: str = "644") -> FileStatus:
    return FileStatus(kind, name, permission, 0, 0, 0, 0, "alice", "staff", 1, children=children)


def is_marker(_: HdfsPath, found: FileStatus) -> bool:
    return found.permission == MARKER


class Tree:
    """Part of the port over nested dictionaries: a name maps to a dictionary or to None."""

    def __init__(self, tree: Mapping[str, object], *, page: int = 1000,
                 markers: Iterable[str] = (), flavor: Flavor = NAMENODE,
                 tells_children: bool = True) -> None:
        self._flavor = flavor
        self.calls: list[tuple[str, str | None]] = []
        self._page = page
        self._markers = frozenset(markers)
        self._tells_children = tells_children
        self._directories: dict[str, list[FileStatus]] = {}
        self._add(ROOT, tree)

    def _add(self, path: HdfsPath, tree: Mapping[str, object]) -> None:
        self._directories[path] = entries = []
        for name in sorted(tree, key=order):
            below = tree[name]
            if isinstance(below, dict):
                where = child_of(path, name)
                self._add(where, below)
                entries.append(self._directory(name, where))
            else:
                entries.append(status(name))

    def _directory(self, name: str, path: HdfsPath) -> FileStatus:
        children = len(self._directories[path]) if self._tells_children else -1
        permission = MARKER if path in self._markers else "755"
        return status(name, FileType.DIRECTORY, children, permission)

    def flavor_of(self, _path: HdfsPath) -> Flavor:
        return self._flavor

    def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
        self.calls.append((path, start_after))
        assert len(self.calls) < 10_000, "reading goes round and round"
        if path not in self._directories:
            raise PathNotFound(path)
        entries = self._directories[path]
        begin = bisect_right(entries, order(start_after or ""),
                             key=lambda one: order(one.path_suffix))
        end = begin + self._page if self._flavor.list_batches else len(entries)
        return ListingPage(entries[begin:end], max(0, len(entries) - end))

    def status(self, path: HdfsPath) -> FileStatus:
        self.calls.append((path, "status"))
        if path not in self._directories:
            raise PathNotFound(path)
        return self._directory("", path)

    def remove(self, path: HdfsPath) -> None:
        """Make a directory vanish that its parent goes on listing."""
        del self._directories[path]


class Told(NamedTuple):
    """One line of a listing: a key or a common prefix."""

    key: str
    is_key: bool


def keys_of(tree: Mapping[str, object], markers: Iterable[str] = (), path: HdfsPath = ROOT,
            base: str = "") -> list[str]:
    """Return the keys of a tree, sorted by their bytes."""
    found = set()
    for name, below in tree.items():
        if not is_plain_name(name):
            continue
        key = base + part_of_name(name)
        if isinstance(below, dict):
            where = child_of(path, name)
            found |= {f"{key}/"} if where in markers else set()
            found |= set(keys_of(below, markers, where, f"{key}/"))
        elif key:
            found.add(key)
    return sorted((key for key in found if len(key.encode()) <= MAX_KEY_BYTES), key=str.encode)


def listed(keys: Sequence[str], prefix: str, delimiter: str, after: str) -> list[Told]:
    """Return what S3 tells of these keys, in order."""
    found: list[Told] = []
    for key in keys:
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        told = Told(key, True) if at < 0 else Told(key[:at + len(delimiter)], False)
        # What a client wants to start after need not be well-formed.
        greater = key.encode() > after.encode(errors="surrogatepass")
        is_new = told not in found[-1:] and (told.is_key or told.key != after)
        if key.startswith(prefix) and greater and is_new:
            found.append(told)
    return found


def directories(tree: Mapping[str, object], path: HdfsPath = ROOT,
                ) -> Iterator[tuple[HdfsPath, Mapping[str, object]]]:
    """Yield the directories of a tree, not its root."""
    for name, below in tree.items():
        if isinstance(below, dict):
            yield child_of(path, name), below
            yield from directories(below, child_of(path, name))


@st.composite
def trees(draw: Callable[..., object]) -> tuple[dict[str, object], set[HdfsPath]]:
    """Return a tree and the directories that are keys: some, and all that have no key below."""
    leaf = st.none() | st.just({})
    tree = draw(st.recursive(
        st.dictionaries(names, leaf, max_size=6),
        lambda inner: st.dictionaries(names, inner | st.none(), max_size=6), max_leaves=25))
    assert isinstance(tree, dict)
    found = list(directories(tree))
    chosen = draw(st.sets(st.sampled_from([path for path, _ in found]))) if found else set()
    assert isinstance(chosen, set)
    return tree, chosen | {path for path, below in found if not keys_of(below, base="x/")}
