"""Requests whose answers real HDFS and the embedded server must agree on, in order."""

from dataclasses import dataclass, field
from typing import Any

K = 1024


@dataclass(frozen=True)
class Case:
    method: str
    op: str
    path: str
    parameters: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    user: str = "alice"

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}"[:60] for name, value in self.parameters.items())
        return f"{self.user}: {self.method} {self.path[:80]}?op={self.op}&{query}"


HOME = "/user/alice"


def get(op: str, path: str, user: str = "alice", **parameters: Any) -> Case:
    return Case("GET", op, path, parameters, user=user)


def put(op: str, path: str, user: str = "alice", body: bytes = b"", **parameters: Any) -> Case:
    return Case("PUT", op, path, parameters, body, user)


def post(op: str, path: str, user: str = "alice", body: bytes = b"", **parameters: Any) -> Case:
    return Case("POST", op, path, parameters, body, user)


def delete(path: str, user: str = "alice", op: str = "DELETE", **parameters: Any) -> Case:
    return Case("DELETE", op, path, parameters, user=user)


def xattr(op: str, path: str, name: str, user: str = "alice", **parameters: Any) -> Case:
    method = "GET" if op == "GETXATTRS" else "PUT"
    return Case(method, op, path, {"xattr.name": name, **parameters}, user=user)


def setting(path: str, name: str, value: str, flag: str, user: str = "alice") -> Case:
    return Case(
        "PUT",
        "SETXATTR",
        path,
        {"xattr.name": name, "xattr.value": value, "flag": flag},
        user=user,
    )


BASIC = [
    get("GETFILESTATUS", "/"),
    get("GETFILESTATUS", HOME),
    get("GETHOMEDIRECTORY", "/"),
    get("GETTRASHROOT", f"{HOME}/x"),
    get("NOPE", "/"),
    get("", "/"),
    post("GETFILESTATUS", "/"),
    put("MKDIRS", f"{HOME}/a/b/c"),
    put("MKDIRS", f"{HOME}/a/b/c"),
    put("MKDIRS", f"{HOME}/perm/x", permission="700"),
    get("GETFILESTATUS", f"{HOME}/perm"),
    put("MKDIRS", f"{HOME}/sticky", permission="1777"),
    put("MKDIRS", f"{HOME}/zero/below", permission="000"),
    get("GETFILESTATUS", f"{HOME}/zero/below"),
    get("LISTSTATUS", HOME),
    put("MKDIRS", f"{HOME}/bad", permission="888"),
    put("MKDIRS", f"{HOME}/bad", permission="2777"),
    put("MKDIRS", f"{HOME}/bad:name"),
    put("MKDIRS", f"{HOME}/a/../dots"),
    put("MKDIRS", f"{HOME}/{'n' * 256}"),
    put("MKDIRS", f"{HOME}/{'ü' * 128}"),
    put("MKDIRS", f"{HOME}/{'n' * 255}"),
    put("MKDIRS", f"{HOME}/.snapshot"),
    put("MKDIRS", "/.reserved", user="root"),
    put("MKDIRS", "/.reserved/x", user="root"),
    put("MKDIRS", f"{HOME}/" + "d/" * 1000),
    put("MKDIRS", f"{HOME}/" + "/".join(["e" * 200] * 41)),
    put("MKDIRS", "/", user="alice"),
    put("MKDIRS", "/forbidden"),
    put("CREATE", f"{HOME}/f", body=b"hello world\n"),
    get("GETFILESTATUS", f"{HOME}/f"),
    get("OPEN", f"{HOME}/f"),
    get("OPEN", f"{HOME}/f", offset=6),
    get("OPEN", f"{HOME}/f", offset=6, length=3),
    get("OPEN", f"{HOME}/f", offset=6, length=0),
    get("OPEN", f"{HOME}/f", offset=6, length=100),
    get("OPEN", f"{HOME}/f", offset=12),
    get("OPEN", f"{HOME}/f", offset=13),
    get("OPEN", f"{HOME}/f", offset=-1),
    get("OPEN", f"{HOME}/f", length=-1),
    get("OPEN", f"{HOME}/f", offset="x"),
    get("OPEN", f"{HOME}/none"),
    get("OPEN", f"{HOME}/a"),
    get("OPEN", f"{HOME}/f/below"),
    get("GETFILESTATUS", f"{HOME}/none"),
    get("GETFILESTATUS", f"{HOME}/f/below"),
    get("GETFILESTATUS", f"{HOME}/f/below/more"),
    get("GETFILESTATUS", f"{HOME}/none/below"),
    get("LISTSTATUS", f"{HOME}/f"),
    get("LISTSTATUS", f"{HOME}/none"),
    get("LISTSTATUS", f"{HOME}/f/below"),
    get("LISTSTATUS_BATCH", HOME),
    get("LISTSTATUS_BATCH", HOME, startAfter="a"),
    get("LISTSTATUS_BATCH", HOME, startAfter="zzz"),
    get("LISTSTATUS_BATCH", f"{HOME}/f"),
    get("LISTSTATUS_BATCH", f"{HOME}/none"),
    get("GETCONTENTSUMMARY", HOME),
    get("GETCONTENTSUMMARY", f"{HOME}/f"),
    get("GETCONTENTSUMMARY", f"{HOME}/none"),
    get("GETQUOTAUSAGE", HOME),
    get("GETQUOTAUSAGE", f"{HOME}/f"),
    get("GETQUOTAUSAGE", f"{HOME}/none"),
    get("GETCONTENTSUMMARY", "/", user="root"),
    get("GETSERVERDEFAULTS", "/"),
    get("GETFILELINKSTATUS", f"{HOME}/f"),
    get("GETLINKTARGET", f"{HOME}/f"),
    get("GETLINKTARGET", f"{HOME}/none"),
    put("MKDIRS", f"{HOME}/f"),
    put("MKDIRS", f"{HOME}/f/x/y"),
    delete(f"{HOME}/none"),
    delete(f"{HOME}/f/below"),
    delete(f"{HOME}/a"),
    delete(f"{HOME}/a", recursive="maybe"),
    delete(f"{HOME}/a", recursive="true"),
    delete(f"{HOME}/perm/x"),
    delete("/", user="root", recursive="true"),
    delete(f"{HOME}/f", user="bob"),
    delete(f"{HOME}/f"),
    get("LISTSTATUS", HOME),
]

NAMES = [
    put("CREATE", f"{HOME}/names/{name}", body=name.encode())
    for name in (
        "plain",
        "with space",
        "100%",
        "a+b",
        "hash#tag",
        "what?",
        "semi;colon",
        "back\\slash",
        "\"quoted'",
        "new\nline",
        "😀",
        "ümlaut",
        "#LATEST",
        "A",
        "~",
        ",",
        "&amp;=",
    )
] + [
    get("LISTSTATUS", f"{HOME}/names"),
    get("LISTSTATUS_BATCH", f"{HOME}/names", startAfter="😀"),
    get("LISTSTATUS_BATCH", f"{HOME}/names", startAfter="a+b"),
    get("OPEN", f"{HOME}/names/100%"),
    get("OPEN", f"{HOME}/names/new\nline"),
    put("RENAME", f"{HOME}/names/😀", destination=f"{HOME}/names/a + b%20#?;"),
    get("OPEN", f"{HOME}/names/a + b%20#?;"),
]

CREATES = [
    put("CREATE", f"{HOME}/c/p/q/file", body=b"1"),
    get("GETFILESTATUS", f"{HOME}/c/p"),
    put("CREATE", f"{HOME}/c/z/file", body=b"1", createparent="false"),
    put("CREATE", f"{HOME}/c/p777", body=b"1", permission="777"),
    put("CREATE", f"{HOME}/c/p1777", body=b"1", permission="1777"),
    put("CREATE", f"{HOME}/c/p600", body=b"1", permission="600"),
    put("CREATE", f"{HOME}/c/p888", body=b"1", permission="888"),
    put("CREATE", f"{HOME}/c/p777", body=b"2"),
    put("CREATE", f"{HOME}/c/p777", body=b"2", overwrite="false"),
    put("CREATE", f"{HOME}/c/p777", body=b"22", overwrite="true"),
    put("CREATE", f"{HOME}/c/p777", body=b"2", overwrite="yes"),
    put("CREATE", f"{HOME}/c/p", body=b"2", overwrite="true"),
    put("CREATE", f"{HOME}/c/p777/x", body=b"2"),
    put("CREATE", f"{HOME}/c/r0", body=b"2", replication=0),
    put("CREATE", f"{HOME}/c/r600", body=b"2", replication=600),
    put("CREATE", f"{HOME}/c/r40000", body=b"2", replication=40000),
    put("CREATE", f"{HOME}/c/b1000", body=b"2", blocksize=1000),
    put("CREATE", f"{HOME}/c/b1024", body=b"2" * 3000, blocksize=1024),
    put("CREATE", f"{HOME}/c/b3g", body=b"2", blocksize=3 * 1024**3),
    put("CREATE", f"{HOME}/c/empty"),
    put("CREATE", f"{HOME}/c/colon:name", body=b"1"),
    put("CREATE", f"{HOME}/c/{'n' * 256}", body=b"1"),
    put("CREATE", f"{HOME}/c/.snapshot", body=b"1"),
    put("CREATE", "/nobody", body=b"1"),
    put("CREATE", f"{HOME}/c/bob", body=b"1", user="bob"),
    put("CREATE", f"{HOME}/c/p777", body=b"1", user="bob", overwrite="true"),
    get("LISTSTATUS", f"{HOME}/c"),
    get("OPEN", f"{HOME}/c/empty"),
    get("OPEN", f"{HOME}/c/empty", offset=1),
    post("APPEND", f"{HOME}/c/empty", body=b"abc"),
    post("APPEND", f"{HOME}/c/empty", body=b"def"),
    post("APPEND", f"{HOME}/c/empty"),
    get("OPEN", f"{HOME}/c/empty"),
    post("APPEND", f"{HOME}/c/none", body=b"abc"),
    post("APPEND", f"{HOME}/c/p", body=b"abc"),
    post("APPEND", f"{HOME}/c/p600", body=b"abc", user="bob"),
    post("APPEND", f"{HOME}/c/p600/x", body=b"abc"),
    post("APPEND", f"{HOME}/c/b1024", body=b"3" * 2000),
    get("GETFILESTATUS", f"{HOME}/c/b1024"),
    get("OPEN", f"{HOME}/c/b1024", offset=2900, length=200),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/c/b1024"),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/c/b1024", offset=1500, length=1000),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/c/none"),
    get("GET_BLOCK_LOCATIONS", f"{HOME}/c/b1024"),
    get("GET_BLOCK_LOCATIONS", f"{HOME}/c/none"),
    get("GET_BLOCK_LOCATIONS", f"{HOME}/c"),
]

LOCATIONS = [
    put("CREATE", f"{HOME}/loc/f", body=b"2" * 3000, blocksize=1024),
    put("CREATE", f"{HOME}/loc/one", body=b"2" * 1024, blocksize=1024),
    put("CREATE", f"{HOME}/loc/private", body=b"2", permission="600"),
    put("CREATE", f"{HOME}/loc/empty"),
    put("CREATE", f"{HOME}/loc/shut/f", body=b"2"),
    put("SETPERMISSION", f"{HOME}/loc/shut", permission="700"),
    *(
        get(op, f"{HOME}/loc/{path}", user)
        for op in ("GETFILEBLOCKLOCATIONS", "GET_BLOCK_LOCATIONS")
        for path in ("f", "one", "private", "empty", "shut", "shut/f", "none", "f/below", "")
        for user in ("alice", "bob", "root")
    ),
    *(
        get("GETFILEBLOCKLOCATIONS", f"{HOME}/loc/{path}", offset=offset, length=length)
        for path in ("f", "one", "empty")
        for offset in (0, 5, 1023, 1024, 1025, 2048, 2999, 3000, 3001, 2**62)
        for length in (0, 1, 2, 1024, 1025, 2**62)
    ),
    *(
        get("GETFILEBLOCKLOCATIONS", f"{HOME}/loc/f", **{name: value})
        for name in ("offset", "length")
        for value in ("", "0", "1024", "-1", "x", "1.5", str(2**63 - 1), str(2**63))
    ),
    post("TRUNCATE", f"{HOME}/loc/f", newlength=2048),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/loc/f"),
    post("CONCAT", f"{HOME}/loc/f", sources=f"{HOME}/loc/private,{HOME}/loc/one"),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/loc/f"),
    post("TRUNCATE", f"{HOME}/loc/f", newlength=0),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/loc/f"),
]

CHECKSUMS = [
    case
    for length in (0, 1, 511, 512, 513, 1023, 1024, 1025, 2048, 3000, 5120, 40 * K)
    for case in (
        put(
            "CREATE",
            f"{HOME}/sum/{length}",
            body=bytes(i % 251 for i in range(length)),
            blocksize=1024,
        ),
        get("GETFILECHECKSUM", f"{HOME}/sum/{length}"),
        put("CREATE", f"{HOME}/sum/big{length}", body=bytes(i % 251 for i in range(length))),
        get("GETFILECHECKSUM", f"{HOME}/sum/big{length}"),
    )
] + [
    post("APPEND", f"{HOME}/sum/513", body=b"x" * 700),
    get("GETFILECHECKSUM", f"{HOME}/sum/513"),
    post("APPEND", f"{HOME}/sum/big513", body=b"x" * 7000),
    get("GETFILECHECKSUM", f"{HOME}/sum/big513"),
    post("CONCAT", f"{HOME}/sum/511", sources=f"{HOME}/sum/3000,{HOME}/sum/1"),
    get("GETFILECHECKSUM", f"{HOME}/sum/511"),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/sum/511"),
    get("OPEN", f"{HOME}/sum/511", offset=500, length=30),
    post("TRUNCATE", f"{HOME}/sum/5120", newlength=2048),
    get("GETFILECHECKSUM", f"{HOME}/sum/5120"),
    post("APPEND", f"{HOME}/sum/5120", body=b"z" * 100),
    get("GETFILECHECKSUM", f"{HOME}/sum/5120"),
    post("CONCAT", f"{HOME}/sum/0", sources=f"{HOME}/sum/1024"),
    get("GETFILECHECKSUM", f"{HOME}/sum/0"),
    get("GETFILECHECKSUM", f"{HOME}/sum"),
    get("GETFILECHECKSUM", f"{HOME}/sum/none"),
]


def _renames(options: dict[str, str], base: str) -> list[Case]:
    def rename(source: str, destination: str, user: str = "alice") -> Case:
        return put(
            "RENAME", f"{base}/{source}", user, destination=f"{base}/{destination}", **options
        )

    return [
        put("CREATE", f"{base}/f", body=b"f"),
        put("CREATE", f"{base}/g", body=b"g"),
        put("CREATE", f"{base}/full/f", body=b"inner"),
        put("MKDIRS", f"{base}/full/sub"),
        put("MKDIRS", f"{base}/empty"),
        put("MKDIRS", f"{base}/dir"),
        rename("f", "none/such"),
        rename("none", "x"),
        rename("f", "f"),
        rename("dir", "dir"),
        rename("full", "full/sub"),
        rename("full", "full/sub/new"),
        rename("f", "g/below"),
        rename("g/below", "x"),
        rename("f", "full"),
        rename("f", "x", user="bob"),
        rename("f", f"{'n' * 256}"),
        rename("f", "colon:name"),
        rename("f", "full/.snapshot"),
        rename("dir", "g"),
        rename("dir", "empty"),
        rename("f", "g"),
        rename("f", "empty"),
        rename("g", "h"),
        rename("full", "empty"),
        rename("f", "dir/"),
        put("RENAME", "/", destination=f"{base}/root", user="root", **options),
        put("RENAME", f"{base}/h", destination="/", user="root", **options),
        put("RENAME", f"{base}/h", **options),
        put("RENAME", f"{base}/h", destination="relative", **options),
        put("RENAME", f"{base}/h", destination="/forbidden", **options),
        get("LISTSTATUS", base),
        get("LISTSTATUS", f"{base}/empty"),
        get("LISTSTATUS", f"{base}/dir"),
        get("LISTSTATUS", f"{base}/full"),
    ]


RENAMES = [
    *_renames({}, f"{HOME}/ren"),
    *_renames({"renameoptions": "NONE"}, f"{HOME}/renN"),
    *_renames({"renameoptions": "OVERWRITE"}, f"{HOME}/renO"),
    put("RENAME", f"{HOME}/ren", destination=f"{HOME}/x", renameoptions="MAYBE"),
]

ATTRIBUTES = [
    put("CREATE", f"{HOME}/at/f", body=b"12345"),
    put("MKDIRS", f"{HOME}/at/d"),
    put("SETPERMISSION", f"{HOME}/at/f", permission="1777"),
    get("GETFILESTATUS", f"{HOME}/at/f"),
    put("SETPERMISSION", f"{HOME}/at/d", permission="1770"),
    get("GETFILESTATUS", f"{HOME}/at/d"),
    put("SETPERMISSION", f"{HOME}/at/f"),
    get("GETFILESTATUS", f"{HOME}/at/f"),
    put("SETPERMISSION", f"{HOME}/at/f", permission="640"),
    put("SETPERMISSION", f"{HOME}/at/f", permission="640", user="bob"),
    put("SETPERMISSION", f"{HOME}/at/none", permission="640"),
    put("SETPERMISSION", f"{HOME}/at/f/none", permission="640"),
    put("SETOWNER", f"{HOME}/at/f", owner="bob"),
    put("SETOWNER", f"{HOME}/at/f", group="bob"),
    put("SETOWNER", f"{HOME}/at/f", group="alice"),
    put("SETOWNER", f"{HOME}/at/f", owner="alice"),
    put("SETOWNER", f"{HOME}/at/f"),
    put("SETOWNER", f"{HOME}/at/f", owner="bob", user="bob"),
    put("SETOWNER", f"{HOME}/at/none", owner="alice"),
    put("SETOWNER", f"{HOME}/at/f", owner="carol", group="staff", user="root"),
    get("GETFILESTATUS", f"{HOME}/at/f"),
    get("OPEN", f"{HOME}/at/f"),
    get("OPEN", f"{HOME}/at/f", user="carol"),
    put("SETOWNER", f"{HOME}/at/f", owner="alice", user="root"),
    put("SETTIMES", f"{HOME}/at/f", modificationtime=1000, accesstime=2000),
    get("GETFILESTATUS", f"{HOME}/at/f"),
    put("SETTIMES", f"{HOME}/at/f", modificationtime=3000),
    put("SETTIMES", f"{HOME}/at/d", modificationtime=3000),
    put("SETTIMES", f"{HOME}/at/d", modificationtime=-2),
    put("SETTIMES", f"{HOME}/at/none", modificationtime=1),
    put("SETTIMES", f"{HOME}/at/f", modificationtime=1, user="bob"),
    put("SETREPLICATION", f"{HOME}/at/f", replication=2),
    put("SETREPLICATION", f"{HOME}/at/f"),
    put("SETREPLICATION", f"{HOME}/at/f", replication=0),
    put("SETREPLICATION", f"{HOME}/at/f", replication=600),
    put("SETREPLICATION", f"{HOME}/at/f", replication="abc"),
    put("SETREPLICATION", f"{HOME}/at/d", replication=2),
    put("SETREPLICATION", f"{HOME}/at/none", replication=2),
    put("SETREPLICATION", f"{HOME}/at/f", replication=1, user="bob"),
    get("GETFILESTATUS", f"{HOME}/at/f"),
    get("CHECKACCESS", f"{HOME}/at/f", fsaction="rw-"),
    get("CHECKACCESS", f"{HOME}/at/f", fsaction="rwx"),
    get("CHECKACCESS", f"{HOME}/at/f", fsaction="r--", user="bob"),
    get("CHECKACCESS", f"{HOME}/at/f", fsaction="zzz"),
    get("CHECKACCESS", f"{HOME}/at/f"),
    get("CHECKACCESS", f"{HOME}/at/none", fsaction="r--"),
]

PERMISSIONS = [
    put("MKDIRS", f"{HOME}/pr/private/in", permission="755"),
    put("CREATE", f"{HOME}/pr/private/f", body=b"secret"),
    put("SETPERMISSION", f"{HOME}/pr/private", permission="700"),
    get("GETFILESTATUS", f"{HOME}/pr/private", user="bob"),
    get("GETFILESTATUS", f"{HOME}/pr/private/f", user="bob"),
    get("GETFILESTATUS", f"{HOME}/pr/private/none", user="bob"),
    get("LISTSTATUS", f"{HOME}/pr/private", user="bob"),
    get("OPEN", f"{HOME}/pr/private/f", user="bob"),
    get("GETCONTENTSUMMARY", f"{HOME}/pr", user="bob"),
    get("GETQUOTAUSAGE", f"{HOME}/pr", user="bob"),
    get("GETFILECHECKSUM", f"{HOME}/pr/private/f", user="bob"),
    get("GETACLSTATUS", f"{HOME}/pr/private/f", user="bob"),
    put("MKDIRS", f"{HOME}/pr/private/x", user="bob"),
    put("RENAME", f"{HOME}/pr/private/f", user="bob", destination="/tmp/f"),
    delete(f"{HOME}/pr/private", user="bob", recursive="true"),
    put("SETPERMISSION", f"{HOME}/pr", permission="777"),
    delete(f"{HOME}/pr/private", user="bob", recursive="true"),
    delete(f"{HOME}/pr/private", user="bob"),
    put("MKDIRS", f"{HOME}/pr/empty", permission="700"),
    delete(f"{HOME}/pr/empty", user="bob", recursive="true"),
    put("CREATE", "/tmp/alices", body=b"x"),
    put("MKDIRS", "/tmp/alicesdir", permission="777"),
    delete("/tmp/alices", user="bob"),
    put("RENAME", "/tmp/alices", user="bob", destination="/tmp/bobs"),
    put("RENAME", "/tmp/alices", user="bob", destination="/tmp/bobs", renameoptions="OVERWRITE"),
    put("CREATE", "/tmp/bobs", user="bob", body=b"y", permission="666"),
    put("RENAME", "/tmp/alices", destination="/tmp/bobs", renameoptions="OVERWRITE"),
    put("CREATE", "/tmp/bobs2", user="bob", body=b"y", permission="666"),
    put("CREATE", "/tmp/bobs2", body=b"z", overwrite="true"),
    put("CREATE", "/tmp/alicesdir/bobs", user="bob", body=b"y"),
    delete("/tmp/alicesdir", user="bob", recursive="true"),
    delete("/tmp/alicesdir", recursive="true"),
    put("MKDIRS", "/tmp/st/inner", permission="1777"),
    put("SETPERMISSION", "/tmp/st", permission="777"),
    put("CREATE", "/tmp/st/inner/alices", body=b"y"),
    delete("/tmp/st/inner", user="bob", recursive="true"),
    get("LISTSTATUS", "/tmp"),
]

XATTRS = [
    put("CREATE", f"{HOME}/xa/f", body=b"x"),
    get("GETXATTRS", f"{HOME}/xa/f"),
    get("LISTXATTRS", f"{HOME}/xa/f"),
    setting(f"{HOME}/xa/f", "user.one", "0x4142", "CREATE"),
    setting(f"{HOME}/xa/f", "user.one", "0x4142", "CREATE"),
    setting(f"{HOME}/xa/f", "user.none", "0x4142", "REPLACE"),
    setting(f"{HOME}/xa/f", "user.one", "0sQUJD", "REPLACE"),
    setting(f"{HOME}/xa/f", "user.one", '"text"', "CREATE,REPLACE"),
    setting(f"{HOME}/xa/f", "USER.two", "plain", "CREATE"),
    setting(f"{HOME}/xa/f", "user.empty", "", "CREATE"),
    setting(f"{HOME}/xa/f", "user.flagless", "1", ""),
    setting(f"{HOME}/xa/f", "user.badflag", "1", "MAYBE"),
    setting(f"{HOME}/xa/f", "noprefix", "1", "CREATE"),
    setting(f"{HOME}/xa/f", "bad.prefix", "1", "CREATE"),
    setting(f"{HOME}/xa/f", "trusted.x", "1", "CREATE"),
    setting(f"{HOME}/xa/f", "trusted.x", "1", "CREATE", user="root"),
    setting(f"{HOME}/xa/f", "system.x", "1", "CREATE", user="root"),
    setting(f"{HOME}/xa/f", "user.bob", "1", "CREATE", user="bob"),
    setting(f"{HOME}/xa/f", "user.badhex", "0x4", "CREATE"),
    setting(f"{HOME}/xa/f", "user." + "n" * 300, "1", "CREATE"),
    setting(f"{HOME}/xa/none", "user.one", "1", "CREATE"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "user.one"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "user.one", encoding="text"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "user.one", encoding="hex"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "user.one", encoding="base64"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "user.one", encoding="rot13"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "user.none", encoding="hex"),
    xattr("GETXATTRS", f"{HOME}/xa/f", "trusted.x", encoding="hex"),
    xattr("GETXATTRS", f"{HOME}/xa/none", "user.one", encoding="hex"),
    get("GETXATTRS", f"{HOME}/xa/f", encoding="hex"),
    get("GETXATTRS", f"{HOME}/xa/f", encoding="hex", user="root"),
    get("GETXATTRS", f"{HOME}/xa/none", encoding="hex"),
    get("LISTXATTRS", f"{HOME}/xa/f"),
    get("LISTXATTRS", f"{HOME}/xa/none"),
    xattr("REMOVEXATTR", f"{HOME}/xa/f", "user.one", user="bob"),
    xattr("REMOVEXATTR", f"{HOME}/xa/f", "user.one"),
    xattr("REMOVEXATTR", f"{HOME}/xa/f", "user.one"),
    xattr("REMOVEXATTR", f"{HOME}/xa/none", "user.one"),
    get("LISTXATTRS", f"{HOME}/xa/f"),
    *[setting(f"{HOME}/xa/f", f"user.n{i}", "1", "CREATE") for i in range(31)],
]

ACLS = [
    put("CREATE", f"{HOME}/acl/f", body=b"x"),
    put("MKDIRS", f"{HOME}/acl/d"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    get("GETACLSTATUS", f"{HOME}/acl/none"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="user:bob:rw-"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    get("GETFILESTATUS", f"{HOME}/acl/f"),
    post("APPEND", f"{HOME}/acl/f", body=b"bob", user="bob"),
    post("APPEND", f"{HOME}/acl/f", body=b"carol", user="carol"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="mask::r--"),
    post("APPEND", f"{HOME}/acl/f", body=b"bob", user="bob"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="group:staff:r-x,user:carol:---"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    get("OPEN", f"{HOME}/acl/f", user="carol"),
    put("SETPERMISSION", f"{HOME}/acl/f", permission="600"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    get("OPEN", f"{HOME}/acl/f", user="bob"),
    put("REMOVEACLENTRIES", f"{HOME}/acl/f", aclspec="user:carol:"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    put("REMOVEACLENTRIES", f"{HOME}/acl/f", aclspec="mask::"),
    put("REMOVEACL", f"{HOME}/acl/f"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    put("SETACL", f"{HOME}/acl/f", aclspec="user::rw-,user:bob:r--,group::r--,other::---"),
    get("GETACLSTATUS", f"{HOME}/acl/f"),
    put("SETACL", f"{HOME}/acl/f", aclspec="user:bob:r--"),
    put("SETACL", f"{HOME}/acl/f", aclspec="user::rw-,group::r--,other::---"),
    get("GETFILESTATUS", f"{HOME}/acl/f"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="nonsense"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="user:bob:"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec=""),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="user:bob:r--,user:bob:rw-"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="default:user:bob:rwx"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/f", aclspec="user:bob:r--", user="bob"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/none", aclspec="user:bob:r--"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/d", aclspec="default:user:bob:rwx"),
    get("GETACLSTATUS", f"{HOME}/acl/d"),
    put("CREATE", f"{HOME}/acl/d/f", body=b"x", permission="664"),
    put("CREATE", f"{HOME}/acl/d/g", body=b"x"),
    put("MKDIRS", f"{HOME}/acl/d/sub/deep"),
    get("GETACLSTATUS", f"{HOME}/acl/d/f"),
    get("GETACLSTATUS", f"{HOME}/acl/d/g"),
    get("GETACLSTATUS", f"{HOME}/acl/d/sub"),
    get("GETACLSTATUS", f"{HOME}/acl/d/sub/deep"),
    get("LISTSTATUS", f"{HOME}/acl/d"),
    put("MODIFYACLENTRIES", f"{HOME}/acl/d", aclspec="user:bob:rwx"),
    put("CREATE", f"{HOME}/acl/d/bobs", body=b"x", user="bob"),
    put("CREATE", f"{HOME}/acl/d/carols", body=b"x", user="carol"),
    put("REMOVEDEFAULTACL", f"{HOME}/acl/d"),
    get("GETACLSTATUS", f"{HOME}/acl/d"),
    put(
        "SETACL", f"{HOME}/acl/d", aclspec="default:user::rwx,default:group::r-x,default:other::---"
    ),
    get("GETACLSTATUS", f"{HOME}/acl/d"),
    put("MKDIRS", f"{HOME}/acl/d/minimal"),
    get("GETACLSTATUS", f"{HOME}/acl/d/minimal"),
    put("REMOVEACL", f"{HOME}/acl/d"),
    get("GETACLSTATUS", f"{HOME}/acl/d"),
]

SNAPSHOTS = [
    put("MKDIRS", f"{HOME}/sn/d"),
    put("CREATE", f"{HOME}/sn/d/f", body=b"before"),
    put("ALLOWSNAPSHOT", f"{HOME}/sn"),
    put("CREATESNAPSHOT", f"{HOME}/sn", snapshotname="s1"),
    get("GETFILESTATUS", f"{HOME}/sn/.snapshot"),
    get("LISTSTATUS", f"{HOME}/sn/.snapshot"),
    get("GETSNAPSHOTLIST", f"{HOME}/sn"),
    put("ALLOWSNAPSHOT", f"{HOME}/sn", user="root"),
    put("ALLOWSNAPSHOT", f"{HOME}/sn", user="root"),
    put("ALLOWSNAPSHOT", f"{HOME}/sn/d", user="root"),
    put("ALLOWSNAPSHOT", HOME, user="root"),
    put("ALLOWSNAPSHOT", f"{HOME}/sn/none", user="root"),
    put("ALLOWSNAPSHOT", f"{HOME}/sn/d/f", user="root"),
    get("GETFILESTATUS", f"{HOME}/sn"),
    get("GETFILESTATUS", f"{HOME}/sn/.snapshot"),
    get("LISTSTATUS", f"{HOME}/sn/.snapshot"),
    get("GETSNAPSHOTLIST", f"{HOME}/sn"),
    put("CREATESNAPSHOT", f"{HOME}/sn", snapshotname="s1"),
    put("CREATESNAPSHOT", f"{HOME}/sn", snapshotname="s1"),
    put("CREATESNAPSHOT", f"{HOME}/sn", snapshotname="a/b"),
    put("CREATESNAPSHOT", f"{HOME}/sn", snapshotname="s2", user="bob"),
    put("CREATE", f"{HOME}/sn/d/f", body=b"after", overwrite="true"),
    put("CREATE", f"{HOME}/sn/d/g", body=b"new"),
    get("OPEN", f"{HOME}/sn/.snapshot/s1/d/f"),
    get("OPEN", f"{HOME}/sn/d/f"),
    get("LISTSTATUS", f"{HOME}/sn/.snapshot"),
    get("LISTSTATUS", f"{HOME}/sn/.snapshot/s1"),
    get("LISTSTATUS", f"{HOME}/sn/.snapshot/s1/d"),
    get("GETFILESTATUS", f"{HOME}/sn/.snapshot/s1"),
    get("GETFILESTATUS", f"{HOME}/sn/.snapshot/s1/d/f"),
    get("GETFILESTATUS", f"{HOME}/sn/.snapshot/none"),
    get("GETFILESTATUS", f"{HOME}/sn/.snapshot/s1/d/g"),
    get("GETFILECHECKSUM", f"{HOME}/sn/.snapshot/s1/d/f"),
    put("MKDIRS", f"{HOME}/sn/.snapshot/s1/new"),
    put("CREATE", f"{HOME}/sn/.snapshot/s1/new", body=b"x"),
    delete(f"{HOME}/sn/.snapshot/s1/d/f"),
    delete(f"{HOME}/sn/.snapshot/s1", recursive="true"),
    put("SETPERMISSION", f"{HOME}/sn/.snapshot/s1/d/f", permission="600"),
    post("APPEND", f"{HOME}/sn/.snapshot/s1/d/f", body=b"x"),
    put("RENAME", f"{HOME}/sn/.snapshot/s1/d/f", destination=f"{HOME}/sn/x"),
    put("RENAME", f"{HOME}/sn/d/f", destination=f"{HOME}/sn/.snapshot/s1/x"),
    put("RENAME", f"{HOME}/sn", destination=f"{HOME}/sn2"),
    put("RENAME", f"{HOME}/sn", destination=f"{HOME}/sn2", renameoptions="NONE"),
    delete(f"{HOME}/sn", recursive="true"),
    delete(f"{HOME}/sn/d", recursive="true"),
    get("OPEN", f"{HOME}/sn/.snapshot/s1/d/f"),
    put("RENAMESNAPSHOT", f"{HOME}/sn", oldsnapshotname="s1", snapshotname="r1"),
    put("RENAMESNAPSHOT", f"{HOME}/sn", oldsnapshotname="s1", snapshotname="r2"),
    put("CREATESNAPSHOT", f"{HOME}/sn", snapshotname="s2"),
    put("RENAMESNAPSHOT", f"{HOME}/sn", oldsnapshotname="s2", snapshotname="r1"),
    get("GETSNAPSHOTLIST", f"{HOME}/sn"),
    get("GETSNAPSHOTTABLEDIRECTORYLIST", "/"),
    get("GETSNAPSHOTTABLEDIRECTORYLIST", "/", user="bob"),
    get("GETSNAPSHOTTABLEDIRECTORYLIST", "/", user="root"),
    put("DISALLOWSNAPSHOT", f"{HOME}/sn", user="root"),
    put("DISALLOWSNAPSHOT", f"{HOME}/sn"),
    delete(f"{HOME}/sn", op="DELETESNAPSHOT", snapshotname="none"),
    delete(f"{HOME}/sn", op="DELETESNAPSHOT"),
    delete(f"{HOME}/sn", op="DELETESNAPSHOT", snapshotname="r1"),
    delete(f"{HOME}/sn", op="DELETESNAPSHOT", snapshotname="s2"),
    put("DISALLOWSNAPSHOT", f"{HOME}/sn", user="root"),
    put("DISALLOWSNAPSHOT", f"{HOME}/sn", user="root"),
    delete(f"{HOME}/sn", recursive="true"),
]

QUOTAS = [
    put("MKDIRS", f"{HOME}/q/d"),
    put("SETQUOTA", f"{HOME}/q", namespacequota=4),
    put("SETQUOTA", f"{HOME}/q", namespacequota=0, user="root"),
    put("SETQUOTA", f"{HOME}/q", namespacequota=-2, user="root"),
    put("SETQUOTA", f"{HOME}/q", user="root"),
    put("SETQUOTA", f"{HOME}/q/none", namespacequota=4, user="root"),
    put("SETQUOTA", f"{HOME}/q", namespacequota=4, user="root"),
    get("GETQUOTAUSAGE", f"{HOME}/q"),
    put("CREATE", f"{HOME}/q/f", body=b"x"),
    put("CREATE", f"{HOME}/q/g", body=b"x"),
    put("CREATE", f"{HOME}/q/h", body=b"x"),
    put("MKDIRS", f"{HOME}/q/e"),
    put("CREATE", f"{HOME}/outside", body=b"x"),
    put("RENAME", f"{HOME}/outside", destination=f"{HOME}/q/outside"),
    put("RENAME", f"{HOME}/outside", destination=f"{HOME}/q/outside", renameoptions="NONE"),
    put("RENAME", f"{HOME}/outside", destination=f"{HOME}/q/g", renameoptions="OVERWRITE"),
    put("RENAME", f"{HOME}/q/f", destination=f"{HOME}/q/d/f"),
    delete(f"{HOME}/q/d/f"),
    put("MKDIRS", f"{HOME}/q/e"),
    put("SETQUOTA", f"{HOME}/q", namespacequota=2, user="root"),
    get("GETQUOTAUSAGE", f"{HOME}/q"),
    get("GETCONTENTSUMMARY", f"{HOME}/q"),
    put("SETQUOTA", f"{HOME}/q", namespacequota=-1, storagespacequota=5000, user="root"),
    put("CREATE", f"{HOME}/q/toobig", body=b"x"),
    put("CREATE", f"{HOME}/q/small", body=b"x" * 3000, blocksize=1024),
    get("GETQUOTAUSAGE", f"{HOME}/q"),
    put("CREATE", f"{HOME}/q/more", body=b"x" * 3000, blocksize=1024),
    post("APPEND", f"{HOME}/q/small", body=b"x" * 3000),
    put("SETREPLICATION", f"{HOME}/q/small", replication=3),
    delete(f"{HOME}/q/small"),
    get("GETQUOTAUSAGE", f"{HOME}/q"),
    put("SETQUOTA", f"{HOME}/q", namespacequota=-1, storagespacequota=-1, user="root"),
    get("GETQUOTAUSAGE", f"{HOME}/q"),
    put("SETQUOTA", "/", namespacequota=-1, user="root"),
]


def _file(path: str, size: int, blocksize: int = 128 * K * K, **parameters: Any) -> Case:
    return put("CREATE", path, body=b"c" * size, blocksize=blocksize, **parameters)


def _concat(name: str, target: str, *sources: str, user: str = "alice") -> Case:
    paths = ",".join(f"{HOME}/con/{name}/{source}" for source in sources)
    return post("CONCAT", f"{HOME}/con/{name}/{target}", user, sources=paths)


JOINS = [
    *[_file(f"{HOME}/con/a/{name}", size, 1024) for name, size in (("t", 1500), ("s", 700))],
    _concat("a", "t", "s"),
    get("GETFILESTATUS", f"{HOME}/con/a/t"),
    get("GETFILEBLOCKLOCATIONS", f"{HOME}/con/a/t"),
    _file(f"{HOME}/con/a/e", 0),
    _file(f"{HOME}/con/a/big", 10),
    _file(f"{HOME}/con/a/u/x", 10),
    _concat("a", "t", "e"),
    _concat("a", "t", "big"),
    _concat("a", "t", "none"),
    _concat("a", "none", "big"),
    _concat("a", "t", "t"),
    _concat("a", "big", "t", "t"),
    _concat("a", "big", "u/x"),
    _concat("a", "u", "t"),
    _concat("a", "big", "u"),
    _concat("a", "big", "t", user="bob"),
    post("CONCAT", f"{HOME}/con/a/t"),
    get("LISTSTATUS", f"{HOME}/con/a"),
    _file(f"{HOME}/tr", 5000, 1024),
    post("TRUNCATE", f"{HOME}/tr"),
    post("TRUNCATE", f"{HOME}/tr", newlength=-1),
    post("TRUNCATE", f"{HOME}/tr", newlength=6000),
    post("TRUNCATE", f"{HOME}/tr", newlength=5000),
    post("TRUNCATE", f"{HOME}/tr", newlength=2048),
    get("GETFILESTATUS", f"{HOME}/tr"),
    post("TRUNCATE", f"{HOME}/tr", newlength=0),
    post("TRUNCATE", f"{HOME}/tr", newlength=0),
    post("TRUNCATE", f"{HOME}/tr", newlength=0, user="bob"),
    post("TRUNCATE", f"{HOME}/none", newlength=0),
    post("TRUNCATE", HOME, newlength=0),
    _file(f"{HOME}/tr2", 2000, 1024),
    post("TRUNCATE", f"{HOME}/tr2", newlength=1500),
]

INODES = [
    get("GETFILESTATUS", "/.reserved/.inodes/16385"),
    get("LISTSTATUS", "/.reserved/.inodes/16385"),
    get("GETFILESTATUS", "/.reserved/.inodes/16385/user/alice"),
    get("GETFILESTATUS", "/.reserved/.inodes/99999999"),
    get("GETFILESTATUS", "/.reserved/.inodes/99999999/x"),
    put("MKDIRS", "/.reserved/.inodes/16385/user/alice/by-inode"),
    put("CREATE", "/.reserved/.inodes/16385/user/alice/by-inode/f", body=b"x"),
    get("OPEN", f"{HOME}/by-inode/f"),
    delete("/.reserved/.inodes/16385/user/alice/by-inode", recursive="true"),
    post("CONCAT", "/.reserved/.inodes/16385/user/alice/x", sources=f"{HOME}/y"),
]

GROUPS = {
    "basic": BASIC,
    "names": NAMES,
    "creates": CREATES,
    "locations": LOCATIONS,
    "checksums": CHECKSUMS,
    "renames": RENAMES,
    "attributes": ATTRIBUTES,
    "permissions": PERMISSIONS,
    "xattrs": XATTRS,
    "acls": ACLS,
    "snapshots": SNAPSHOTS,
    "quotas": QUOTAS,
    "joins": JOINS,
    "inodes": INODES,
}
