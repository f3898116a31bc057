"""The options of each action, as both generations of Alluxio's clients write them, and their fate.

One table says of each option what becomes of it: it is HONOURED, it is ACCEPTED because what it
would steer in Alluxio (its cache, its copy of the metadata) does not exist here, or it is REFUSED
where accepting it would be a lie. The page in the documentation is checked against it. Names are
those of Alluxio 2.9's protocol and of 1.8's option classes.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from app.streams.option_kinds import (
    Json,
    boolean,
    choice,
    json_list,
    json_object,
    mode,
    text,
    text_map,
    user_or_group,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Fate(Enum):
    """What becomes of an option."""

    HONOURED = "honoured"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Option(NamedTuple):
    """One option of some actions; `kind` makes a Python value of JSON, `why` is for the reader.

    A REFUSED one may be sent with a value that asks for nothing (false, an empty list): `refuses`
    tells which values it is refused with.
    """

    name: str
    actions: tuple[str, ...]
    kind: Callable[[str, Json], Any]
    fate: Fate
    why: str
    refuses: Callable[[Any], bool] = bool


COMMON = "commonOptions"
ALL = ("create-directory", "create-file", "delete", "exists", "free", "get-status", "list-status",
       "mount", "open-file", "rename", "set-attribute", "unmount")
_MAKING = ("create-directory", "create-file")
_TTL = (*_MAKING, "set-attribute")
_READING = ("exists", "get-status", "list-status")
_H, _A, _R = Fate.HONOURED, Fate.ACCEPTED, Fate.REFUSED
_WRITE_TYPE = choice("MUST_CACHE", "TRY_CACHE", "CACHE_THROUGH", "THROUGH", "ASYNC_THROUGH", "NONE")
_METADATA_TYPE = choice("NEVER", "ONCE", "ALWAYS")
_NO_CACHE = "There is no cache whose workers could be chosen."

OPTIONS: tuple[Option, ...] = (
    Option(COMMON, ALL, json_object, _H, "Holds the options of the section below."),
    Option("recursive", _MAKING, boolean, _H, "Missing parents are made."),
    Option("recursive", ("delete",), boolean, _H, "A directory goes with all it holds."),
    Option("recursive", ("free",), boolean, _H,
           "Needed for a directory with entries, as in Alluxio; nothing is freed."),
    Option("recursive", ("list-status",), boolean, _H, "All below, each directory before its own."),
    Option("recursive", ("set-attribute",), boolean, _H, "All below gets the same."),
    Option("allowExists", ("create-directory",), boolean, _H,
           "A directory that exists is left as it is; a file in the way is an error."),
    Option("mode", (*_MAKING, "set-attribute"), mode, _H,
           "Three names of bits, or one number. Without it `streams.file_permission` and"
           " `streams.directory_permission` count."),
    Option("writeType", _MAKING, _WRITE_TYPE, _A,
           "All is written to HDFS before it is acknowledged, whatever the type."),
    Option("writeTier", ("create-file",), whole(-(2**31), 2**31 - 1), _A, "There are no tiers."),
    Option("blockSizeBytes", ("create-file",), whole(0, 2**63 - 1), _H,
           "HDFS's block size, a multiple of 512; the cluster refuses what is below its least, and"
           " chooses where it is 0."),
    Option("replicationMin", ("create-file", "set-attribute"), whole(0, 2**31 - 1), _H,
           "HDFS has one factor: it is raised to this, never below 1."),
    Option("replicationMax", ("create-file", "set-attribute"), whole(-1, 2**31 - 1), _H,
           "HDFS has one factor: it is lowered to this; -1 is no bound."),
    Option("replicationDurable", ("create-file",), whole(0, 2**31 - 1), _A,
           "Copies in Alluxio until a file is persisted: here it is from the start."),
    Option("persistenceWaitTime", ("create-file",), whole(-1, 2**63 - 1), _A,
           "Nothing waits to be persisted."),
    Option("overwrite", ("create-file",), boolean, _H,
           "An existing file is replaced when the stream is closed, and stays until then."),
    Option("fileWriteLocationPolicy", ("create-file",), text, _A, _NO_CACHE),
    Option("locationPolicyClass", ("create-file", "open-file"), text, _A, _NO_CACHE),
    Option("locationPolicy", ("create-file", "open-file"), text, _A, _NO_CACHE),
    Option("checkS3BucketPath", ("create-file",), boolean, _A,
           "A check of Alluxio's own S3 API, which makes its files by other ways here."),
    Option("acl", ("create-directory",), json_list, _R,
           "ACLs are set by the file API (`/f/file/acl`)."),
    Option("xattr", (*_MAKING, "set-attribute"), text_map, _R,
           "Extended attributes are set by the file API (`/f/file/xattrs`)."),
    Option("xattrPropStrat", _MAKING, choice("NO_PROP", "NEW_PATHS", "LEAF_NODE", "UNSPECIFIED"),
           _A, "Says how `xattr` spreads, and that is refused."),
    Option("xattrUpdateStrategy", ("set-attribute",), choice(
        "UNSPECIFIED", "TRUNCATE", "UNION_REPLACE", "UNION_PRESERVE", "DELETE_KEYS"),
        _A, "Says how `xattr` is merged, and that is refused."),
    Option("alluxioOnly", ("delete",), boolean, _R,
           "Nothing is in Alluxio alone here: to obey would delete the data too."),
    Option("unchecked", ("delete",), boolean, _A,
           "There is no second copy of the metadata that could differ from HDFS's."),
    Option("deleteMountPoint", ("delete",), boolean, _H,
           "A mount point is unmounted, with those below it; what it led to stays."),
    Option("forced", ("free",), boolean, _H, "A pinned file is no error; nothing is freed."),
    Option("loadMetadataType", _READING, _METADATA_TYPE, _A,
           "HDFS is asked each time; `ALWAYS` and `Always` are the same."),
    Option("metaDataLoadType", _READING, _METADATA_TYPE, _A, "As `loadMetadataType`."),
    Option("loadMetadataOnly", ("list-status",), boolean, _H,
           "Nothing is to be loaded; the answer is an empty list."),
    Option("accessMode", ("get-status",), choice(
        "NONE", "EXECUTE", "WRITE", "WRITE_EXECUTE", "READ", "READ_EXECUTE", "READ_WRITE", "ALL"),
        _H, "HDFS is asked whether the user may (CHECKACCESS)."),
    Option("updateTimestamps", ("get-status", "list-status"), boolean, _A,
           "To look at a file changes no time of it in HDFS."),
    Option("includeRealContentHash", ("get-status",), boolean, _A,
           "`ufsFingerprint` tells length and modification time."),
    Option("disableAreDescendantsLoadedCheck", ("list-status",), boolean, _A,
           "HDFS is asked each time."),
    Option("readOnly", ("mount",), boolean, _H, "Nothing below can be changed through the mount."),
    Option("shared", ("mount",), boolean, _A,
           "Every user sees a mount; HDFS behind it says what each may."),
    Option("properties", ("mount",), text_map, _A, "How clusters are reached is configured by"
           " `backend.clusters`, not by who mounts."),
    Option("readType", ("open-file",), choice("NO_CACHE", "CACHE", "CACHE_PROMOTE"), _A,
           "There is no cache to read into."),
    Option("maxUfsReadConcurrency", ("open-file",), whole(0, 2**31 - 1), _A,
           "A stream is read by one request at a time."),
    Option("fileReadLocationPolicy", ("open-file",), text, _A, _NO_CACHE),
    Option("cacheLocationPolicyClass", ("open-file",), text, _A, _NO_CACHE),
    Option("cacheLocationPolicy", ("open-file",), text, _A, _NO_CACHE),
    Option("ufsReadLocationPolicyClass", ("open-file",), text, _A, _NO_CACHE),
    Option("ufsReadLocationPolicy", ("open-file",), text, _A, _NO_CACHE),
    Option("updateLastAccessTime", ("open-file",), boolean, _A,
           "HDFS keeps access times by its own precision (dfs.namenode.accesstime.precision)."),
    Option("persist", ("rename",), boolean, _A, "What is renamed is persisted already."),
    Option("owner", ("set-attribute",), user_or_group, _H, "As far as HDFS lets the user."),
    Option("group", ("set-attribute",), user_or_group, _H, "As far as HDFS lets the user."),
    Option("pinned", ("set-attribute",), boolean, _H,
           "Kept with the file and told; `free` refuses a pinned file. HDFS moves nothing for it."),
    Option("pinnedMedia", ("set-attribute",), json_list, _A, "There are no media to choose from."),
    Option("persisted", ("set-attribute",), boolean, _R,
           "true is what every file is; false cannot be.", lambda value: value is False),
    Option("ttl", _TTL, whole(-(2**63), 2**63 - 1), _H,
           "Milliseconds from now (create-file: from close); a negative number is none."),
    Option("ttlAction", _TTL, choice("DELETE", "FREE"), _H,
           "DELETE removes for good; FREE only forgets the ttl. Beside a `ttl` at the top level it"
           " is DELETE where not said, inside `commonOptions` FREE."),
)
COMMON_OPTIONS: tuple[Option, ...] = (
    Option("ttl", ALL, whole(-(2**63), 2**63 - 1), _H,
           "As `ttl`, for create-directory, create-file and set-attribute."),
    Option("ttlAction", ALL, choice("DELETE", "FREE"), _H,
           "As `ttlAction`, for create-directory, create-file and set-attribute."),
    Option("syncIntervalMs", ALL, whole(-(2**63), 2**63 - 1), _A,
           "HDFS is asked each time, so nothing is ever out of step."),
    Option("operationId", ALL, json_object, _A,
           "Tells repeated calls of Alluxio's own clients; HTTP clients repeat nothing."),
)
BY_ACTION: dict[str, dict[str, Option]] = {
    action: {option.name: option for option in OPTIONS if action in option.actions}
    for action in ALL}
BY_COMMON: dict[str, Option] = {option.name: option for option in COMMON_OPTIONS}


def markdown_table() -> str:
    """Return the table of all options for the documentation, in Markdown."""
    lines = ["| Action | Option | Here | |", "| --- | --- | --- | --- |"]
    for action in ALL:
        lines += [_line(action, option) for option in BY_ACTION[action].values()
                  if option.name != COMMON]
    lines += [_line(f"any, in `{COMMON}`", option) for option in COMMON_OPTIONS]
    return "\n".join(lines) + "\n"


def _line(action: str, option: Option) -> str:
    return f"| {action} | `{option.name}` | {option.fate.value} | {option.why} |"
