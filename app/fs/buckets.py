"""Buckets: the directories below the bucket root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import (
    AccessDenied,
    AttributeNotFound,
    Conflict,
    DirectoryNotEmpty,
    GatewayError,
    PathNotFound,
)
from app.core.mounts import HoldsMount
from app.core.object_errors import BucketExists, BucketNotEmpty, NoSuchBucket
from app.core.objects import Bucket, check_new_bucket, is_bucket_name
from app.core.paths import child_of, parent_of
from app.fs.listing import Listing
from app.fs.object_meta import BUCKET, MADE, check_size, packed, unpacked
from app.fs.object_reading import ObjectReader
from app.fs.placing import status_or_none
from app.fs.trash import TRASH
from app.fs.turns import turn
from app.fs.upload_layout import MARK, upload_directories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.core.paths import HdfsPath

class Buckets(ObjectReader):
    """The buckets of one principal."""

    _bucket_permission: str

    def buckets(self) -> Iterator[Bucket]:
        """Yield the buckets by name; HDFS's order is that of ASCII, and they have no other.

        S3 lists the caller's own buckets. Here these are their directories, and those that nobody
        made as a bucket (`/data`, `/user`); others' buckets can be used, but are not listed, nor is
        the trash, which is in the way where the buckets lie in the home directory.
        """
        root = self._principal.bucket_root
        try:
            pages = Listing(self._fs, root, None, None)
        except PathNotFound:
            return
        for page in pages:
            for entry in page:
                name = entry.path_suffix
                if entry.is_directory and is_bucket_name(name) and name != TRASH:
                    bucket = Bucket(name, child_of(root, name), entry)
                    if self._lists(bucket):
                        yield bucket

    def bucket(self, name: str) -> Bucket:
        """Return a bucket. Raises InvalidBucketName, NoSuchBucket."""
        path = self.bucket_path(name)
        return Bucket(name, path, self.require_bucket(path))

    def create_bucket(self, name: str, *, any_name: bool = False) -> bool:
        """Make a bucket; False where one's own is there already.

        `any_name`: it may have any that a bucket can, not only those that S3 gives to new ones.
        Raises InvalidBucketName, BucketExists for another owner's, and for a file.
        """
        path = self.bucket_path(name)
        self._principal.require_write(path)
        status = status_or_none(self._fs, path)
        if status is None:
            if not any_name:
                check_new_bucket(name)
            self._fs.mkdirs(path, self._bucket_permission)
            self._fs.set_xattr(path, MADE, b"bucket", exists=None)
            return True
        if not status.is_directory or status.owner != self._principal.hadoop_user:
            raise BucketExists(path)
        return False

    def delete_bucket(self, name: str) -> None:
        """Remove a bucket without objects, and with it the multipart uploads under way in it.

        Raises NoSuchBucket, BucketNotEmpty, HoldsMount for a mount point.
        """
        path = self.bucket(name).path
        self._principal.require_write(path)
        if self._fs.mount_of(path) != self._fs.mount_of(parent_of(path)):
            raise HoldsMount(path)
        # Who may not remove the bucket must not have emptied it either, and HDFS alone knows of
        # sticky bits and superusers: it looks at rights before it looks whether there is a rest.
        try:
            self._delete_empty(path)
        except BucketNotEmpty:
            self._empty(path)
            self._delete_empty(path)

    def _empty(self, bucket: HdfsPath) -> None:
        """Remove what does not keep a bucket. Raises BucketNotEmpty where there is more."""
        if not self._directories.drop_all(bucket, MARK):
            raise BucketNotEmpty(bucket)
        uploads = list(upload_directories(self._fs, bucket))
        if uploads:
            self._principal.require_whole(bucket)
            if self._has_snapshots(bucket):
                raise Conflict(bucket, "a directory with snapshots stays where it is")
        for directory in uploads:
            self._fs.delete(directory, recursive=True)

    def _has_snapshots(self, bucket: HdfsPath) -> bool:
        try:
            return bool(self._fs.snapshots(bucket))
        except GatewayError:  # it can have none, or its Hadoop does not tell
            return False

    def _delete_empty(self, bucket: HdfsPath) -> None:
        try:
            gone = self._fs.delete(bucket)
        except DirectoryNotEmpty as error:
            raise BucketNotEmpty(bucket) from error
        if not gone:
            raise NoSuchBucket(bucket)

    def bucket_record(self, name: str) -> Mapping[str, Any]:
        """Return what is kept with a bucket, {} where nothing is. Raises NoSuchBucket."""
        path = self.bucket(name).path
        return unpacked(self._raw_record(path)) or {}

    def quick_record(self, name: str) -> Mapping[str, Any]:
        """Return the same by one call; {} also where it may not be read, or a file has the name.

        For operations that look at what is in the bucket next. Raises NoSuchBucket.
        """
        path = self.bucket_path(name)
        try:
            return unpacked(self._raw_record(path)) or {}
        except AccessDenied:
            return {}
        except PathNotFound as error:
            raise NoSuchBucket(path) from error

    def set_bucket_record(self, name: str, record: Mapping[str, Any]) -> None:
        """Keep a record, which JSON can hold, with a bucket. Raises InvalidRequest if too large."""
        path = self.bucket(name).path
        self._principal.require_write(path)
        raw = packed(dict(record))
        check_size(raw)
        if any(record.values()):
            self._fs.set_xattr(path, BUCKET, raw, exists=None)
        else:
            self._directories.remove_xattr(path, BUCKET)

    def change_bucket_record(
        self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        """Keep what `change` makes of what is kept, one change of a bucket after the other.

        Raises as `set_bucket_record`, and OperationAborted.
        """
        with turn(self._staging, self.bucket_path(name)):
            self.set_bucket_record(name, change(dict(self.bucket_record(name))))

    def _lists(self, bucket: Bucket) -> bool:
        """Tell whether a bucket is the caller's own, or a directory nobody made as a bucket."""
        if bucket.status.owner in (self._principal.hadoop_user, ""):
            return True  # without an owner: a mount point whose cluster does not answer
        try:
            self._fs.xattrs(bucket.path, [MADE])
        except AttributeNotFound:
            return True
        except (AccessDenied, PathNotFound):
            return False
        return False

    def _raw_record(self, bucket: HdfsPath) -> bytes:
        try:
            return self._fs.xattrs(bucket, [BUCKET])[BUCKET]
        except AttributeNotFound:
            return b""
