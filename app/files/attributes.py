"""Operations beyond the classic API: owner, times, ACLs, xattrs, snapshots, quotas."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from app.core.errors import InvalidParameter, MissingParameter
from app.files.api import PATH, api
from app.fs.port import AclChange
from app.web.answers import created, enveloped, no_content
from app.web.params import AnyText, NameList, OneOf, Param, WholeNumber

if TYPE_CHECKING:
    from werkzeug import Response

    from app.web.operations import Call

_DONE = {204: "Done."}
_NAME = AnyText("a name without '/' and ':'", r"[^/:\0]{1,255}")
_USER = AnyText("a user or group name", r"[^\0/:,]{1,255}")

OWNER: Param[str | None] = Param("owner", _USER, "The new owner.", None)
GROUP: Param[str | None] = Param("group", _USER, "The new group.", None)
_LONGEST = 2**63 - 1
"""HDFS's numbers have 64 bits, with a sign."""
MODIFIED: Param[int | None] = Param(
    "modification-time", WholeNumber(0, _LONGEST), "Milliseconds since the epoch.", None)
ACCESSED: Param[int | None] = Param(
    "access-time", WholeNumber(0, _LONGEST), "Milliseconds since the epoch.", None)
ENTRIES: Param[str | None] = Param(
    "entries", AnyText("ACL entries like user:alice:rw-,default:group::r-x"),
    "The entries; `remove` takes them without permissions.", None)
ACL_ACTION: Param[str] = Param(
    "action", OneOf("set", "modify", "remove", "remove-default", "remove-all"),
    "Replace the whole ACL, merge entries in, remove entries, or clear.", "modify")
_ACL_ACTIONS = {
    "set": AclChange.SET, "modify": AclChange.MODIFY, "remove": AclChange.REMOVE_ENTRIES,
    "remove-default": AclChange.REMOVE_DEFAULT, "remove-all": AclChange.REMOVE,
}
_ENTRY_TO_REMOVE = re.compile(r"(default:)?(user|group|mask|other):[^:]*")
XATTR: Param[str] = Param(
    "name", AnyText("an xattr name with its namespace, like user.origin", r"[^\0]{3,255}"),
    "The xattr.", "", required=True)
XATTRS: Param[tuple[str, ...] | None] = Param(
    "names", NameList("xattr names, with commas between"), "Only these xattrs.", None)
VALUE: Param[str] = Param("value", AnyText("base64", r"[A-Za-z0-9+/=]*"), "The value.", "")
EXISTS: Param[str] = Param(
    "if", OneOf("any", "absent", "present"), "Whether the xattr may or must be there.", "any")
SNAPSHOT: Param[str | None] = Param(
    "name", _NAME, "The snapshot's name; absent, HDFS makes one.", None)
THE_SNAPSHOT: Param[str] = Param("name", _NAME, "The snapshot's name.", "", required=True)
NEW_NAME: Param[str] = Param("new-name", _NAME, "The snapshot's new name.", "", required=True)
ALLOWED: Param[str] = Param("allowed", OneOf("true", "false"), "Whether snapshots can be made.", "",
                     required=True)
NAMES_QUOTA: Param[int | None] = Param(
    "names", WholeNumber(-1, _LONGEST), "Most names below the directory; -1 clears.", None)
SPACE_QUOTA: Param[int | None] = Param(
    "space", WholeNumber(-1, _LONGEST), "Most bytes with replication; -1 clears.", None)


@api.operation("PUT", "/file/owner", "Set owner or group.", PATH, OWNER, GROUP, answers=_DONE)
def set_owner(call: Call) -> Response:
    """Set owner, group or both; HDFS lets superusers, and owners for their own groups."""
    if call[OWNER] is None and call[GROUP] is None:
        raise MissingParameter("owner", "a user name; or give 'group'")
    call.files.set_owner(call[PATH], call[OWNER], call[GROUP])
    return no_content()


@api.operation("PUT", "/file/times", "Set the times of a file.", PATH, MODIFIED, ACCESSED,
               answers=_DONE)
def set_times(call: Call) -> Response:
    """Set modification time, access time or both."""
    if call[MODIFIED] is None and call[ACCESSED] is None:
        raise MissingParameter("modification-time", "epoch milliseconds; or give 'access-time'")
    call.files.set_times(call[PATH], call[MODIFIED], call[ACCESSED])
    return no_content()


@api.operation("GET", "/file/acl", "Get the ACL of a file or directory.", PATH,
               result={"type": "object", "properties": {"acl": {"type": "object"}}})
def get_acl(call: Call) -> Response:
    """Answer owner, group, mode and the entries beyond them."""
    acl = call.files.acl(call[PATH])
    return enveloped(call, {"acl": {
        "owner": acl.owner, "group": acl.group, "permission": acl.permission,
        "stickyBit": acl.sticky, "entries": list(acl.entries)}})


@api.operation("PUT", "/file/acl", "Change the ACL of a file or directory.",
               PATH, ACL_ACTION, ENTRIES, answers=_DONE)
def put_acl(call: Call) -> Response:
    """Set, merge, remove entries, or clear."""
    change = _ACL_ACTIONS[call[ACL_ACTION]]
    takes_none = change in (AclChange.REMOVE, AclChange.REMOVE_DEFAULT)
    if takes_none != (call[ENTRIES] is None):
        if takes_none:
            raise InvalidParameter("entries", call[ENTRIES] or "", "nothing with this action")
        raise MissingParameter("entries", ENTRIES.domain.allowed)
    entries = call[ENTRIES]
    if entries and change is AclChange.REMOVE_ENTRIES:
        entries = _with_last_colons(entries)
    call.files.change_acl(call[PATH], change, entries)
    return no_content()


def _with_last_colons(entries: str) -> str:
    """Return entries to remove as WebHDFS takes them; `setfacl -x` takes `user:bob`, too."""
    return ",".join(f"{entry}:" if _ENTRY_TO_REMOVE.fullmatch(entry) else entry
                    for entry in entries.split(","))


@api.operation("GET", "/file/xattrs", "Get extended attributes.", PATH, XATTRS,
               result={"type": "object", "properties": {"xattrs": {
                   "type": "object", "additionalProperties": {
                       "type": "string", "contentEncoding": "base64"}}}})
def get_xattrs(call: Call) -> Response:
    """Answer the xattrs that the user may see, values in base64."""
    names = call[XATTRS]
    found = call.files.xattrs(call[PATH], names or ())
    return enveloped(call, {"xattrs": {
        name: base64.b64encode(value).decode() for name, value in found.items()}})


@api.operation("PUT", "/file/xattrs", "Set one extended attribute.", PATH, XATTR, VALUE, EXISTS,
               answers=_DONE)
def put_xattr(call: Call) -> Response:
    """Set the xattr to the base64 `value`."""
    try:
        value = base64.b64decode(call[VALUE], validate=True)
    except binascii.Error:
        raise InvalidParameter("value", call[VALUE], "base64") from None
    exists = {"any": None, "absent": False, "present": True}[call[EXISTS]]
    call.files.set_xattr(call[PATH], call[XATTR], value, exists=exists)
    return no_content()


@api.operation("DELETE", "/file/xattrs", "Remove one extended attribute.", PATH, XATTR,
               answers=_DONE)
def delete_xattr(call: Call) -> Response:
    """Remove the xattr."""
    call.files.remove_xattr(call[PATH], call[XATTR])
    return no_content()


@api.operation("GET", "/snapshot", "List the snapshots of a directory.", PATH,
               result={"type": "object", "properties": {"snapshots": {"type": "array"}}})
def list_snapshots(call: Call) -> Response:
    """Answer the snapshots, oldest first."""
    return enveloped(call, {"snapshots": [_snapshot_json(s) for s in
                                          call.files.snapshots(call[PATH])]})


def _snapshot_json(snapshot: Any) -> dict[str, Any]:
    return {"name": snapshot.name, "id": snapshot.snapshot_id, "deleted": snapshot.deleted,
            "modificationTime": snapshot.modification_time}


@api.operation("POST", "/snapshot", "Make a snapshot of a directory.", PATH, SNAPSHOT,
               answers={201: "Made; `Location` is its status URL."})
def create_snapshot(call: Call) -> Response:
    """Make the snapshot; Location says where it can be read."""
    return created(call, call.files.create_snapshot(call[PATH], call[SNAPSHOT]))


@api.operation("PUT", "/snapshot", "Allow or forbid snapshots of a directory.", PATH, ALLOWED,
               answers=_DONE)
def allow_snapshots(call: Call) -> Response:
    """Make the directory snapshottable or not; HDFS lets superusers only."""
    call.files.allow_snapshots(call[PATH], allowed=call[ALLOWED] == "true")
    return no_content()


@api.operation("PUT", "/snapshot/name", "Rename a snapshot.", PATH, THE_SNAPSHOT, NEW_NAME,
               answers=_DONE)
def rename_snapshot(call: Call) -> Response:
    """Rename the snapshot."""
    call.files.rename_snapshot(call[PATH], call[THE_SNAPSHOT], call[NEW_NAME])
    return no_content()


@api.operation("DELETE", "/snapshot", "Delete a snapshot.", PATH, THE_SNAPSHOT, answers=_DONE)
def delete_snapshot(call: Call) -> Response:
    """Delete the snapshot; the directory itself is untouched."""
    call.files.delete_snapshot(call[PATH], call[THE_SNAPSHOT])
    return no_content()


@api.operation("GET", "/quota", "Get the quotas of a directory and their use.", PATH,
               result={"type": "object", "properties": {"quota": {"type": "object"}}})
def get_quota(call: Call) -> Response:
    """Answer quotas (-1 where none is set) and what is used of them."""
    summary = call.files.summary(call[PATH])
    return enveloped(call, {"quota": {
        "names": summary.quota, "namesUsed": summary.file_count + summary.directory_count,
        "space": summary.space_quota, "spaceUsed": summary.space_consumed}})


@api.operation("PUT", "/quota", "Set the quotas of a directory.", PATH, NAMES_QUOTA, SPACE_QUOTA,
               answers=_DONE)
def set_quota(call: Call) -> Response:
    """Set one quota or both; HDFS lets superusers only."""
    if call[NAMES_QUOTA] is None and call[SPACE_QUOTA] is None:
        raise MissingParameter("names", "a number of names; or give 'space'")
    call.files.set_quota(call[PATH], call[NAMES_QUOTA], call[SPACE_QUOTA])
    return no_content()
