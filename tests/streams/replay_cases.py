"""The long story: each call of the Python client with each of its options, and each refusal.

Alluxio 1.8.1 and 2.9.4 were asked the same; the answers are 2.9.4's but for what `differs` says.
"""

from __future__ import annotations

from tests.streams.replay import NOTHING, Case, Kind, Text, content, opens, refused, saying, told
from tests.streams.replay_calls import (
    NO_STREAM,
    OWN_STATUS,
    UNKNOWN_URL,
    at,
    missing,
    mounted,
    on,
    renamed,
    taken,
    written,
)
from tests.streams.replay_infos import directory, file, unfinished

OLDER = "2.9.4 knows the option only under another name and answers 400; 1.8.1 takes it, as we do"
MIB = 1 << 20
HOUR = 3_600_000
GREETING = b"hello " + b"world\n" + b"x" * 100 + b"abcdef"
CLOSED = {"ownerBits": "ALL", "groupBits": "READ_EXECUTE", "otherBits": "NONE"}
PRIVATE = {"ownerBits": "READ_WRITE", "groupBits": "READ", "otherBits": "NONE"}
POLICY = "alluxio.client.file.policy.RoundRobinPolicy"
ONE_OR_TWO = Kind("HDFS's own factor within these bounds", lambda value: value in {1, 2})
EVERYTHING = {
    "blockSizeBytes": MIB, "locationPolicyClass": POLICY, "mode": PRIVATE, "recursive": True,
    "ttl": HOUR, "ttlAction": "DELETE", "writeType": "CACHE_THROUGH"}
WRITE_TYPES = ("MUST_CACHE", "CACHE_THROUGH", "THROUGH", "ASYNC_THROUGH")
DIRECTORIES = [
    at("delete of nothing", "/pt", "delete", missing("/pt"), {"recursive": True}),
    at("nothing exists", "/pt", "exists", told(False)),
    at("a directory without parent", "/pt/a/b", "create-directory", refused(
        "NOT_FOUND", "File /pt/a/b creation failed. Component 1(pt) does not exist")),
    at("with its parents", "/pt/a/b", "create-directory", NOTHING, {"recursive": True}),
    at("a directory", "/pt/d1", "create-directory", NOTHING),
    at("a directory again", "/pt/d1", "create-directory", refused(
        "ALREADY_EXISTS",
        "Not allowed to create directory because path already exists: /pt/d1")),
    at("it may exist", "/pt/d1", "create-directory", NOTHING, {"allowExists": True}),
    at("with all options", "/pt/d2/x", "create-directory", NOTHING, {
        "allowExists": True, "mode": CLOSED, "recursive": True, "writeType": "CACHE_THROUGH"}),
    at("with a mode", "/pt/dm", "create-directory", NOTHING, {"mode": CLOSED}),
    *(at(f"writeType {kind}", f"/pt/w_{kind}", "create-directory", NOTHING, {"writeType": kind})
      for kind in WRITE_TYPES),
]
WRITING = [
    at("create-file", "/pt/f1", "create-file", opens("f1")),
    on("write", "f1", "write", told(6), b"hello "),
    on("a second write appends", "f1", "write", told(6), b"world\n"),
    on("a file's content", "f1", "write", told(100), b"x" * 100),
    on("a chunked body", "f1", "write", told(6), (b"abc", b"def")),
    on("an empty body", "f1", "write", told(0), b""),
    at("a file that is being written", "/pt/f1", "get-status", told(unfinished("/pt/f1")),
       differs="Alluxio has given it and a block of it ids by now; a name in HDFS has none yet"),
    at("cannot be opened", "/pt/f1", "open-file", refused(
        "UNKNOWN", "Cannot read from /pt/f1 because it is incomplete. Wait for the file to be"
        " marked as complete by the writing thread or application.")),
    on("its stream cannot be read", "f1", "read", NO_STREAM, differs=(
        "Alluxio answers with the text HTTP 500 Internal Server Error, which no client can read")),
    on("close", "f1", "close", NOTHING),
    on("close again", "f1", "close", NO_STREAM),
    on("write after close", "f1", "write", NO_STREAM, b"x"),
    on("write to an unknown stream", "99999999", "write", NO_STREAM, b"x"),
    on("read of an unknown stream", "99999999", "read", NO_STREAM, differs="as above"),
    on("close of an unknown stream", "99999999", "close", NO_STREAM),
]
LOOKING = [
    at("a file", "/pt/f1", "get-status", told(file("/pt/f1", len(GREETING)))),
    at("a file, loadMetadataType", "/pt/f1", "get-status", told(file("/pt/f1", len(GREETING))),
       {"loadMetadataType": "ONCE"}),
    at("a directory's status", "/pt/d1", "get-status", told(directory("/pt/d1", 0))),
    at("a directory with a mode", "/pt/d2/x", "get-status", told(
        directory("/pt/d2/x", 0, mode=0o750))),
    at("no file", "/pt/nope", "get-status", missing("/pt/nope")),
    at("a file exists", "/pt/f1", "exists", told(True)),
    at("a file exists, options", "/pt/f1", "exists", told(True), {}),
]
CREATING = [
    at("create-file of a file", "/pt/f1", "create-file", refused(
        "ALREADY_EXISTS", "/pt/f1 already exists. If you want to overwrite the file, you need to"
        " specify the overwrite option.")),
    at("create-file of a directory", "/pt/d1", "create-file", refused(
        "ALREADY_EXISTS", "/pt/d1 already exists. If you want to overwrite the file, you need to"
        " specify the overwrite option.")),
    at("create-file without parent", "/pt/np1/np2/f", "create-file", refused(
        "NOT_FOUND", "File /pt/np1/np2/f creation failed. Component 2(np1) does not exist")),
    at("create-file with parents", "/pt/np1/np2/f", "create-file", opens("empty"),
       {"recursive": True}),
    on("an empty file", "empty", "close", NOTHING),
    at("create-file below a file", "/pt/f1/x", "create-file", refused(
        "INVALID_ARGUMENT",
        "Traversal failed for path /pt/f1/x. Component 2(f1) is a file, not a directory."),
       {"recursive": True}),
    *written("/pt/f2", EVERYTHING, differs=OLDER, block_size=MIB, mode=0o640, ttl=HOUR,
             ttlAction="DELETE"),
    *written("/pt/o_block", {"blockSizeBytes": MIB}, b"z" * 1_500_000, block_size=MIB),
    *written("/pt/o_mode", {"mode": PRIVATE}, mode=0o640),
    *written("/pt/o_policy", {"locationPolicyClass": POLICY}, differs=OLDER),
    *written("/pt/o_ttl", {"ttl": HOUR}, differs=OLDER, ttl=HOUR, ttlAction="DELETE"),
    *written("/pt/o_ttlAction", {"ttlAction": "DELETE"}, differs=OLDER, ttlAction=Kind(
        "an action", lambda value: value in {"DELETE", "FREE"})),
    *written("/pt/o_writeType", {"writeType": "CACHE_THROUGH"}),
    *written("/pt/o_repl",
             {"replicationDurable": 1, "replicationMax": 2, "replicationMin": 1},
             differs="Alluxio pins what has a replicationMin, and tells Min and Max as given",
             replicationMin=ONE_OR_TWO, replicationMax=ONE_OR_TWO),
]
READING = [
    at("open-file", "/pt/f1", "open-file", opens("r")),
    on("read", "r", "read", content(GREETING)),
    on("a second read is empty", "r", "read", content(b"")),
    on("write to what is read", "r", "write", NO_STREAM, b"x"),
    on("close what is read", "r", "close", NOTHING),
    on("read after close", "r", "read", NO_STREAM, differs="as above"),
    at("open-file readType", "/pt/f1", "open-file", opens("r2"), {"readType": "CACHE"}),
    on("close r2", "r2", "close", NOTHING),
    at("open-file with all options", "/pt/f1", "open-file", opens("r3"), {
        "cacheLocationPolicyClass": POLICY, "maxUfsReadConcurrency": 4,
        "readType": "CACHE_PROMOTE", "ufsReadLocationPolicyClass": POLICY}, differs=OLDER),
    on("close r3", "r3", "close", NOTHING),
    at("open-file of a directory", "/pt/d1", "open-file", refused(
        "UNKNOWN", "Cannot read from /pt/d1 because it is a directory")),
    at("open-file of nothing", "/pt/nope", "open-file", missing("/pt/nope")),
    at("open-file of an empty file", "/pt/np1/np2/f", "open-file", opens("r4")),
    on("read of an empty file", "r4", "read", content(b"")),
    on("close r4", "r4", "close", NOTHING),
]
FILES_OF_PT = [
    file("/pt/f1", len(GREETING)),
    file("/pt/f2", 1, block_size=MIB, mode=0o640, ttl=HOUR, ttlAction="DELETE"),
    directory("/pt/np1", 1),
    file("/pt/o_block", 1_500_000, block_size=MIB), file("/pt/o_mode", 1, mode=0o640),
    file("/pt/o_policy", 1), file("/pt/o_repl", 1), file("/pt/o_ttl", 1, ttl=HOUR,
                                                         ttlAction="DELETE"),
    file("/pt/o_ttlAction", 1, ttlAction=Kind("an action", lambda value: isinstance(value, str))),
    file("/pt/o_writeType", 1),
]
WRITE_TYPE_DIRECTORIES = [directory(f"/pt/w_{kind}", 0) for kind in sorted(WRITE_TYPES)]
LISTED = [directory("/pt/a", 1), directory("/pt/d1", 0), directory("/pt/d2", 1),
          directory("/pt/dm", 0, mode=0o750), *FILES_OF_PT, *WRITE_TYPE_DIRECTORIES]
LISTED_BELOW = [
    directory("/pt/a", 1), directory("/pt/a/b", 0), directory("/pt/d1", 0),
    directory("/pt/d2", 1), directory("/pt/d2/x", 0, mode=0o750),
    directory("/pt/dm", 0, mode=0o750), *FILES_OF_PT[:3], directory("/pt/np1/np2", 1),
    file("/pt/np1/np2/f", 0), *FILES_OF_PT[3:], *WRITE_TYPE_DIRECTORIES]
LISTING = [
    at("a directory's listing", "/pt", "list-status", told(LISTED)),
    at("a file's listing", "/pt/f1", "list-status", told([file("/pt/f1", len(GREETING))])),
    at("an empty directory's listing", "/pt/d1", "list-status", told([])),
    at("a listing of nothing", "/pt/nope", "list-status", missing("/pt/nope")),
    at("a listing of all below", "/pt", "list-status", told(LISTED_BELOW), {"recursive": True}),
    at("list-status loadMetadataType", "/pt", "list-status", told(LISTED),
       {"loadMetadataType": "ALWAYS"}),
]

RENAMING = [
    renamed("rename", "/pt/f1", "/pt/f1r", NOTHING),
    renamed("rename back", "/pt/f1r", "/pt/f1", NOTHING),
    renamed("rename of nothing", "/pt/nope", "/pt/nope2", missing("/pt/nope")),
    renamed("rename onto a file", "/pt/f1", "/pt/o_mode", taken("/pt/f1", "/pt/o_mode")),
    renamed("rename onto a directory", "/pt/f1", "/pt/d1", taken("/pt/f1", "/pt/d1")),
    renamed("rename to where no parent is", "/pt/f1", "/pt/nodir/f1", missing("/pt/nodir")),
    renamed("rename into itself", "/pt/a", "/pt/a/b/c", refused(
        "INVALID_ARGUMENT", "Cannot rename because /pt/a is a prefix of /pt/a/b/c")),
    renamed("rename to the same", "/pt/f1", "/pt/f1", NOTHING),
    renamed("rename of the root", "/", "/pt/root", refused(
        "INVALID_ARGUMENT", "The root directory cannot be renamed")),
]
ATTRIBUTES = [
    at("set-attribute without options", "/pt/f1", "set-attribute", NOTHING),
    at("mode", "/pt/f1", "set-attribute", NOTHING, {"mode": PRIVATE}),
    at("owner", "/pt/f1", "set-attribute", NOTHING, {"owner": Text("{owner}")}),
    at("an owner that nobody is", "/pt/f1", "set-attribute", NOTHING, {"owner": "nosuchuser"},
       differs="HDFS takes any name; Alluxio's local file system must know it"),
    at("the owner again", "/pt/f1", "set-attribute", NOTHING, {"owner": Text("{owner}")}),
    at("group", "/pt/f1", "set-attribute", NOTHING, {"group": Text("{group}")}),
    at("pinned", "/pt/f1", "set-attribute", NOTHING, {"pinned": True}),
    at("free of a pinned file", "/pt/f1", "free", refused(
        "UNKNOWN", "Cannot free file /pt/f1 which is pinned. Please unpin it first or set the"
        ' "forced" flag of free operation to true')),
    at("unpinned", "/pt/f1", "set-attribute", NOTHING, {"pinned": False}),
    at("ttl", "/pt/f1", "set-attribute", NOTHING, {"ttl": 24 * HOUR}, differs=OLDER),
    at("ttl and action", "/pt/f1", "set-attribute", NOTHING,
       {"ttl": 24 * HOUR, "ttlAction": "FREE"}, differs=OLDER),
    at("pinned with all below", "/pt/a", "set-attribute", NOTHING,
       {"pinned": True, "recursive": True}),
    at("set-attribute of nothing", "/pt/nope", "set-attribute", missing("/pt/nope"),
       {"pinned": True}),
    at("after set-attribute", "/pt/f1", "get-status", told(
        file("/pt/f1", len(GREETING), mode=0o640, ttl=24 * HOUR)), differs=OLDER),
    at("after set-attribute, below", "/pt/a/b", "get-status", told(
        directory("/pt/a/b", 0, pinned=True))),
]
FREEING = [
    at("free", "/pt/f1", "free", NOTHING),
    at("after free", "/pt/f1", "get-status", told(
        file("/pt/f1", len(GREETING), mode=0o640, ttl=24 * HOUR)), differs=OLDER),
    at("free of a directory", "/pt/np1", "free", refused(
        "UNKNOWN", "Cannot free directory /pt/np1 which is not empty. Please set the"
        ' "recursive" flag of free operation to true')),
    at("free of a directory with all below", "/pt/np1", "free", NOTHING, {"recursive": True}),
    at("free of nothing", "/pt/nope", "free", missing("/pt/nope")),
    at("open-file after free", "/pt/f1", "open-file", opens("r5")),
    on("read after free", "r5", "read", content(GREETING)),
    on("close r5", "r5", "close", NOTHING),
]

LOGGED = "Alluxio puts what its log has of the mount before the sentence"
MOUNTING = [
    mounted("mount", "/pt/m1", "/srcs/mnt1", NOTHING),
    at("a mount's listing", "/pt/m1", "list-status", told([
        file("/pt/m1/hi.txt", 2, mountId=Kind("a mount's id", lambda value: value > 1))]),
       differs="ufsPath leads to the source, which is not told to who has a root of their own"),
    mounted("mount again", "/pt/m1", "/srcs/mnt1", refused("UNKNOWN", saying(
        "Mount point target path /pt/m1 already exists")), differs=LOGGED),
    at("unmount", "/pt/m1", "unmount", NOTHING),
    at("unmount again", "/pt/m1", "unmount", refused(
        "NOT_FOUND", "Failed to unmount: Path /pt/m1 does not exist")),
    at("unmount of nothing", "/pt/nope", "unmount", refused(
        "NOT_FOUND", "Failed to unmount: Path /pt/nope does not exist")),
    mounted("a read-only mount", "/mro", "/srcs/mnt1", NOTHING,
            {"readOnly": True, "shared": True}),
    at("create-file below it", "/mro/x", "create-file", refused(
        "PERMISSION_DENIED",
        "A write operation on /mro/x under a readonly mount point /mro is not allowed")),
    mounted("a mount with properties", "/mpr", "/srcs/mnt2", NOTHING, {"properties": {"a": "b"}}),
    mounted("a mount of nothing", "/mbad", "/srcs/nonexistent", refused(
        "UNKNOWN", saying("/srcs/nonexistent", "does not exist")), differs=LOGGED),
    mounted("a mount without parent", "/nop/x", "/srcs/mnt1", refused(
        "UNKNOWN", saying("File /nop/x creation failed. Component 1(nop) does not exist")),
            differs=LOGGED),
    at("unmount what is read-only", "/mro", "unmount", NOTHING),
    at("unmount what has properties", "/mpr", "unmount", NOTHING),
]
DELETING = [
    at("delete of a full directory", "/pt/a", "delete", refused(
        "FAILED_PRECONDITION",
        "Cannot delete non-empty directory a because recursive is set to false")),
    at("delete of a file", "/pt/f1", "delete", NOTHING),
    at("delete of it again", "/pt/f1", "delete", missing("/pt/f1")),
    at("delete of an empty directory", "/pt/d1", "delete", NOTHING),
    at("delete of all below", "/pt", "delete", NOTHING, {"recursive": True}),
    at("all is gone", "/pt", "exists", told(False)),
    at("delete of the root", "/", "delete", refused("PERMISSION_DENIED", (
        "Cannot delete path / which is or contains a mount point without --deleteMountPoint/-m"
        " option specified")), {"recursive": True}),
]
PATHS = [
    Case("a relative path", "POST paths/relative/get-status", refused(
        "INVALID_ARGUMENT", 'Path "relative" is invalid.')),
    at("a name in the root", "/b", "exists", told(False)),
    at("a blank", "/a b/c", "exists", told(False)),
    at("beyond ASCII", "/é中", "exists", told(False)),
    at("a trailing slash", "/x/", "exists", told(False)),
    Case("no path", "POST paths//exists", told(False)),
    at("a colon", "/a:b", "exists", told(False)),
    Case("a question mark", "POST paths//a?b/exists", UNKNOWN_URL, differs=OWN_STATUS),
    Case("no action", "POST paths//a", UNKNOWN_URL, differs=OWN_STATUS),
]
STORY = [*DIRECTORIES, *WRITING, *LOOKING, *CREATING, *READING, *LISTING, *RENAMING, *ATTRIBUTES,
         *FREEING, *MOUNTING, *DELETING, *PATHS]
