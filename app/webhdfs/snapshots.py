"""Operations on snapshots."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.fs.documents import Document
from app.webhdfs import documents
from app.webhdfs.documents import answer
from app.webhdfs.given import MAX_INT
from app.webhdfs.operation import Operation
from app.webhdfs.shown import inside, rooted

if TYPE_CHECKING:
    from werkzeug import Response

    from app.webhdfs.call import WebHdfsCall


def get_list(call: WebHdfsCall) -> Response:
    """Answer the snapshots of a directory."""
    found = call.files.document(call.path, Document.SNAPSHOTS)
    return answer({"SnapshotList": inside(call.files, found, "fullPath")})


def get_directories(call: WebHdfsCall) -> Response:
    """Answer the snapshottable directories inside the caller's root."""
    found = call.files.document_of_cluster(Document.SNAPSHOTTABLE)
    return answer({"SnapshottableDirectoryList":
                   inside(call.files, found, "parentFullPath") or None})


def get_diff(call: WebHdfsCall) -> Response:
    """Answer what changed between two snapshots; an empty name is what there is now."""
    found = call.files.document(
        call.path, Document.SNAPSHOT_DIFF, oldsnapshotname=call.given.text("oldsnapshotname"),
        snapshotname=call.given.text("snapshotname"))
    return answer({"SnapshotDiffReport": rooted(call.files, found)})


def get_diff_listing(call: WebHdfsCall) -> Response:
    """Answer a part of what changed between two snapshots."""
    index = call.given.number("snapshotdiffindex", least=-1, most=MAX_INT, kind="int")
    found = call.files.document(
        call.path, Document.SNAPSHOT_DIFF_LISTING,
        oldsnapshotname=call.given.text("oldsnapshotname"),
        snapshotname=call.given.text("snapshotname"),
        snapshotdiffstartpath=call.given.text("snapshotdiffstartpath") or "",
        snapshotdiffindex=-1 if index is None else index)
    return answer({"SnapshotDiffReportListing": rooted(call.files, found)})


def allow(call: WebHdfsCall, *, allowed: bool) -> Response:
    """Have a directory be snapshottable or not."""
    call.files.allow_snapshots(call.path, allowed=allowed)
    return documents.done()


def create(call: WebHdfsCall) -> Response:
    """Make a snapshot, and answer its path."""
    made = call.files.create_snapshot(call.path, call.given.text("snapshotname"))
    return answer({"Path": made})


def rename(call: WebHdfsCall) -> Response:
    """Rename a snapshot."""
    old = call.given.required("oldsnapshotname")
    call.files.rename_snapshot(call.path, old, call.given.required("snapshotname"))
    return documents.done()


def delete(call: WebHdfsCall) -> Response:
    """Remove a snapshot."""
    call.files.delete_snapshot(call.path, call.given.required("snapshotname"))
    return documents.done()


OPERATIONS = (
    Operation("GET", "GETSNAPSHOTLIST", get_list),
    Operation("GET", "GETSNAPSHOTTABLEDIRECTORYLIST", get_directories),
    Operation("GET", "GETSNAPSHOTDIFF", get_diff),
    Operation("GET", "GETSNAPSHOTDIFFLISTING", get_diff_listing),
    Operation("PUT", "ALLOWSNAPSHOT", partial(allow, allowed=True)),
    Operation("PUT", "DISALLOWSNAPSHOT", partial(allow, allowed=False)),
    Operation("PUT", "CREATESNAPSHOT", create),
    Operation("PUT", "RENAMESNAPSHOT", rename),
    Operation("DELETE", "DELETESNAPSHOT", delete),
)
