"""Operations that look: statuses, listings, summaries, homes, ACLs, extended attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug import Response

from app.core.errors import InvalidRequest
from app.fs.documents import Document
from app.webhdfs import documents
from app.webhdfs.documents import answer, file_status
from app.webhdfs.errors import JSON_TYPE, io_error
from app.webhdfs.given import FS_ACTION
from app.webhdfs.operation import Operation
from app.webhdfs.shown import inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.model import FileStatus
    from app.webhdfs.call import WebHdfsCall

_CODECS = ("TEXT", "HEX", "BASE64")


def get_file_status(call: WebHdfsCall) -> Response:
    """Answer the status of a file or directory."""
    return answer({"FileStatus": file_status(call.files.status(call.path))})


def list_status(call: WebHdfsCall) -> Response:
    """Answer the statuses of a directory's entries, while they are read."""
    listing = call.files.listing(call.path)
    pages = _pages(iter(listing))
    if listing.is_short:
        return Response(b"".join(pages), content_type=JSON_TYPE)
    return Response(pages, content_type=JSON_TYPE)


def _pages(pages: Iterator[list[FileStatus]]) -> Iterator[bytes]:
    mark = b'{"FileStatuses":{"FileStatus":['
    for page in pages:
        entries = b",".join(
            documents.encoded(file_status(entry, entry.path_suffix)) for entry in page)
        yield mark + entries
        mark = b","
    yield b"]}}" if mark == b"," else mark + b"]}}"


def list_status_batch(call: WebHdfsCall) -> Response:
    """Answer a page of a directory's entries, and how many are left."""
    page = call.files.page(call.path, call.given.text("startafter"))
    entries = [file_status(entry, entry.path_suffix) for entry in page.entries]
    return answer({"DirectoryListing": {
        "partialListing": {"FileStatuses": {"FileStatus": entries}},
        "remainingEntries": page.remaining}})


def get_content_summary(call: WebHdfsCall) -> Response:
    """Answer what a subtree holds."""
    return answer({"ContentSummary": documents.content_summary(call.files.summary(call.path))})


def get_quota_usage(call: WebHdfsCall) -> Response:
    """Answer the quotas of a directory, and what of them is used."""
    return answer({"QuotaUsage": call.files.document(call.path, Document.QUOTA_USAGE)})


def get_home_directory(call: WebHdfsCall) -> Response:
    """Answer the home directory as the caller sees it."""
    return answer({"Path": call.files.home()})


def get_trash_root(call: WebHdfsCall) -> Response:
    """Answer where the caller's trash for a path is."""
    return answer({"Path": call.files.trash(call.path)})


def get_trash_roots(call: WebHdfsCall) -> Response:
    """Answer the trash directories that there are, inside the caller's root."""
    every = call.given.flag("allusers", default=False)
    roots = call.files.document_of_cluster(
        Document.TRASH_ROOTS, allusers="true" if every else "false")
    return answer({"Paths": inside(call.files, roots, "path") or None})


def get_link_target(call: WebHdfsCall) -> Response:
    """Refuse: there are no links, as in every HDFS."""
    call.files.status(call.path)
    raise io_error(f"Path {call.path} is not a symbolic link")


def check_access(call: WebHdfsCall) -> Response:
    """Answer nothing where the caller may do what `fsaction` says."""
    action = call.given.matching("fsaction", FS_ACTION) or call.given.required("fsaction")
    call.files.check_access(call.path, action)
    return documents.done()


def get_acl_status(call: WebHdfsCall) -> Response:
    """Answer the ACL."""
    return answer({"AclStatus": documents.acl_status(call.files.acl(call.path))})


def get_xattrs(call: WebHdfsCall) -> Response:
    """Answer extended attributes, by name or all."""
    call.given.required("encoding")
    encoding = call.given.words("encoding", _CODECS, "org.apache.hadoop.fs.XAttrCodec")
    if len(encoding) != 1:
        raise InvalidRequest("one encoding is wanted")
    found = call.files.xattrs(call.path, call.given.texts("xattr.name"))
    return answer({"XAttrs": documents.xattrs(found, encoding[0])})


def list_xattrs(call: WebHdfsCall) -> Response:
    """Answer the names of the extended attributes: JSON within JSON, as HDFS has it."""
    names = documents.encoded(list(call.files.xattrs(call.path, ()))).decode()
    return answer({"XAttrNames": names})


OPERATIONS = (
    Operation("GET", "GETFILESTATUS", get_file_status),
    Operation("GET", "GETFILELINKSTATUS", get_file_status),
    Operation("GET", "LISTSTATUS", list_status),
    Operation("GET", "LISTSTATUS_BATCH", list_status_batch),
    Operation("GET", "GETCONTENTSUMMARY", get_content_summary),
    Operation("GET", "GETQUOTAUSAGE", get_quota_usage),
    Operation("GET", "GETHOMEDIRECTORY", get_home_directory),
    Operation("GET", "GETTRASHROOT", get_trash_root),
    Operation("GET", "GETTRASHROOTS", get_trash_roots),
    Operation("GET", "GETLINKTARGET", get_link_target),
    Operation("GET", "CHECKACCESS", check_access),
    Operation("GET", "GETACLSTATUS", get_acl_status),
    Operation("GET", "GETXATTRS", get_xattrs),
    Operation("GET", "LISTXATTRS", list_xattrs),
)
