"""Alice's objects for the tests: what a client does, and what lies in HDFS afterwards."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from app.core.identity import Principal
from app.core.model import ByteRange
from app.core.objects import ObjectMeta
from app.core.paths import HdfsPath, child_of
from app.fs.etags import EtagCache
from app.fs.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.core.objects import ObjectInfo
    from app.fs.staging import Staging

BUCKET = "bucket"
_KNOWN = {"flavor_of", "mount_of"}
"""Methods that ask nobody."""


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Counted:
    """A file system whose calls are counted by name, and may be preceded by what others do."""

    def __init__(self, fs: Any) -> None:
        self._fs = fs
        self.calls: Counter[str] = Counter()
        self.before: dict[str, Callable[..., object]] = {}

    def __getattr__(self, name: str) -> Any:
        """Count methods, and give everything else as it is."""
        found = getattr(self._fs, name)
        if not callable(found) or name in _KNOWN:
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            before = self.before.get(name)
            if before:
                before(*arguments)
            return found(*arguments, **options)

        return call


class Shop:
    """One bucket of alice's; `fs` is her file system itself."""

    def __init__(self, fs: Any, staging: Staging, root: HdfsPath) -> None:
        self.fs = fs
        self.staging = staging
        self.root = root
        self.bucket = BUCKET
        self.path = child_of(root, BUCKET)
        self.seen = Counted(fs)
        self.store = self.store_of(bucket_root=root)

    def store_of(self, fs: Any = None, etags: int = 1000, **principal: Any) -> ObjectStore:
        """Return the objects of another principal, who acts as the user of `fs` (alice)."""
        fs = fs or self.seen
        who = Principal("someone", fs.user, **{"bucket_root": self.root, **principal})
        return ObjectStore(who, fs, self.staging, EtagCache(etags),
                           file_permission="664", bucket_permission="775")

    def put(
        self, key: str, content: bytes | Iterable[bytes] = b"", meta: ObjectMeta | None = None,
        **options: Any,
    ) -> ObjectInfo:
        """Put an object whose ETag is its MD5."""
        digest = hashlib.md5(usedforsecurity=False)

        def body() -> Iterable[bytes]:
            for piece in (content,) if isinstance(content, bytes) else content:
                digest.update(piece)
                yield piece

        def describe() -> ObjectMeta:
            given = meta or ObjectMeta()
            return ObjectMeta(digest.hexdigest(), given.checksums, given.checksum_type,
                              given.headers, given.user, given.tags)

        return self.store.put(self.bucket, key, body(), describe, **options)

    def get(self, key: str) -> bytes:
        """Return an object's content."""
        return self.read(self.info(key))

    def read(self, info: ObjectInfo) -> bytes:
        """Return the content of a version."""
        source = self.store.open(info, ByteRange(0, info.size))
        try:
            return b"".join(iter(lambda: source.read(1 << 20), b""))
        finally:
            source.close()

    def info(self, key: str) -> ObjectInfo:
        """Return what an object is."""
        return self.store.info(self.bucket, key)

    def delete(self, key: str, **options: Any) -> bool:
        """Delete an object."""
        return self.store.delete(self.bucket, key, **options)

    def at(self, *names: str) -> HdfsPath:
        """Return a path in the bucket."""
        return HdfsPath("/".join((self.path, *names)))

    def tree(self, path: HdfsPath | None = None) -> set[str]:
        """Return the paths below the bucket, directories with `/` at the end, hidden ones too."""
        path = path or self.path
        found: set[str] = set()
        for entry in self.fs.list_page(path).entries:
            below = child_of(path, entry.path_suffix)
            name = below.removeprefix(f"{self.path}/")
            found.add(f"{name}/" if entry.is_directory else name)
            if entry.is_directory:
                found |= self.tree(below)
        return found

    def counted(self, work: Callable[[], object]) -> dict[str, int]:
        """Return how often each call of HDFS is made by `work`."""
        assert self.fs.flavor  # asked once for all
        self.seen.calls.clear()
        work()
        return dict(self.seen.calls)
