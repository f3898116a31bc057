"""A bucket over each kind of backend, and a client that uploads in parts."""

from __future__ import annotations

import base64
import hashlib
import threading
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.identity import Principal
from app.core.objects import ObjectMeta, PartClaim
from app.core.paths import HIDDEN_MARK, HdfsPath, child_of
from app.fs.etags import EtagCache
from app.fs.objects import ObjectStore
from app.fs.upload_layout import directory_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.core.objects import ObjectInfo, Part, Upload
    from app.fs.multipart import Multipart
    from app.fs.port import FileSystem
    from app.fs.staging import Staging

BUCKET = "bucket"
KEY = "dir/key"


class Joined(NamedTuple):
    """An object and its content."""

    info: ObjectInfo
    content: bytes


class World:
    """The bucket of one user; another user of the same bucket has a world `of` theirs."""

    def __init__(self, fs: FileSystem, staging: Staging, root: HdfsPath) -> None:
        self.fs = fs
        self.staging = staging
        self.root = root
        self.path = child_of(root, BUCKET)
        self.objects = self.over(fs)
        self.multipart = self.objects.uploads

    def over(self, fs: FileSystem, *, read_only: bool = False) -> ObjectStore:
        """Return the objects as seen through another file system, of the same user."""
        principal = Principal("someone", fs.user, bucket_root=self.root, read_only=read_only)
        return ObjectStore(principal, fs, self.staging, EtagCache(100),
                           file_permission="644", bucket_permission="755")

    def begin(self, key: str = KEY, meta: ObjectMeta | None = None, *words: str) -> Upload:
        """Begin an upload."""
        return self.multipart.create(BUCKET, key, meta or ObjectMeta(), *words)

    def put(
        self, upload: Upload, number: int, content: bytes | Iterable[bytes],
        multipart: Multipart | None = None,
    ) -> Part:
        """Upload a part with its MD5 and its CRC32."""
        digest, total = hashlib.md5(usedforsecurity=False), [0]

        def read() -> Iterable[bytes]:
            for piece in (content,) if isinstance(content, bytes) else content:
                digest.update(piece)
                total[0] = zlib.crc32(piece, total[0])
                yield piece

        return (multipart or self.multipart).put_part(
            BUCKET, upload.key, upload.upload_id, number, read(),
            lambda: (digest.hexdigest(), {"CRC32": crc32_text(total[0])}))

    def fill(self, upload: Upload, *contents: bytes) -> list[PartClaim]:
        """Upload parts from number 1 on, and return what completes them."""
        with ThreadPoolExecutor(len(contents)) as threads:
            return list(threads.map(
                lambda number: claim(self.put(upload, number, contents[number - 1])),
                range(1, len(contents) + 1)))

    def complete(self, upload: Upload, claims: list[PartClaim], **options: Any) -> ObjectInfo:
        """Complete, with parts of any size."""
        return self.multipart.complete(
            BUCKET, upload.key, upload.upload_id, claims, **{"least_part": 0, **options})

    def read(self, key: str = KEY) -> Joined:
        """Return an object and its content."""
        info = self.objects.info(BUCKET, key)
        return Joined(info, content_of(self.fs, info.path))

    def hidden(self) -> list[str]:
        """Return the hidden names in the bucket."""
        return [entry.path_suffix for entry in self.fs.list_page(self.path).entries
                if entry.path_suffix.startswith(HIDDEN_MARK)]

    def inside(self, upload: Upload) -> list[str]:
        """Return the names in an upload's directory."""
        directory = directory_of(self.path, upload.upload_id)
        return [entry.path_suffix for entry in self.fs.list_page(directory).entries]

    def leftovers(self) -> list[object]:
        """Return what is hidden or noted still."""
        noted = (self.staging.store.scan(space) for space in ("uploads", "staged"))
        return [*self.hidden(), *chain.from_iterable(noted)]

    def is_clean(self) -> bool:
        """Tell whether nothing is hidden or noted any more."""
        return self.leftovers() == []


def new_world(fs: FileSystem, staging: Staging, mode: str = "755") -> World:
    """Return a new bucket in a directory of its own."""
    root = HdfsPath(f"/user/{fs.user}/{uuid.uuid4().hex}")
    fs.mkdirs(root, "755")
    fs.mkdirs(child_of(root, BUCKET), mode)
    fs.set_permission(child_of(root, BUCKET), mode)
    return World(fs, staging, root)


def claim(part: Part) -> PartClaim:
    """Return how a client names a part when it completes."""
    return PartClaim(part.number, part.etag, part.checksums)


def crc32_text(value: int) -> str:
    """Return a CRC32 as S3 writes it."""
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def etag_of(*contents: bytes) -> str:
    """Return the ETag of an object of these parts."""
    raw = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in contents)
    return f"{hashlib.md5(raw, usedforsecurity=False).hexdigest()}-{len(contents)}"


def content_of(fs: FileSystem, path: HdfsPath) -> bytes:
    """Return a file's content."""
    status = fs.status(path)
    if not status.length:
        return b""
    source = fs.open(path, 0, status.length, status.file_id)
    pieces = []
    while piece := source.read(1 << 18):
        pieces.append(piece)
    source.close()
    return b"".join(pieces)


class Wrapped:
    """A file system with some calls replaced: `before` and `after` see each call's name."""

    def __init__(
        self, fs: FileSystem, *, before: Callable[[str, tuple[Any, ...]], None] | None = None,
        after: Callable[[str, tuple[Any, ...]], None] | None = None,
    ) -> None:
        self._fs = fs
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._fs, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            if self._before:
                self._before(name, arguments)
            result = value(*arguments, **options)
            if self._after:
                self._after(name, arguments)
            return result

        return call


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run in threads, begun together; return what they raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        start.wait(30)
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the test judges it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    return raised
