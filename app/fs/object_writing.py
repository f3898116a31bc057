"""Objects on their way in and out: PUT, copy, change of metadata, DELETE.

A file is staged in the directory that it is for, which keeps that from vanishing, and is made by
the directory's id: one that vanished before is not made again, but looked for once more.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.errors import PathError, PathNotFound, UpstreamUnavailable
from app.core.object_errors import OperationAborted
from app.core.paths import name_of, parent_of
from app.fs.marker_writing import MarkerWriting
from app.fs.markers import by_id
from app.fs.object_guard import Guard, Repeatable
from app.fs.object_placing import below
from app.fs.object_reading import TRIES
from app.fs.placing import status_or_none
from app.fs.publish import pieces
from app.fs.turns import turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.core.objects import ObjectInfo, ObjectMeta
    from app.fs.markers import Ground
    from app.fs.object_guard import Precondition
    from app.fs.object_reading import Place
    from app.fs.staging import Stage

    Describe = Callable[[], ObjectMeta]
    Change = Callable[[ObjectMeta], ObjectMeta]


class ObjectWriting(MarkerWriting):
    """The objects of one principal, for writing."""

    _file_permission: str

    def put(
        self, bucket: str, key: str, body: Iterable[bytes], describe: Describe, *,
        precondition: Precondition | None = None, early: bool = False,
    ) -> ObjectInfo:
        """Make `body` the object; `describe` is called once, when it is exhausted.

        `precondition` sees what is there before the body is read, and again when it is about to be
        replaced. `early` says that the client waits to hear whether it should send the body: what
        forbids it is looked for first. A key that ends in `/` is a directory where it has no
        content. Raises NoSuchBucket, NameTaken, OperationAborted.
        """
        place = self.locate(bucket, key)
        self._principal.require_write(place.path)
        guard = Guard(self, place, precondition)
        guard.check()
        whole = Repeatable(body)
        if not place.is_directory:
            return self._put_file(place, whole, describe, guard, early=early)
        if whole.is_empty():
            return self._put_marker(place, describe(), guard)
        info = self._put_file(place, whole, describe, guard, early=early)
        self._directories.unmark(place.path)
        return info

    def copy(
        self, source: ObjectInfo, bucket: str, key: str, describe: Change, *,
        precondition: Precondition | None = None,
    ) -> ObjectInfo:
        """Copy an object; onto itself, only what is kept beside the content changes.

        `describe` makes the copy's meta of the source's, which has the ETag of the content alone:
        the copy of a multipart object has no parts.
        """
        place = self.locate(bucket, key)
        is_directory = source.status.is_directory and place.is_directory
        if source.path == (place.path if is_directory else place.content):
            return self.set_meta(bucket, key, describe, precondition=precondition)
        md5 = hashlib.md5(usedforsecurity=False)

        def content() -> Iterator[bytes]:
            for piece in self._content(source):
                md5.update(piece)
                yield piece

        def described() -> ObjectMeta:
            return describe(_as_one(source.meta, md5.hexdigest()))

        return self.put(bucket, key, content(), described, precondition=precondition)

    def set_meta(
        self, bucket: str, key: str, change: Change, *,
        precondition: Precondition | None = None,
    ) -> ObjectInfo:
        """Change what is kept beside an object. Raises NoSuchBucket, NoSuchKey."""
        place = self.locate(bucket, key)
        self._principal.require_write(place.path)
        for _ in range(TRIES):
            info = self.info(bucket, key)
            if precondition:
                precondition(info)
            changed = info._replace(meta=change(info.meta))
            try:
                self.describe(by_id(info.path, info.status), info.status, changed.meta)
            except PathNotFound:
                continue  # another version has taken its place
            return self.remembered(changed)
        raise OperationAborted(place.path)

    def delete(
        self, bucket: str, key: str, precondition: Precondition | None = None,
    ) -> bool:
        """Delete an object, and the directories that it implied; False where nothing was there.

        Raises NoSuchBucket.
        """
        place = self.locate(bucket, key)
        self._principal.require_write(place.path)
        gone = self._delete_if(place, precondition) if precondition else self._delete(place)
        if gone:
            self._directories.vanish(place.bucket, parent_of(place.path))
        else:
            self.require_bucket(place.bucket)
        return gone

    # --- inside

    def _delete_if(self, place: Place, precondition: Precondition) -> bool:
        """Delete the version that the precondition holds for, and no other."""
        guard = Guard(self, place, precondition)
        with turn(self._staging, place.content):
            for _ in range(TRIES):
                known = guard.check()
                if known is None or place.is_directory:
                    return self._delete(place)
                if self._fs.delete(by_id(known.path, known.status)):
                    return True
        raise OperationAborted(place.path)

    def _delete(self, place: Place) -> bool:
        if place.is_directory:
            return self._delete_marker(place)
        status = status_or_none(self._fs, place.path)
        return bool(status and not status.is_directory and self._fs.delete(place.path))

    def _put_file(
        self, place: Place, body: Repeatable, describe: Describe, guard: Guard, *, early: bool,
    ) -> ObjectInfo:
        """Put a file; what was made for it beforehand goes again if that fails."""
        with self._undoing(place.bucket, place.content):
            for _ in range(TRIES):
                ground = self._ground(place.bucket, place.content)
                if early:
                    self._check_early(place, ground)
                info = self._put_once(place, ground, body, describe, guard)
                if info:
                    return self.remembered(info)
            raise OperationAborted(place.path)

    def _put_once(
        self, place: Place, ground: Ground, body: Repeatable, describe: Describe, guard: Guard,
    ) -> ObjectInfo | None:
        """Do it on this ground; None where that has vanished."""
        with self._staging.stage(
            self._fs, ground.path, place.content, below=ground.below(name_of(place.content)),
        ) as stage:
            if not self._created(stage, ground, body, place):
                return None
            info = self._described(stage.path, place, describe())
            if self._publish(stage, place, ground, guard):
                stage.done()
        return info

    def _check_early(self, place: Place, ground: Ground) -> None:
        self._fs.check_access(ground.path, "-w-")
        if not ground.missing:
            self._clear_way(place.content)

    def _created(self, stage: Stage, ground: Ground, body: Repeatable, place: Place) -> bool:
        """Write the staged file; False where the ground has vanished and nothing was lost."""
        path = below(ground, stage.path)
        try:
            self._fs.create(path, body, permission=self._file_permission)
        except PathNotFound as error:
            if error.path != path:
                raise
            if not body.is_repeatable:
                raise UpstreamUnavailable(
                    "the directory was removed while the object was sent; try again") from error
            return False
        except PathError as error:
            error.path = place.path if error.path == path else error.path
            raise
        return True

    def _publish(self, stage: Stage, place: Place, ground: Ground, guard: Guard) -> bool:
        """Show what was staged; tell whether nothing hidden is left of it."""
        if stage.directories and not guard.may_create():
            guard.check()
        for directory in stage.directories:
            self._directories.set_implied(directory)
        for _ in range(TRIES):
            try:
                depth = self._move_directories(stage.directories, ground, ground.missing)
                if depth is None:
                    self._publish_file(stage, place, guard)
            except PathNotFound:
                continue  # what was there already has vanished
            return depth == 0 or not stage.directories
        raise OperationAborted(place.path)

    def _content(self, info: ObjectInfo) -> Iterator[bytes]:
        if not info.size:
            return
        source = self._fs.open(info.path, 0, info.size, info.status.file_id)
        try:
            yield from pieces(source, info.size, info.path)
        finally:
            source.close()


def _as_one(meta: ObjectMeta, etag: str) -> ObjectMeta:
    """Return the meta of the same content put in one piece."""
    sums = meta.checksums if meta.checksum_type == "FULL_OBJECT" else {}
    return replace(meta, etag=etag, checksums=sums, checksum_type="FULL_OBJECT", part_sizes=(),
                   upload="", part_checksums=())


