"""Completing a multipart upload: all parts become one object, once, whatever breaks meanwhile.

Each step is one atomic call of HDFS, and what is left to do can be seen in the directory, so that
anyone can go on where another was killed, and several at once end in the same object:

1. The plan (which files in which order, and what the object will be called) is written once.
2. CONCAT moves the blocks of the other parts behind the first one, in batches: each succeeds only
   where all of its sources are still there, so none is ever joined twice. Where HDFS refuses (an
   encryption zone, another block size, a snapshot, no right to the first part), the content is
   copied to a new file.
3. The file gets its xattr and moves into `open/` as `object`; `open/` becomes `sealed/`: of all who
   try, one succeeds, and never again.
4. One RENAME puts the object in place, and the directory goes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    Conflict,
    InvalidRequest,
    PathNotFound,
    QuotaExceeded,
    Unsupported,
    UpstreamFault,
)
from app.core.object_errors import InvalidPart, NoSuchKey, NoSuchUpload, OperationAborted
from app.core.objects import ObjectInfo
from app.core.paths import HdfsPath, child_of
from app.fs import part_checksums, part_sizes, part_sums
from app.fs import upload_layout as layout
from app.fs.object_meta import OBJECT, decode, encode
from app.fs.placing import status_or_none
from app.fs.publish import pieces
from app.fs.upload_plan import WrittenPlan, batches, moved, new_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.core.model import FileStatus
    from app.core.objects import Bucket, ObjectMeta, PartClaim, Upload
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.upload_plan import Plan

    Precondition = Callable[[ObjectInfo | None], None]

ASIDE_SECONDS = 1.0
"""How long an object may be out of its place while another takes its own back."""
_REFUSED = (AccessDenied, Conflict, InvalidRequest, Unsupported)


class Shelf(Protocol):
    """What completing needs of the object store."""

    def bucket_path(self, name: str) -> HdfsPath:
        """Return where the bucket lies, if it is there. Raises InvalidBucketName."""

    def bucket(self, name: str) -> Bucket:
        """Return the bucket. Raises NoSuchBucket."""

    def path_of(self, bucket: str, key: str) -> HdfsPath:
        """Return the path of an object. Raises InvalidKey and kin."""

    def info(self, bucket: str, key: str) -> ObjectInfo:
        """Return the object. Raises NoSuchBucket, NoSuchKey."""

    def place_file(
        self, file: HdfsPath, bucket: str, key: str, precondition: Precondition | None = None,
    ) -> HdfsPath:
        """Make a hidden file with its xattr the object, in one step, and return its path.

        Raises PathNotFound where the file is gone, and what `put` raises.
        """


class Place(NamedTuple):
    """Which upload, and where."""

    bucket: str
    directory: HdfsPath
    upload: Upload


class _Overtaken(Exception):
    """Another who completes the same upload was quicker: look again."""


class Completion:
    """One request to complete an upload."""

    def __init__(
        self, fs: FileSystem, staging: Staging, shelf: Shelf, place: Place, permission: str,
    ) -> None:
        self._fs = fs
        self._staging = staging
        self._shelf = shelf
        self._bucket, self._directory, self._upload = place
        self._permission = permission
        self._open = layout.record_path(self._directory)
        self._sealed = layout.sealed_path(self._directory)

    def run(
        self, claims: Sequence[PartClaim], least: int, precondition: Precondition | None,
        verify: Callable[[ObjectMeta], None],
    ) -> ObjectInfo:
        """Return the object, made by this call or by another."""
        for _ in range(2 * len(claims) + 10):
            try:
                plan, new = self._plan(claims, least, precondition, verify)
                self._make_object(plan, new=new)
                return self._publish(plan, precondition)
            except _Overtaken:
                continue
        raise OperationAborted(self._upload.key)

    # --- the plan

    def _plan(
        self, claims: Sequence[PartClaim], least: int, precondition: Precondition | None,
        verify: Callable[[ObjectMeta], None],
    ) -> tuple[Plan, bool]:
        """Return the plan, and whether it was made now."""
        written = WrittenPlan(self._fs, self._staging, self._directory, self._permission)
        plan = written.read()
        if plan:
            verify(plan.meta)
            plan.check(claims)
            return plan, False
        try:
            stored = layout.stored_parts(self._fs, self._directory)
            plan = new_plan(self._upload, part_sums.chosen(claims, stored, least))
            verify(plan.meta)
            if precondition:
                precondition(self._present())
            written.write(plan)
        except (AlreadyExists, PathNotFound):
            raise _Overtaken from None
        except InvalidPart:
            if written.read():  # another joins the parts since, and so they are gone
                raise _Overtaken from None
            raise
        return plan, True

    def _present(self) -> ObjectInfo | None:
        try:
            return self._shelf.info(self._bucket, self._upload.key)
        except NoSuchKey:
            return None

    # --- the object

    def _make_object(self, plan: Plan, *, new: bool) -> None:
        """See to it that the object lies in `sealed/`, made by this call or by another."""
        made = child_of(self._open, layout.OBJECT)
        if new or (not status_or_none(self._fs, made) and status_or_none(self._fs, self._open)):
            self._join(plan, new=new)
        moved(self._fs, self._open, self._sealed)

    def _join(self, plan: Plan, *, new: bool) -> None:
        """Put the parts together and move the file that has them all into `open/`."""
        names = plan.full()
        present = set(names) if new else self._names()
        target = child_of(self._directory, names[0])
        if names[0] not in present:
            self._explain_missing()
        rest = [child_of(self._directory, name) for name in names[1:] if name in present]
        for batch in batches(rest):
            try:
                self._fs.concat(target, batch)
            except PathNotFound:
                raise _Overtaken from None
            except QuotaExceeded:
                raise
            except _REFUSED:
                self._copy(plan, names)
                return
        self._finish(plan, target)

    def _names(self) -> set[str]:
        try:
            return {status.path_suffix for status in layout.entries(self._fs, self._directory)}
        except PathNotFound:
            raise _Overtaken from None

    def _explain_missing(self) -> None:
        """Raise _Overtaken where another moved the file on, or that it is lost.

        The order counts: what is joined moves into `open/` first, and leaves that only with
        `open/` itself.
        """
        if (not status_or_none(self._fs, child_of(self._open, layout.OBJECT))
                and status_or_none(self._fs, self._open)):
            raise UpstreamFault("the parts of this upload were removed")
        raise _Overtaken

    def _copy(self, plan: Plan, names: list[str]) -> None:
        """Copy what CONCAT cannot join, from the parts as they are by now."""
        present = self._names()
        files = [child_of(self._directory, name) for name in names if name in present]
        with self._staging.stage(self._fs, self._directory, self._directory) as stage:
            try:
                path = layout.fixed(self._fs, stage.path)
                self._fs.create(path, self._content(files), permission=self._permission)
            except PathNotFound:
                raise _Overtaken from None
            self._finish(plan, stage.path)
            stage.done()

    def _content(self, files: Sequence[HdfsPath]) -> Iterator[bytes]:
        for path in files:
            status = self._fs.status(path)
            if not status.length:
                continue
            source = self._fs.open(path, 0, status.length, status.file_id)
            try:
                yield from pieces(source, status.length, path)
            finally:
                source.close()

    def _finish(self, plan: Plan, file: HdfsPath) -> None:
        """Give the file its xattr and move it into `open/`."""
        try:
            status = self._fs.status(file)
            if status.length != plan.size:
                raise UpstreamFault(f"the parts have {status.length} bytes, not {plan.size}")
            self._describe(file, status, plan.meta)
        except PathNotFound:
            raise _Overtaken from None
        if not moved(self._fs, file, child_of(self._open, layout.OBJECT)):
            raise _Overtaken

    def _describe(self, file: HdfsPath, status: FileStatus, meta: ObjectMeta) -> None:
        record = encode(meta, status)
        xattrs = {OBJECT: record}
        kept = decode(record, status)
        if kept.part_sizes != meta.part_sizes:
            xattrs |= part_sizes.to_xattrs(meta.part_sizes)
        if kept.part_checksums != meta.part_checksums:
            xattrs |= part_checksums.to_xattrs(meta)
        for name, value in xattrs.items():
            self._fs.set_xattr(file, name, value, exists=None)

    # --- its place

    def _publish(self, plan: Plan, precondition: Precondition | None) -> ObjectInfo:
        made = layout.sealed_object(self._directory)
        status = status_or_none(self._fs, made)
        if status:
            try:
                path = self._shelf.place_file(
                    made, self._bucket, self._upload.key, self._unless_done(precondition))
            except PathNotFound as error:
                if error.path != made:
                    raise
            else:
                self._fs.delete(self._directory, recursive=True)
                return ObjectInfo(self._upload.key, path, status, plan.meta)
        if status_or_none(self._fs, self._open):
            raise _Overtaken
        info = completed(self._fs, self._shelf, self._bucket, self._upload)
        self._fs.delete(self._directory, recursive=True)
        return info

    def _unless_done(self, precondition: Precondition | None) -> Precondition | None:
        """Return the precondition for who has not been overtaken by another."""
        if precondition is None and self._fs.flavor_of(self._directory).rename_options:
            return None

        def check(present: ObjectInfo | None) -> None:
            if present and present.meta.upload == self._upload.upload_id:
                raise _Overtaken
            if precondition:
                precondition(present)

        return check


def completed(fs: FileSystem, shelf: Shelf, bucket: str, upload: Upload) -> ObjectInfo:
    """Return the object that an upload has become. Raises NoSuchUpload where it has not.

    Where a file cannot be replaced in one step, another who completes the same upload may have
    moved the object aside, and moves it back when it sees that it was late.
    """
    give_up = time.monotonic() + ASIDE_SECONDS
    while True:
        try:
            info = shelf.info(bucket, upload.key)
        except NoSuchKey as absent:
            in_steps = not fs.flavor_of(HdfsPath(absent.path)).rename_options
            if in_steps and time.monotonic() < give_up:
                time.sleep(ASIDE_SECONDS / 10)
                continue
        else:
            if info.meta.upload == upload.upload_id:
                return info
        raise NoSuchUpload(upload.upload_id)
