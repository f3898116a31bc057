"""Objects under another key of their bucket: one RENAME, so that the object is never absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import PathNotFound
from app.core.object_errors import NoSuchKey
from app.core.paths import parent_of
from app.fs.object_writing import ObjectWriting

if TYPE_CHECKING:
    from app.core.objects import ObjectInfo


class ObjectRenaming(ObjectWriting):
    """Gives objects other keys."""

    def rename(self, bucket: str, key: str, to: str) -> None:
        """Make the object of `key` that of `to`; one that is there is replaced.

        All that is kept beside the content goes along. Raises NoSuchBucket, NoSuchKey, NameTaken,
        OperationAborted; CrossMount where the two lie in different clusters.
        """
        place = self.locate(bucket, key)
        self._principal.require_write(place.path)
        source = self.info(bucket, key)
        self.locate(bucket, to)
        if to == key:
            return
        if source.status.is_directory:
            self._rename_marker(source, bucket, to)
            return
        try:
            self.place_file(source.path, bucket, to)
        except PathNotFound as error:
            if error.path != source.path:
                raise
            raise NoSuchKey(place.path) from error
        self._directories.vanish(place.bucket, parent_of(source.path))

    def _rename_marker(self, source: ObjectInfo, bucket: str, to: str) -> None:
        """Do the same with a directory that is a key: its content stays where it is."""
        self.put(bucket, to, (), lambda: source.meta)
        self.delete(bucket, source.key)
