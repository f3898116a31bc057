"""The operations by HTTP method and name."""

from typing import Final

from app.embedded import (
    acls,
    attributes,
    joining,
    namespace,
    reading,
    renaming,
    snapshots,
    status,
    writing,
    xattrs,
)
from app.embedded.redirects import redirected
from app.embedded.requests import Operation

OPERATIONS: Final[dict[str, dict[str, Operation]]] = {
    "GET": {
        "CHECKACCESS": status.check_access,
        "GETACLSTATUS": acls.get_status,
        "GETCONTENTSUMMARY": status.get_content_summary,
        "GETFILEBLOCKLOCATIONS": reading.get_file_block_locations,
        "GETFILECHECKSUM": redirected("GETFILECHECKSUM", reading.get_file_checksum),
        "GETFILELINKSTATUS": status.get_file_link_status,
        "GETFILESTATUS": status.get_file_status,
        "GETHOMEDIRECTORY": status.get_home_directory,
        "GETLINKTARGET": status.get_link_target,
        "GETQUOTAUSAGE": status.get_quota_usage,
        "GETSERVERDEFAULTS": status.get_server_defaults,
        "GETSNAPSHOTLIST": snapshots.get_list,
        "GETSNAPSHOTTABLEDIRECTORYLIST": snapshots.get_directories,
        "GETSTATUS": status.get_status,
        "GETTRASHROOT": status.get_trash_root,
        "GETXATTRS": xattrs.get_xattrs,
        "GET_BLOCK_LOCATIONS": reading.get_block_locations,
        "LISTSTATUS": status.list_status,
        "LISTSTATUS_BATCH": status.list_status_batch,
        "LISTXATTRS": xattrs.list_xattrs,
        "OPEN": redirected("OPEN", reading.open_file),
    },
    "PUT": {
        "ALLOWSNAPSHOT": snapshots.allow,
        "CREATE": redirected("CREATE", writing.create),
        "CREATESNAPSHOT": snapshots.create,
        "DISALLOWSNAPSHOT": snapshots.disallow,
        "MKDIRS": namespace.mkdirs,
        "MODIFYACLENTRIES": acls.modify_entries,
        "REMOVEACL": acls.remove_all,
        "REMOVEACLENTRIES": acls.remove_entries,
        "REMOVEDEFAULTACL": acls.remove_default,
        "REMOVEXATTR": xattrs.remove_xattr,
        "RENAME": renaming.rename,
        "RENAMESNAPSHOT": snapshots.rename,
        "SETACL": acls.set_acl,
        "SETOWNER": attributes.set_owner,
        "SETPERMISSION": attributes.set_permission,
        "SETQUOTA": attributes.set_quota,
        "SETREPLICATION": attributes.set_replication,
        "SETTIMES": attributes.set_times,
        "SETXATTR": xattrs.set_xattr,
    },
    "POST": {
        "APPEND": redirected("APPEND", writing.append),
        "CONCAT": joining.concat,
        "TRUNCATE": joining.truncate,
    },
    "DELETE": {
        "DELETE": namespace.delete,
        "DELETESNAPSHOT": snapshots.delete,
    },
}
