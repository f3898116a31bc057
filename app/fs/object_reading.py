"""Where an object lies, what it is, and its bytes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import AccessDenied, PathNotFound
from app.core.model import FileType
from app.core.object_errors import NoSuchBucket, NoSuchKey, OperationAborted
from app.core.objects import EMPTY, ObjectInfo, names_of_bucket, names_of_key
from app.core.paths import HdfsPath, child_of, is_inside
from app.fs import part_checksums, part_sizes
from app.fs.markers import Directories, by_id
from app.fs.object_meta import OBJECT, decode, derived_etag
from app.fs.placing import status_or_none
from app.fs.turns import turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.identity import Principal
    from app.core.model import ByteRange, FileStatus
    from app.fs.etags import EtagCache
    from app.fs.port import ByteSource, FileSystem
    from app.fs.staging import Staging

_RESERVED = HdfsPath("/.reserved")
"""Below it HDFS finds anything by number: no bucket, as its keys would be all of the cluster."""
TRIES = 5
"""How often an operation looks again after another changed what it had seen."""


class Place(NamedTuple):
    """Where a key lies: `bucket` and `path` are real; `is_directory` where it ends in `/`."""

    bucket: HdfsPath
    key: str
    path: HdfsPath
    is_directory: bool

    @property
    def content(self) -> HdfsPath:
        """The file that holds the key's content, if it has any."""
        return child_of(self.path, EMPTY) if self.is_directory else self.path


def is_same_version(one: FileStatus, other: FileStatus) -> bool:
    """Tell whether two statuses are of the same version of the same file."""
    return _version(one) == _version(other)


_version = attrgetter("type", "file_id", "length", "modification_time")


class Nothing:
    """A ByteSource without bytes."""

    def read(self, _size: int) -> bytes:
        """Return b""."""
        return b""

    def close(self) -> None:
        """Have nothing to let go of."""


class ObjectReader:
    """The objects of one principal, for reading."""

    def __init__(
        self, principal: Principal, fs: FileSystem, staging: Staging, etags: EtagCache,
    ) -> None:
        self._principal = principal
        self._fs = fs
        self._staging = staging
        self._etags = etags
        self._directories = Directories(fs)

    def bucket_path(self, bucket: str) -> HdfsPath:
        """Return the bucket's directory. Raises InvalidBucketName, NoSuchBucket."""
        path = self._principal.bucket_root
        for name in names_of_bucket(bucket):
            path = child_of(path, name)
        if is_inside(path, _RESERVED):
            raise NoSuchBucket(path)
        return path

    def locate(self, bucket: str, key: str) -> Place:
        """Return where an object lies. Raises InvalidBucketName, InvalidKey, KeyTooLong."""
        directory = self.bucket_path(bucket)
        names = names_of_key(key)
        is_directory = key.endswith("/")
        path = "/".join((directory, *(names[:-1] if is_directory else names)))
        return Place(directory, key, HdfsPath(path), is_directory)

    def path_of(self, bucket: str, key: str) -> HdfsPath:
        """Return the path of an object. Raises as `locate`."""
        return self.locate(bucket, key).path

    def info(self, bucket: str, key: str) -> ObjectInfo:
        """Return what an object is. Raises NoSuchBucket, NoSuchKey."""
        place = self.locate(bucket, key)
        found = self.look(place) or self._look_in_turn(place)
        if found is None:
            self.require_bucket(place.bucket)
            raise NoSuchKey(place.path)
        return found

    def _look_in_turn(self, place: Place) -> ObjectInfo | None:
        """Look again, where an object that is being replaced is not there for a moment."""
        if self._fs.flavor_of(place.content).rename_options:
            return None
        with suppress(OperationAborted), turn(self._staging, place.content):
            return self.look(place)
        return None

    def require_bucket(self, bucket: HdfsPath) -> FileStatus:
        """Return the status of a bucket's directory. Raises NoSuchBucket."""
        status = status_or_none(self._fs, bucket)
        if status is None or not status.is_directory:
            raise NoSuchBucket(bucket)
        return status

    def look(self, place: Place) -> ObjectInfo | None:
        """Return what an object is, None where there is none."""
        for _ in range(TRIES):
            try:
                return self._look(place)
            except PathNotFound:
                continue  # replaced between the two questions
        raise OperationAborted(place.path)

    def look_again(self, place: Place, known: ObjectInfo | None) -> ObjectInfo | None:
        """Do the same, where `known` was there before: the same version is not asked for twice."""
        if known is None or known.status.is_directory:
            return self.look(place)
        status = status_or_none(self._fs, known.path)
        return known if status and is_same_version(status, known.status) else self.look(place)

    def open(self, info: ObjectInfo, wanted: ByteRange) -> ByteSource:
        """Open a range of the very file of `info`; PathNotFound where it was replaced since."""
        if info.status.is_directory or not wanted.length:
            return Nothing()
        return self._fs.open(info.path, wanted.offset, wanted.length, info.status.file_id)

    def datanode_url(self, info: ObjectInfo, wanted: ByteRange) -> str:
        """Return the URL at which a DataNode gives a range of that file; "" where there is none."""
        if info.status.is_directory:
            return ""
        return self._fs.datanode_url(
            info.path, wanted.offset, wanted.length, info.status.file_id)

    def etag(self, path: HdfsPath, status: FileStatus) -> str:
        """Return the ETag of a file, asked for if it is not remembered.

        It is the derived one where the user may list the directory, but not read the file.
        """
        known = self._etags.get(self._fs.user, status)
        if known:
            return known
        try:
            meta = decode(self._xattrs(path, status).get(OBJECT), status)
        except (AccessDenied, PathNotFound):
            return derived_etag(status)
        return self.remembered(ObjectInfo("", path, status, meta)).meta.etag

    def remembered(self, info: ObjectInfo) -> ObjectInfo:
        """Return `info`, its ETag kept for listings."""
        self._etags.put(self._fs.user, info.status, info.meta.etag)
        return info

    def _look(self, place: Place) -> ObjectInfo | None:
        status = status_or_none(self._fs, place.path)
        if status is None:
            return None
        if place.is_directory:
            return self._look_at_directory(place, status)
        return self._file(place.key, place.path, status)

    def _look_at_directory(self, place: Place, status: FileStatus) -> ObjectInfo | None:
        if not status.is_directory:
            return None
        xattrs = self._xattrs(place.path, status)
        if self._directories.is_key(place.path, status, xattrs):
            meta = decode(xattrs.get(OBJECT), status)
            return ObjectInfo(place.key, place.path, status, meta)
        content = status_or_none(self._fs, place.content) if status.children else None
        return self._file(place.key, place.content, content) if content else None

    def _file(self, key: str, path: HdfsPath, status: FileStatus) -> ObjectInfo | None:
        if status.type is not FileType.FILE:
            return None
        xattrs = self._xattrs(path, status)
        meta = decode(xattrs.get(OBJECT), status)
        if meta.upload:
            meta = replace(meta, part_sizes=part_sizes.from_xattrs(xattrs, meta, status.length))
            meta = replace(meta, part_checksums=part_checksums.from_xattrs(xattrs, meta))
        return self.remembered(ObjectInfo(key, path, status, meta))

    def _xattrs(self, path: HdfsPath, status: FileStatus) -> Mapping[str, bytes]:
        return self._fs.xattrs(by_id(path, status))
