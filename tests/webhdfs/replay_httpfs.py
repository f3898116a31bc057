"""A story of HttpFS's own operations, told to HttpFS and to a gateway.

For what the NameNode calls 403 or 400 HttpFS says 500, in other words: classes are compared. What
HttpFS does otherwise than the NameNode is done as by the NameNode, and the step says so.
"""

from __future__ import annotations

from tests.webhdfs.replay import SUPERUSER, Step

OVERWRITES = "HttpFS overwrites unless told not to"
IGNORED = "HttpFS ignores renameoptions"
UNNAMED = "HttpFS does not ask for the parameter"
FEWER = "HttpFS does not tell of snapshots"
LOST = "HttpFS loses the exception's class"
CREATED = "HttpFS answers the Location as JSON, too"

STORY: tuple[Step, ...] = (
    Step("PUT", "", "MKDIRS", {"permission": "750"}),
    Step("PUT", "/f", "CREATE", {"overwrite": "false"}, content=b"content", same="status",
         but=CREATED),
    Step("PUT", "/f", "CREATE", content=b"content", same="nothing", but=OVERWRITES),
    Step("PUT", "/f", "CREATE", {"overwrite": "false"}, content=b"other"),
    Step("PUT", "/f", "CREATE", {"overwrite": "true", "permission": "640", "replication": "1",
                                 "blocksize": "1048576"}, content=b"longer", same="status",
         but=CREATED),
    Step("PUT", "/deep/er/f", "CREATE", content=b"", same="status", but=CREATED),
    Step("GET", "/f", "OPEN"),
    Step("GET", "/f", "OPEN", {"offset": "2", "length": "3"}),
    Step("GET", "/none", "OPEN"),
    Step("GET", "/f", "GETFILESTATUS"),
    Step("GET", "/none", "GETFILESTATUS"),
    Step("GET", "", "LISTSTATUS"),
    Step("GET", "/f", "LISTSTATUS"),
    Step("GET", "/none", "LISTSTATUS"),
    Step("GET", "", "LISTSTATUS_BATCH"),
    Step("GET", "", "GETCONTENTSUMMARY", same="status", but=FEWER),
    Step("GET", "", "GETQUOTAUSAGE"),
    Step("GET", "/f", "GETFILECHECKSUM"),
    Step("GET", "/f", "GETFILEBLOCKLOCATIONS"),
    Step("GET", "/f", "GET_BLOCK_LOCATIONS"),
    Step("GET", "", "GETTRASHROOT"),
    Step("GET", "/f", "GETACLSTATUS"),
    Step("GET", "/f", "GETFILELINKSTATUS"),
    Step("GET", "/f", "GETSERVERDEFAULTS"),
    Step("GET", "/f", "GETSTATUS"),
    Step("GET", "/f", "GETALLSTORAGEPOLICY", same="status",
         but="HttpFS says copyOnCreateFile false for LAZY_PERSIST"),
    Step("GET", "/f", "GETSTORAGEPOLICY"),
    Step("GET", "/f", "GETECPOLICIES"),
    Step("GET", "/f", "GETECCODECS"),
    Step("GET", "/f", "GETECPOLICY"),
    Step("GET", "/f", "CHECKACCESS", {"fsaction": "r--"}),
    Step("GET", "/f", "CHECKACCESS", same="nothing", but=UNNAMED),
    Step("POST", "/f", "APPEND", content=b" and more"),
    Step("GET", "/f", "OPEN"),
    Step("PUT", "/f", "RENAME", {"destination": "@/g"}),
    Step("PUT", "/f", "RENAME", {"destination": "@/g"}),
    Step("PUT", "/g", "RENAME", {"destination": "@/deep"}),
    Step("PUT", "/deep/er/f", "RENAME", {"destination": "@/deep/g", "renameoptions": "NONE"},
         same="nothing", but=IGNORED),
    Step("PUT", "/deep/g", "SETREPLICATION", {"replication": "2"}),
    Step("PUT", "/deep", "SETREPLICATION", {"replication": "2"}),
    Step("PUT", "/deep/g", "SETOWNER", {"owner": "bob"}),
    Step("PUT", "/deep/g", "SETOWNER", {"owner": "alice"}, user=SUPERUSER),
    Step("PUT", "/deep/g", "SETPERMISSION", {"permission": "600"}),
    Step("PUT", "/none", "SETPERMISSION", {"permission": "600"}),
    Step("PUT", "/deep/g", "SETTIMES", {"modificationtime": "1000", "accesstime": "2000"}),
    Step("PUT", "/deep/g", "SETACL", {
        "aclspec": "user::rwx,group::r-x,other::---,user:bob:rwx"}),
    Step("PUT", "/deep/g", "MODIFYACLENTRIES", {"aclspec": "user:carol:r--"}),
    Step("GET", "/deep/g", "GETACLSTATUS"),
    Step("PUT", "/deep/g", "REMOVEACLENTRIES", {"aclspec": "user:carol:"}),
    Step("PUT", "/deep/g", "REMOVEDEFAULTACL"),
    Step("PUT", "/deep/g", "REMOVEACL"),
    Step("PUT", "/deep/g", "SETXATTR", {
        "xattr.name": "user.a", "xattr.value": "0x31", "flag": "CREATE"}),
    Step("GET", "/deep/g", "GETXATTRS", {"encoding": "hex"}),
    Step("GET", "/deep/g", "GETXATTRS", {"encoding": "hex", "xattr.name": "user.a"}),
    Step("GET", "/deep/g", "LISTXATTRS"),
    Step("PUT", "/deep/g", "REMOVEXATTR", {"xattr.name": "user.a"}),
    Step("PUT", "/deep", "SETSTORAGEPOLICY", {"storagepolicy": "COLD"}),
    Step("GET", "/deep", "GETSTORAGEPOLICY"),
    Step("POST", "/deep", "UNSETSTORAGEPOLICY"),
    Step("PUT", "/deep/er", "SETECPOLICY", {"ecpolicy": "RS-6-3-1024k"}),
    Step("GET", "/deep/er", "GETECPOLICY"),
    Step("POST", "/deep/er", "UNSETECPOLICY"),
    Step("PUT", "/s/x", "MKDIRS"),
    Step("PUT", "/s", "ALLOWSNAPSHOT", user=SUPERUSER),
    Step("PUT", "/s", "CREATESNAPSHOT", {"snapshotname": "a"}),
    Step("PUT", "/s/y", "MKDIRS"),
    Step("PUT", "/s", "CREATESNAPSHOT", {"snapshotname": "b"}),
    Step("GET", "/s", "GETSNAPSHOTDIFF", {"oldsnapshotname": "a", "snapshotname": "b"}),
    Step("GET", "/s", "GETSNAPSHOTLIST"),
    Step("PUT", "/s", "RENAMESNAPSHOT", {"oldsnapshotname": "a", "snapshotname": "c"}),
    Step("DELETE", "/s", "DELETESNAPSHOT", {"snapshotname": "c"}),
    Step("DELETE", "/s", "DELETESNAPSHOT", {"snapshotname": "b"}),
    Step("PUT", "/s", "DISALLOWSNAPSHOT", user=SUPERUSER),
    Step("PUT", "/p1", "CREATE", content=b"one", same="status", but=CREATED),
    Step("PUT", "/p2", "CREATE", content=b"two", same="status", but=CREATED),
    Step("POST", "/p1", "CONCAT", {"sources": "@/p2"}),
    Step("POST", "/p1", "CONCAT", {"sources": "@/p2"}, same="status", but=LOST),
    Step("GET", "/p1", "OPEN"),
    Step("POST", "/p1", "TRUNCATE", {"newlength": "0"}),
    Step("DELETE", "/none", "DELETE"),
    Step("DELETE", "/deep", "DELETE"),
    Step("DELETE", "", "DELETE", {"recursive": "true"}),
)
