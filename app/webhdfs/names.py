"""Operations on names: make, move, remove, join, cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import Unsupported
from app.webhdfs import documents
from app.webhdfs.given import invalid
from app.webhdfs.operation import Operation

if TYPE_CHECKING:
    from werkzeug import Response

    from app.webhdfs.call import WebHdfsCall

_DIRECTORY_MODE = "755"
_RENAME = "org.apache.hadoop.fs.Options.Rename"


def mkdirs(call: WebHdfsCall) -> Response:
    """Make a directory and its parents."""
    permission = call.given.mode("permission") or _DIRECTORY_MODE
    call.files.make_directory(call.path, permission, call.given.mode("unmaskedpermission"))
    return documents.boolean(value=True)


def create_symlink(call: WebHdfsCall) -> Response:
    """Refuse, as every HDFS does whose links nobody turned on."""
    call.given.absolute("destination")
    call.given.required("destination")
    raise Unsupported("Symlinks not supported")


def rename(call: WebHdfsCall) -> Response:
    """Rename, with options to exactly a name."""
    call.given.required("destination")
    destination = call.given.absolute("destination") or ""
    options = call.given.words("renameoptions", ("NONE", "OVERWRITE", "TO_TRASH"), _RENAME)
    if "TO_TRASH" in options:
        raise invalid("renameoptions", "TO_TRASH is for HDFS itself")
    if not options:
        return documents.boolean(value=call.files.move(call.path, destination))
    call.files.move_exactly(call.path, destination, replace="OVERWRITE" in options)
    return documents.done()


def delete(call: WebHdfsCall) -> Response:
    """Remove for good."""
    recursive = call.given.flag("recursive", default=False)
    return documents.boolean(value=call.files.remove(call.path, recursive=recursive))


def concat(call: WebHdfsCall) -> Response:
    """Move the blocks of other files to the end of one."""
    sources = call.given.required("sources").split(",")
    for source in sources:
        if not source.startswith("/"):
            raise invalid("sources", f'Invalid parameter value: sources = "{source}" is not an'
                                     " absolute path.")
    call.files.join(call.path, sources)
    return documents.done()


def truncate(call: WebHdfsCall) -> Response:
    """Cut a file."""
    call.given.required("newlength")
    length = call.given.number("newlength", least=0) or 0
    return documents.boolean(value=call.files.cut(call.path, length))


OPERATIONS = (
    Operation("PUT", "MKDIRS", mkdirs),
    Operation("PUT", "CREATESYMLINK", create_symlink),
    Operation("PUT", "RENAME", rename),
    Operation("POST", "CONCAT", concat),
    Operation("POST", "TRUNCATE", truncate),
    Operation("DELETE", "DELETE", delete),
)
