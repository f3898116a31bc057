"""Buckets with all that is in them: removed, or given another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    Conflict,
    IsADirectory,
    PathNotFound,
    TrashDisabled,
)
from app.core.mounts import HoldsMount
from app.core.object_errors import BucketExists, HoldsRoom, NoSuchBucket
from app.core.paths import is_inside, parent_of
from app.fs.buckets import Buckets
from app.fs.placing import Placing
from app.fs.trash import holds_trash, move_to_trash, trash_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.core.objects import Bucket
    from app.core.paths import HdfsPath


_SNAPSHOTS = "; a directory with snapshots stays where it is"


class BucketChanges(Buckets):
    """The buckets of one principal, as wholes."""

    def destroy_bucket(self, name: str, rooms: Iterable[HdfsPath] = ()) -> None:
        """Remove a bucket with its contents: to the user's trash, where they have one.

        `rooms` are directories that must stay where they are: other users' roots. Raises
        NoSuchBucket, HoldsRoom, HoldsMount, and AccessDenied for what is, holds or is in the trash.
        """
        path = self._movable(name, rooms).path
        try:
            trash = trash_of(self._fs, self._principal, path)
        except TrashDisabled:
            self._remove(path)
            return
        try:
            move_to_trash(self._fs, path, trash)
        except PathNotFound as error:
            raise _told(error, path) from error
        except Conflict as error:
            raise Conflict(path, f"HDFS does not move it to the trash{_SNAPSHOTS}") from error

    def rename_bucket(self, name: str, new: str, rooms: Iterable[HdfsPath] = ()) -> None:
        """Give a bucket another name, in one step; nothing that has it already is touched.

        Raises as `destroy_bucket`, and BucketExists, InvalidBucketName.
        """
        path, target = self._movable(name, rooms).path, self.bucket_path(new)
        if is_inside(target, path) and target != path:
            raise Conflict(target, "it lies inside what is to be renamed")
        try:
            Placing(self._fs).move_new(path, target)
        except (AlreadyExists, IsADirectory) as error:
            raise BucketExists(target) from error
        except PathNotFound as error:
            raise _told(error, path) from error
        except Conflict as error:
            raise Conflict(path, f"HDFS does not rename it{_SNAPSHOTS}") from error

    def _movable(self, name: str, rooms: Iterable[HdfsPath]) -> Bucket:
        """Return a bucket if it may go as a whole."""
        bucket = self.bucket(name)
        path = bucket.path
        self._principal.require_write(path)
        if any(is_inside(room, path) for room in rooms):
            raise HoldsRoom(path)
        if self._fs.mount_of(path) != self._fs.mount_of(parent_of(path)):
            raise HoldsMount(path)
        if holds_trash(self._fs, path):
            raise AccessDenied(path, "it holds the trash, which is not empty")
        return bucket

    def _remove(self, path: HdfsPath) -> None:
        if not self._fs.delete(path, recursive=True):
            raise NoSuchBucket(path)


def _told(error: PathNotFound, path: HdfsPath) -> PathNotFound | NoSuchBucket:
    """Return what to raise: the bucket may have vanished meanwhile."""
    return NoSuchBucket(path) if error.path == path else error
