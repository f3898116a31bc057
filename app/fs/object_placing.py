"""How what was staged becomes an object: one RENAME, of the file or of the directories it needs.

Missing directories are made under a hidden name, marked as implied; the RENAME that shows them
fails where another has made them meanwhile, and then what is inside moves on its own.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from app.core.errors import AlreadyExists, IsADirectory, NotADirectory, PathNotFound
from app.core.object_errors import NameTaken, OperationAborted
from app.core.objects import ObjectInfo
from app.core.paths import HdfsPath, child_of, parent_of
from app.fs.buckets import Buckets
from app.fs.markers import by_id
from app.fs.object_guard import Guard
from app.fs.object_meta import OBJECT, encode
from app.fs.object_reading import TRIES
from app.fs.placing import Placing, status_or_none
from app.fs.turns import turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from app.core.model import FileStatus
    from app.core.objects import ObjectMeta
    from app.fs.markers import Ground
    from app.fs.object_guard import Precondition
    from app.fs.object_reading import Place
    from app.fs.staging import Stage


MANY_TRIES = 20
"""The same where each time that another was quicker is one directory less to make."""


class ObjectPlacing(Buckets):
    """Puts objects in place."""

    _placing: Placing

    def describe(self, file: HdfsPath, status: FileStatus, meta: ObjectMeta) -> None:
        """Keep `meta` beside the hidden file or directory `file`, whose status this is."""
        self._fs.set_xattr(file, OBJECT, encode(meta, status), exists=None)

    def place_file(
        self, file: HdfsPath, bucket: str, key: str, precondition: Precondition | None = None,
    ) -> HdfsPath:
        """Make a hidden file, which has its xattr, the object in one step; return its path.

        Raises PathNotFound where the file is gone, and what `put` raises; the file stays then.
        """
        place = self.locate(bucket, key)
        self._principal.require_write(place.path)
        guard = Guard(self, place, precondition)
        with self._leaving_nothing(place.bucket, place.content):
            for _ in range(TRIES):
                ground = self._firm_ground(place.bucket, place.content)
                try:
                    self._place_once(file, place, ground, guard)
                except PathNotFound as error:
                    if error.path == file:
                        raise
                else:
                    return place.content
            raise OperationAborted(place.path)

    def _place_once(self, file: HdfsPath, place: Place, ground: Ground, guard: Guard) -> None:
        with self._staging.stage(self._fs, ground.path, place.content) as stage:
            self._publish_file(stage, place, guard, file)
            stage.done()
        if place.is_directory:
            self._directories.unmark(place.path)

    @contextmanager
    def _leaving_nothing(self, bucket: HdfsPath, path: HdfsPath) -> Iterator[None]:
        """Let directories that were made before what they hold go again when that fails."""
        try:
            yield
        except BaseException:
            self._directories.vanish(bucket, parent_of(path))
            raise

    def _undoing(self, bucket: HdfsPath, path: HdfsPath) -> AbstractContextManager[None]:
        """Do the same after `_ground`, which makes directories on some servers only."""
        if self._fs.flavor_of(path).rename_options:
            return nullcontext()
        return self._leaving_nothing(bucket, path)

    def _ground(self, bucket: HdfsPath, path: HdfsPath) -> Ground:
        """Return the ground for what will be staged together with the directories it needs.

        On a server that cannot rename to a free name only, they are made before: there two who
        move directories of the same name would move them into each other.
        """
        if self._fs.flavor_of(path).rename_options:
            return self._directories.ground(bucket, path)
        return self._firm_ground(bucket, path)

    def _firm_ground(self, bucket: HdfsPath, path: HdfsPath) -> Ground:
        """Return the ground of `path` with nothing missing, the directories made if need be."""
        ground = self._directories.ground(bucket, path)
        for _ in range(MANY_TRIES):
            if not ground.missing:
                return ground
            with suppress(PathNotFound):
                self._make_implied(ground, path)
            ground = self._directories.ground(bucket, path)
        raise OperationAborted(path)

    def _make_implied(self, ground: Ground, path: HdfsPath) -> None:
        """Make the directories that are missing, unless another is quicker."""
        with self._staging.stage(
            self._fs, ground.path, path, below=ground.missing[1:],
        ) as stage:
            self._fs.mkdirs(below(ground, stage.path), ground.permission)
            hidden = (*stage.directories, stage.path)
            for directory in hidden:
                self._directories.set_implied(directory)
            if self._move_directories(hidden[:1], ground, ground.missing) == 0:
                stage.done()

    def _move_directories(
        self, hidden: Sequence[HdfsPath], ground: Ground, names: Sequence[str],
    ) -> int | None:
        """Show the topmost hidden directory whose name is free; return which it was, None if none.

        `hidden` lie in each other, and shall have these `names` in each other below the ground.
        """
        real = ground.path
        for depth, directory in enumerate(hidden):
            real = child_of(real, names[depth])
            try:
                self._placing.move_new(directory, real)
            except (AlreadyExists, IsADirectory):
                continue
            except NotADirectory as error:
                raise NameTaken(real) from error
            return depth
        return None

    def _publish_file(
        self, stage: Stage, place: Place, guard: Guard, source: HdfsPath | None = None,
    ) -> None:
        path = place.content
        for _ in range(TRIES):
            try:
                if self._fs.flavor_of(path).rename_options and guard.may_create():
                    self._placing.put(stage, path, lambda: False, source)
                else:
                    self._replace(stage, path, guard, source)
            except NotADirectory as error:
                raise NameTaken(path) from error
            except (AlreadyExists, IsADirectory):
                self._clear_way(path)
            else:
                return
        raise OperationAborted(path)

    def _replace(
        self, stage: Stage, path: HdfsPath, guard: Guard, source: HdfsPath | None,
    ) -> None:
        """Put a file where another may be; in turn where that takes more than one step."""
        if self._fs.flavor_of(path).rename_options and not guard.is_set:
            self._placing.put(stage, path, lambda: True, source)
            return
        with turn(self._staging, path):
            self._placing.put(
                stage, path,
                lambda: guard.check() is not None if guard.is_set else self._is_there(path),
                source)

    def _is_there(self, path: HdfsPath) -> bool:
        status = status_or_none(self._fs, path)
        if status and status.is_directory:
            raise IsADirectory(path)
        return status is not None

    def _clear_way(self, path: HdfsPath) -> None:
        """Remove an empty implied directory that has the name of a file. Raises NameTaken."""
        status = status_or_none(self._fs, path)
        if status and status.is_directory and not self._directories.drop(path):
            raise NameTaken(path)

    def _described(self, path: HdfsPath, place: Place, meta: ObjectMeta) -> ObjectInfo:
        """Give what is staged its xattr."""
        status = self._fs.status(path)
        self.describe(path, status, meta)
        where = place.path if status.is_directory else place.content
        return ObjectInfo(place.key, where, status, meta)


def below(ground: Ground, path: HdfsPath) -> HdfsPath:
    """Return `path`, which lies in the ground, by the ground's id: that alone is meant."""
    return HdfsPath(by_id(ground.path, ground.status) + path[len(ground.path):])
