"""Operations on what files and directories have: factor, owner, mode, times, ACL, xattrs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.fs.port import AclChange
from app.webhdfs import documents
from app.webhdfs.given import ACL_SPEC, illegal, invalid
from app.webhdfs.operation import Operation

if TYPE_CHECKING:
    from werkzeug import Response

    from app.webhdfs.call import WebHdfsCall

_FILE_MODE = "755"
_DEFAULT_REPLICATION = 3
_FLAGS = {("CREATE",): False, ("REPLACE",): True, ("CREATE", "REPLACE"): None}


def set_replication(call: WebHdfsCall) -> Response:
    """Set the replication factor of a file."""
    factor = call.given.short("replication", least=1)
    if factor is None:
        told = call.files.defaults()
        factor = int(told.get("replication", _DEFAULT_REPLICATION))
    return documents.boolean(value=call.files.replicate(call.path, factor))


def set_owner(call: WebHdfsCall) -> Response:
    """Set owner, group or both."""
    owner, group = call.given.text("owner"), call.given.text("group")
    if owner is None and group is None:
        raise illegal("Both owner and group are empty.")
    call.files.set_owner(call.path, owner, group)
    return documents.done()


def set_permission(call: WebHdfsCall) -> Response:
    """Set the mode."""
    call.files.set_permission(call.path, call.given.mode("permission") or _FILE_MODE)
    return documents.done()


def set_times(call: WebHdfsCall) -> Response:
    """Set times in epoch milliseconds; -1, or none, leaves one as it is."""
    modified = call.given.number("modificationtime", least=-1)
    accessed = call.given.number("accesstime", least=-1)
    call.files.set_times(call.path, None if modified == -1 else modified,
                         None if accessed == -1 else accessed)
    return documents.done()


def change_acl(change: AclChange, call: WebHdfsCall) -> Response:
    """Change the ACL by its entries."""
    call.given.required("aclspec")
    call.files.change_acl(call.path, change, call.given.matching("aclspec", ACL_SPEC))
    return documents.done()


def remove_acl(change: AclChange, call: WebHdfsCall) -> Response:
    """Remove the ACL, or what of it new files inherit."""
    call.files.change_acl(call.path, change, None)
    return documents.done()


def set_xattr(call: WebHdfsCall) -> Response:
    """Set an extended attribute."""
    name = call.given.required("xattr.name")
    call.given.required("flag")
    flags = call.given.words("flag", ("CREATE", "REPLACE"), "org.apache.hadoop.fs.XAttrSetFlag")
    try:
        value = documents.xattr_value(call.given.text("xattr.value"))
    except ValueError as error:
        raise invalid("xattr.value", str(error)) from None
    call.files.set_xattr(call.path, name, value, exists=_FLAGS[tuple(sorted(set(flags)))])
    return documents.done()


def remove_xattr(call: WebHdfsCall) -> Response:
    """Remove an extended attribute."""
    call.files.remove_xattr(call.path, call.given.required("xattr.name"))
    return documents.done()


OPERATIONS = (
    Operation("PUT", "SETREPLICATION", set_replication),
    Operation("PUT", "SETOWNER", set_owner),
    Operation("PUT", "SETPERMISSION", set_permission),
    Operation("PUT", "SETTIMES", set_times),
    Operation("PUT", "SETACL", partial(change_acl, AclChange.SET)),
    Operation("PUT", "MODIFYACLENTRIES", partial(change_acl, AclChange.MODIFY)),
    Operation("PUT", "REMOVEACLENTRIES", partial(change_acl, AclChange.REMOVE_ENTRIES)),
    Operation("PUT", "REMOVEDEFAULTACL", partial(remove_acl, AclChange.REMOVE_DEFAULT)),
    Operation("PUT", "REMOVEACL", partial(remove_acl, AclChange.REMOVE)),
    Operation("PUT", "SETXATTR", set_xattr),
    Operation("PUT", "REMOVEXATTR", remove_xattr),
)
