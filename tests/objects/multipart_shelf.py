"""A shelf for uploads that knows paths and records, but no markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import AttributeNotFound, PathNotFound
from app.core.object_errors import NoSuchBucket, NoSuchKey
from app.core.objects import Bucket, ObjectInfo, names_of_key
from app.core.paths import HdfsPath, child_of, parent_of
from app.fs import object_meta
from app.fs.placing import Placing, status_or_none

if TYPE_CHECKING:
    from app.fs.completing import Precondition
    from app.fs.port import FileSystem
    from app.fs.staging import Staging


class PlainShelf:
    """Buckets in one directory."""

    def __init__(self, fs: FileSystem, staging: Staging, root: HdfsPath) -> None:
        self._fs = fs
        self._staging = staging
        self._root = root

    def bucket_path(self, name: str) -> HdfsPath:
        return child_of(self._root, name)

    def bucket(self, name: str) -> Bucket:
        try:
            return Bucket(name, self.bucket_path(name), self._fs.status(self.bucket_path(name)))
        except PathNotFound:
            raise NoSuchBucket(name) from None

    def path_of(self, bucket: str, key: str) -> HdfsPath:
        return HdfsPath("/".join([self.bucket_path(bucket), *names_of_key(key)]))

    def info(self, bucket: str, key: str) -> ObjectInfo:
        path = self.path_of(bucket, key)
        status = status_or_none(self._fs, path)
        if status is None:
            raise NoSuchKey(key)
        try:
            raw = self._fs.xattrs(path, [object_meta.OBJECT])[object_meta.OBJECT]
        except AttributeNotFound:
            raw = None
        return ObjectInfo(key, path, status, object_meta.decode(raw, status))

    def place_file(
        self, file: HdfsPath, bucket: str, key: str, precondition: Precondition | None = None,
    ) -> HdfsPath:
        path = self.path_of(bucket, key)

        def replaces() -> bool:
            try:
                present = self.info(bucket, key)
            except NoSuchKey:
                present = None
            if precondition:
                precondition(present)
            return present is not None

        self._fs.mkdirs(parent_of(path), "755")
        with self._staging.stage(self._fs, parent_of(path), path) as stage:
            Placing(self._fs).put(stage, path, replaces, file)
            stage.done()
        return path
