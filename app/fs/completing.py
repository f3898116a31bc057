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

from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import quote

from app.core.errors import (
    AccessDenied,
    AlreadyExists,
    AttributeNotFound,
    Conflict,
    InvalidRequest,
    PathNotFound,
    QuotaExceeded,
    Unsupported,
    UpstreamFault,
)
from app.core.object_errors import InvalidPart, NoSuchKey, NoSuchUpload, OperationAborted
from app.core.objects import ObjectInfo, ObjectMeta
from app.core.paths import child_of
from app.fs import part_sums
from app.fs import upload_layout as layout
from app.fs.object_meta import OBJECT, encode
from app.fs.placing import status_or_none
from app.fs.port import Rename
from app.fs.publish import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.core.objects import Bucket, PartClaim, Upload
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.staging import Staging

    Precondition = Callable[[ObjectInfo | None], None]

BATCH_OCTETS = 7_000
"""Octets of a CONCAT's sources in the URL. NameNode and HttpFS refuse request lines over 64 KiB
(hadoop.http.max.request.header.size), proxies before them often more than 8."""
PLAN_OCTETS = 8_000
"""Up to which the plan fits into an xattr (which hold 16 KiB) beside the record."""
_IN_FILE = b"@"
_REFUSED = (AccessDenied, Conflict, InvalidRequest, Unsupported)


class Shelf(Protocol):
    """What completing needs of the object store."""

    def bucket_path(self, name: str) -> HdfsPath:
        """Return where the bucket lies, if it is there. Raises InvalidBucketName."""

    def bucket(self, name: str) -> Bucket:
        """Return the bucket. Raises NoSuchBucket."""

    def info(self, bucket: str, key: str) -> ObjectInfo:
        """Return the object. Raises NoSuchBucket, NoSuchKey."""

    def place_file(
        self, file: HdfsPath, bucket: str, key: str, precondition: Precondition | None = None,
    ) -> HdfsPath:
        """Make a hidden file with its xattr the object, in one step, and return its path.

        Raises PathNotFound where the file is gone, and what `put` raises.
        """


class Plan(NamedTuple):
    """What the object will be made of: the `names` of its parts' files, and what it will say."""

    names: tuple[str, ...]
    meta: ObjectMeta

    @property
    def size(self) -> int:
        """The object's bytes."""
        return sum(self.meta.part_sizes)

    def full(self) -> list[str]:
        """Return the files that have content (CONCAT takes no others); one at least."""
        named = zip(self.names, self.meta.part_sizes, strict=True)
        return [name for name, size in named if size] or [self.names[0]]

    def check(self, claims: Sequence[PartClaim]) -> None:
        """Raise unless these are the parts that the plan was made of."""
        part_sums.check_order(claims)
        said = [f"{claim.number:05d}.{part_sums.claimed_etag(claim)}" for claim in claims]
        planned = [f"{number}.{md5}" for number, _, md5, *_ in (
            name.split(".") for name in self.names)]
        if said != planned:
            raise InvalidPart("the upload is being completed already, with other parts")


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
        plan = self._read_plan()
        new = plan is None
        plan = plan or self._new_plan(claims, least)
        verify(plan.meta)
        plan.check(claims)
        if new:
            if precondition:
                precondition(self._present())
            new = self._save_plan(plan)
        return plan, new

    def _new_plan(self, claims: Sequence[PartClaim], least: int) -> Plan:
        try:
            stored = part_sums.chosen(
                claims, layout.stored_parts(self._fs, self._directory), least)
        except PathNotFound:
            raise _Overtaken from None
        parts = [one.part for one in stored]
        algorithm, kind = self._upload.checksum_algorithm, self._upload.checksum_type
        given = self._upload.meta
        meta = ObjectMeta(
            part_sums.etag_of(parts), part_sums.checksums_of(parts, algorithm, kind), kind,
            given.headers, given.user, given.tags, tuple(part.size for part in parts),
            self._upload.upload_id)
        return Plan(tuple(one.name for one in stored), meta)

    def _present(self) -> ObjectInfo | None:
        try:
            return self._shelf.info(self._bucket, self._upload.key)
        except NoSuchKey:
            return None

    def _read_plan(self) -> Plan | None:
        """Return the plan that was written before. Raises NoSuchUpload, _Overtaken."""
        for directory in (self._open, self._sealed):
            try:
                raw = self._fs.xattrs(directory, [layout.PLAN])[layout.PLAN]
                if raw.startswith(_IN_FILE):
                    raw = self._read_file(child_of(self._directory, raw[1:].decode()))
            except AttributeNotFound:
                return None
            except PathNotFound:
                continue
            data = layout.unpacked(raw)
            return Plan(tuple(data["names"]), layout.meta_from_data(data["meta"]))
        raise NoSuchUpload(self._upload.upload_id)

    def _read_file(self, path: HdfsPath) -> bytes:
        status = self._fs.status(path)
        source = self._fs.open(path, 0, status.length, status.file_id)
        try:
            return b"".join(pieces(source, status.length, path))
        finally:
            source.close()

    def _save_plan(self, plan: Plan) -> bool:
        """Write the plan, unless there is one; tell whether this one counts."""
        raw = layout.packed({"names": plan.names, "meta": layout.meta_to_data(plan.meta)})
        try:
            if len(raw) > PLAN_OCTETS:
                raw = _IN_FILE + self._write_file(raw).encode()
            self._fs.set_xattr(self._open, layout.PLAN, raw, exists=False)
        except (AlreadyExists, PathNotFound):
            raise _Overtaken from None
        return True

    def _write_file(self, content: bytes) -> str:
        """Write a file into the upload's directory and return its name."""
        with self._staging.stage(
            self._fs, self._directory, self._directory, [self._directory],
        ) as stage:
            self._fs.create(stage.path, (content,), permission=self._permission)
            name = layout.plan_name()
            self._move_or_leave(stage.path, child_of(self._directory, name))
            stage.done()
        return name

    # --- the object

    def _make_object(self, plan: Plan, *, new: bool) -> None:
        """See to it that the object lies in `sealed/`, made by this call or by another."""
        made = child_of(self._open, layout.OBJECT)
        if new or (not status_or_none(self._fs, made) and status_or_none(self._fs, self._open)):
            self._join(plan, new=new)
        self._move(self._open, self._sealed)

    def _join(self, plan: Plan, *, new: bool) -> None:
        """Put the parts together and move the file that has them all into `open/`."""
        names = plan.full()
        present = set(names) if new else self._names()
        target = child_of(self._directory, names[0])
        if names[0] not in present:
            self._explain_missing(target)
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

    def _explain_missing(self, target: HdfsPath) -> None:
        """Raise _Overtaken where another moved `target` on, or that it is lost.

        The order counts: it moves into `open/` first, and leaves that only with `open/` itself.
        """
        if (not status_or_none(self._fs, child_of(self._open, layout.OBJECT))
                and status_or_none(self._fs, self._open)):
            raise UpstreamFault(f"the parts of this upload were removed: {target}")
        raise _Overtaken

    def _copy(self, plan: Plan, names: list[str]) -> None:
        """Copy what CONCAT cannot join, from the parts as they are by now."""
        present = self._names()
        files = [child_of(self._directory, name) for name in names if name in present]
        with self._staging.stage(
            self._fs, self._directory, self._directory, [self._directory],
        ) as stage:
            try:
                self._fs.create(stage.path, self._content(files), permission=self._permission)
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
            self._fs.set_xattr(file, OBJECT, encode(plan.meta, status), exists=None)
        except PathNotFound:
            raise _Overtaken from None
        self._move_or_leave(file, child_of(self._open, layout.OBJECT))

    def _move_or_leave(self, source: HdfsPath, destination: HdfsPath) -> None:
        if not self._move(source, destination):
            raise _Overtaken

    def _move(self, source: HdfsPath, destination: HdfsPath) -> bool:
        """Rename where the destination is free; tell whether it was done."""
        if not self._fs.flavor.rename_options:
            return self._fs.rename(source, destination)
        try:
            return self._fs.rename(source, destination, Rename.NEW)
        except (AlreadyExists, PathNotFound):
            return False

    # --- its place

    def _publish(self, plan: Plan, precondition: Precondition | None) -> ObjectInfo:
        made = child_of(self._sealed, layout.OBJECT)
        status = status_or_none(self._fs, made)
        if status:
            try:
                path = self._shelf.place_file(made, self._bucket, self._upload.key, precondition)
            except PathNotFound as error:
                if error.path != made:
                    raise
            else:
                self._fs.delete(self._directory, recursive=True)
                return ObjectInfo(self._upload.key, path, status, plan.meta)
        if status_or_none(self._fs, self._open):
            raise _Overtaken
        present = self._present()
        self._fs.delete(self._directory, recursive=True)
        if present and present.meta.upload == self._upload.upload_id:
            return present
        raise NoSuchUpload(self._upload.upload_id)


def batches(
    files: Sequence[HdfsPath], octets: int = BATCH_OCTETS,
) -> Iterator[list[HdfsPath]]:
    """Yield the files in their order, at most `octets` of URL at a time, but one at least."""
    batch: list[HdfsPath] = []
    used = 0
    for file in files:
        size = len(quote(f"{file},", "/"))
        if batch and used + size > octets:
            yield batch
            batch, used = [], 0
        batch.append(file)
        used += size
    if batch:
        yield batch
