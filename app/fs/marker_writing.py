"""Keys that end in `/` and have no content: directories that stay until their key is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import AlreadyExists, DirectoryNotEmpty, PathNotFound
from app.core.object_errors import NameTaken, OperationAborted
from app.core.objects import ObjectInfo
from app.core.paths import name_of
from app.fs.markers import by_id
from app.fs.object_meta import IMPLIED, OBJECT, encode
from app.fs.object_placing import ObjectPlacing, below
from app.fs.object_reading import TRIES
from app.fs.placing import status_or_none

if TYPE_CHECKING:
    from app.core.model import FileStatus
    from app.core.objects import ObjectMeta
    from app.fs.object_guard import Guard
    from app.fs.object_reading import Place


class MarkerWriting(ObjectPlacing):
    """Directory markers."""

    def _put_marker(self, place: Place, meta: ObjectMeta, guard: Guard) -> ObjectInfo:
        for _ in range(TRIES):
            present = guard.check()
            status = status_or_none(self._fs, place.path)
            if status is None:
                with self._undoing(place.bucket, place.path):
                    info = self._make_marker(place, meta)
            elif status.is_directory:
                new = guard.is_set and present is None
                info = self._mark(place, status, meta, new=new)
            else:
                raise NameTaken(place.path)
            if info:
                return info
        raise OperationAborted(place.path)

    def _make_marker(self, place: Place, meta: ObjectMeta) -> ObjectInfo | None:
        """Make a directory with its xattr, in one step; None where another is quicker."""
        ground = self._ground(place.bucket, place.path)
        names = (*ground.missing, name_of(place.path))
        with self._staging.stage(
            self._fs, ground.path, place.path, below=ground.below(names[-1]),
        ) as stage:
            try:
                self._fs.mkdirs(below(ground, stage.path), ground.permission)
                info = self._described(stage.path, place, meta)
                for directory in stage.directories:
                    self._directories.set_implied(directory)
                hidden = (*stage.directories, stage.path)
                depth = self._move_directories(hidden, ground, names)
            except PathNotFound:
                return None
            if depth == 0:
                stage.done()
        return None if depth is None else info

    def _mark(
        self, place: Place, status: FileStatus, meta: ObjectMeta, *, new: bool,
    ) -> ObjectInfo | None:
        """Make a directory that is there a marker; None where another changed it meanwhile."""
        this = by_id(place.path, status)
        try:
            self._fs.set_xattr(this, OBJECT, encode(meta, status), exists=False if new else None)
            self._directories.remove_xattr(this, IMPLIED)
        except (AlreadyExists, PathNotFound):
            return None
        if status.children:
            self._fs.delete(place.content)
        # It may have vanished as an implied one at this very moment.
        now = status_or_none(self._fs, place.path)
        if now is None or now.file_id != status.file_id:
            return None
        return ObjectInfo(place.key, place.path, status, meta)

    def _delete_marker(self, place: Place) -> bool:
        """Make a marker an implied directory again, or remove it; tell whether it was a key."""
        status = status_or_none(self._fs, place.path)
        if status is None or not status.is_directory:
            return False
        this = by_id(place.path, status)
        try:
            xattrs = self._fs.xattrs(this)
            if not self._directories.is_key(place.path, status, xattrs):
                return self._delete_content(place, status)
            try:
                return self._fs.delete(this)
            except DirectoryNotEmpty:
                if OBJECT not in xattrs:
                    return False  # somebody's directory, and no longer empty
                self._directories.set_implied(this)
                self._directories.remove_xattr(this, OBJECT)
        except PathNotFound:
            return False
        self._directories.vanish(place.bucket, place.path)
        return True

    def _delete_content(self, place: Place, status: FileStatus) -> bool:
        """Delete the file that a key with `/` at its end has for its content."""
        if not status.children or not self._fs.delete(place.content):
            return False
        self._directories.vanish(place.bucket, place.path)
        return True
