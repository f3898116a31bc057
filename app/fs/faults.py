"""From what HDFS and the way to it answer, to `app.core.errors`: done here once.

A RemoteException's *name* decides; the status does not, as the same fault is 403 from the
NameNode and 500 from HttpFS. Where the name says nothing (IOException, and RemoteException where
HttpFS lost the name) the message decides, by the patterns of one table. Messages name real paths,
which a confined user must not see: they stay in the chained exception, for the log.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from requests import exceptions

from app.core import errors
from app.core.errors import GatewayError, PathError, Told, printable
from app.fs.http_faults import BadAnswer, ShortBody
from app.fs.kerberos_faults import KerberosFault

if TYPE_CHECKING:
    from app.fs.answer import Answer

ERROR_LIMIT = 1024 * 1024
UNAUTHORIZED = 401
UNAVAILABLE = frozenset({502, 503})
GATEWAY_TIMEOUT = 504


class RemoteFault(Exception):
    """An error answer: the exception's simple name and message as the server gave them.

    `name` is empty where the answer is none of WebHDFS (an HTML page of Jetty, a proxy's).
    """

    def __init__(self, status: int, name: str, message: str, java_class: str = "") -> None:
        super().__init__(f"{status} {name or 'without RemoteException'}: {printable(message)}")
        self.status = status
        self.name = name
        self.message = message
        self.java_class = java_class or name


def remote_fault(answer: Answer) -> RemoteFault:
    """Read an error answer to its end."""
    raw = answer.limited(ERROR_LIMIT)
    try:
        remote = json.loads(raw)["RemoteException"]
        name, message = remote["exception"], remote.get("message")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return RemoteFault(answer.status_code, "", raw[:500].decode("latin-1"))
    java = str(remote.get("javaClassName") or "")
    return RemoteFault(
        answer.status_code, str(name or java.rpartition(".")[2]), str(message or ""), java)


STANDBY = frozenset({"StandbyException", "ObserverRetryOnActiveException"})
"""The server did nothing; another one is active."""
IMPERSONATION = re.compile(
    r"is not allowed to impersonate|Unauthorized connection for super-user")
"""The proxyuser settings of the cluster refuse `doas=`."""
RETRIABLE = frozenset({"RetriableException", "SafeModeException", "ServerTooBusyException"})
"""The server did nothing, and will later."""

BY_NAME: dict[str, type[GatewayError]] = {
    "AccessControlException": errors.AccessDenied,
    "AuthorizationException": errors.AccessDenied,
    "SnapshotAccessControlException": errors.AccessDenied,
    "FileNotFoundException": errors.PathNotFound,
    "FileAlreadyExistsException": errors.AlreadyExists,
    "ParentNotDirectoryException": errors.NotADirectory,
    "PathIsNotDirectoryException": errors.NotADirectory,
    "PathIsNotEmptyDirectoryException": errors.DirectoryNotEmpty,
    "AlreadyBeingCreatedException": errors.FileBusy,
    "RecoveryInProgressException": errors.FileBusy,
    "LeaseExpiredException": errors.FileBusy,
    "NSQuotaExceededException": errors.QuotaExceeded,
    "DSQuotaExceededException": errors.QuotaExceeded,
    "QuotaExceededException": errors.QuotaExceeded,
    "QuotaByStorageTypeExceededException": errors.QuotaExceeded,
    "XAttrNotFoundException": errors.AttributeNotFound,
    "UnsupportedOperationException": errors.Unsupported,
    "UnsupportedActionException": errors.Unsupported,
    "RpcNoSuchMethodException": errors.Unsupported,
    "NotReplicatedYetException": errors.UpstreamUnavailable,
    "BlockMissingException": errors.UpstreamUnavailable,
    "ConnectException": errors.UpstreamUnavailable,
    "EOFException": errors.UpstreamUnavailable,
    "NoRouteToHostException": errors.UpstreamUnavailable,
    "UnknownHostException": errors.UpstreamUnavailable,
    "SocketTimeoutException": errors.UpstreamTimeout,
    "SnapshotException": errors.Conflict,
    "NoECPolicySetException": errors.Conflict,
    "IllegalArgumentException": errors.InvalidRequest,
    "HadoopIllegalArgumentException": errors.InvalidRequest,
    "InvalidPathException": errors.InvalidRequest,
    "PathComponentTooLongException": errors.InvalidRequest,
    "MaxDirectoryItemsExceededException": errors.QuotaExceeded,
    "AclException": errors.InvalidRequest,
    **dict.fromkeys(STANDBY | RETRIABLE, errors.UpstreamUnavailable),
}

BY_MESSAGE: tuple[tuple[str, type[GatewayError]], ...] = (
    # There is a name in it, which may read like anything below.
    ((r"^(java\.io\.FileNotFoundException: )?"
      r"(File|Path|File/Directory|Directory/File|Directory|Parent directory) "
      r"(does not exist|doesn't exist|not found)\b"), errors.PathNotFound),
    ((r"(?s)^(java\.io\.FileNotFoundException: )?"
      r"(File|File/Directory|rename source|rename destination parent) /.* "
      r"(does not exist|is not found|not found)\.?$"), errors.PathNotFound),
    (r"[Nn]ame ?[Nn]ode is in (safe|startup) mode", errors.UpstreamUnavailable),
    (r"not supported in state (standby|observer)", errors.UpstreamUnavailable),
    (r"Failed on local exception|Connection reset by peer|Failed to connect to: http",
     errors.UpstreamUnavailable),
    (r"can't be moved (from|into) (an )?encryption zone", errors.Conflict),
    (r"read-only snapshot", errors.AccessDenied),
    (r"\(is not a directory\)", errors.NotADirectory),
    (r"already exists as a directory", errors.IsADirectory),
    (r"[Pp]ath is not a file", errors.NotAFile),
    (r"Permission denied|Superuser privilege|not allowed to impersonate", errors.AccessDenied),
    (r"non-super user cannot", errors.AccessDenied),
    (r"does not exist\. The CREATE flag", errors.AttributeNotFound),
    (r"No matching attributes found", errors.AttributeNotFound),
    (r"attributes provided was not found", errors.AttributeNotFound),
    (r"[Ss]napshot .*does not exist", errors.SnapshotNotFound),
    (r"already a snapshot with the same name", errors.AlreadyExists),
    (r"not a snapshottable directory|cannot be deleted since|has snapshot\(s\)", errors.Conflict),
    (r"must both be directories", errors.AlreadyExists),
    (r"directory is not empty|is non empty", errors.DirectoryNotEmpty),
    (r"is a directory or file under source", errors.Conflict),
    (r"already exists", errors.AlreadyExists),
    (r"being (truncated|created|recovered)|\b[Ll]ease|is not sufficiently replicated",
     errors.FileBusy),
    (r"[Qq]uota .*exceeded", errors.QuotaExceeded),
    (r"ACLs has been disabled|No enum constant .*Operation|is not supported|not a valid \w+ op",
     errors.Unsupported),
    (r"Replace flag|replication factor of|minimum value|larger file size|negative file size",
     errors.InvalidRequest),
    (r"is a reserved name", errors.InvalidRequest),
    (r"^Concat: the source file|by some other reference in some snapshot", errors.Conflict),
    (r"^concat[: ]|is not in the same directory|preferred block size|different erasure coding",
     errors.InvalidRequest),
    (r"XAttr.*(exceed|limit|too (big|long))|[Ii]nvalid (XAttr|ACL|path|file) ?(name)?",
     errors.InvalidRequest),
    (r"^([\w.]+: )?(No active nodes contain|All datanodes \[|Unable to create new block)",
     errors.UpstreamUnavailable),
    (r": Fail to get block MD5", errors.UpstreamUnavailable),
    (r"Failed to find datanode|could only be written to|Could not obtain block|No datanodes?",
     errors.UpstreamUnavailable),
    (r"inode path does not exist|(File|source|destination|parent) .*(does not exist|not found)",
     errors.PathNotFound),
)
_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in BY_MESSAGE)
_DETAILS = (
    (re.compile(r" encryption zone"),
     "HDFS moves nothing into or out of an encryption zone; copy it instead"),
    (re.compile(r"is a directory or file under source"), "it lies inside what is to be renamed"),
    (re.compile(r"Nested snapshottable"), "a directory above or below it has snapshots, or may"),
    (re.compile(r"not a snapshottable directory"), "it is not a snapshottable directory"),
    (re.compile(r"has snapshot\(s\)"), "it has snapshots"),
    (re.compile(r"cannot be deleted since"), "it, or a directory in it, has snapshots"),
    (re.compile(r"a snapshot with the same name|^([\w.]+: )?The snapshot .* already exists"),
     "there is a snapshot of this name"),
)
"""What messages of conflicts mean, in words that have no paths."""
_CLASS_NAME = re.compile(r"^([a-z]\w*\.)+[A-Z]\w*: ")
"""HttpFS puts the class of the cause before its message."""
_ACL_PATH = re.compile(r"(^Invalid ACL: .*?\.) Path: /.*")
_VAGUE = frozenset({
    "IOException", "RemoteException", "AccessControlException", "FileAlreadyExistsException",
    "FileNotFoundException", "SnapshotException", "AclException", "IllegalArgumentException",
    "HadoopIllegalArgumentException", "QueryParamException",
})
"""Names that stand for several things: their message may say it better."""
_IN_OUR_WORDS = (
    (re.compile(r"XAttr name must be prefixed"),
     "the name of an xattr begins with user., trusted., security., system. or raw."),
    (re.compile(r"striped block|on EC file"), "HDFS cannot do this with erasure-coded files"),
    (re.compile(r"Failed to connect to: http\S+/kms/"),
     "HDFS does not reach the key server of its encryption zones"),
)
"""Messages that say too much, or too little to who knows not how HDFS is made."""


def translated(error: Exception, path: str) -> GatewayError:
    """Return the error to raise for what went wrong at `path`."""
    if isinstance(error, RemoteFault):
        kind = _kind(error)
        fault = kind(path, _detail(error, kind)) if issubclass(kind, PathError) else kind(
            _sentence(error, kind))
        if error.name:
            fault.told = Told(error.java_class, error.message)
        return fault
    if isinstance(error, exceptions.Timeout):
        return errors.UpstreamTimeout(f"HDFS did not answer in time ({_first_line(error)})")
    if isinstance(error, KerberosFault):
        kind = errors.UpstreamUnavailable if error.passing else errors.UpstreamFault
        return kind(f"HDFS cannot be asked, because of Kerberos: {error}")
    if isinstance(error, BadAnswer | ShortBody):
        return errors.UpstreamFault(f"HDFS answered wrongly: {_first_line(error)}")
    if isinstance(error, exceptions.ConnectionError):
        return errors.UpstreamUnavailable(f"HDFS cannot be reached: {_first_line(error)}")
    return errors.UpstreamFault(f"the call to HDFS failed: {_first_line(error)}")


def _kind(fault: RemoteFault) -> type[GatewayError]:
    if not fault.name:
        if fault.status in UNAVAILABLE:
            return errors.UpstreamUnavailable
        timeout = fault.status == GATEWAY_TIMEOUT
        return errors.UpstreamTimeout if timeout else errors.UpstreamFault
    known = BY_NAME.get(fault.name)
    if known is None or fault.name in _VAGUE:
        for pattern, kind in _PATTERNS:
            if pattern.search(fault.message):
                return kind
    return known or errors.UpstreamFault


def _detail(fault: RemoteFault, kind: type[GatewayError]) -> str:
    if issubclass(kind, errors.AccessDenied):
        wanted = re.search(r"access=([A-Z_]+)", fault.message)
        if wanted:
            return f"{wanted[1].lower().replace('_', ' and ')} access is needed"
        if IMPERSONATION.search(fault.message):
            return "the cluster does not let the gateway act for this user"
        if "uperuser" in fault.message or "super user" in fault.message:
            return "only the superuser may"
    if kind in (errors.Conflict, errors.AlreadyExists):
        return next((words for pattern, words in _DETAILS if pattern.search(fault.message)), "")
    return ""


def _sentence(fault: RemoteFault, kind: type[GatewayError]) -> str:
    if not fault.name and fault.status == UNAUTHORIZED:
        return "HDFS does not accept the gateway's authentication"
    for pattern, words in _IN_OUR_WORDS:
        if pattern.search(fault.message):
            return words
    said = _ACL_PATH.sub(r"\1", _CLASS_NAME.sub("", _first_line(fault.message)))
    hidden = "/" in said or not fault.name
    what = {
        errors.Unsupported: "HDFS does not support this here",
        errors.InvalidRequest: "HDFS refuses the values of this request",
        errors.UpstreamUnavailable: "HDFS does not serve now",
    }.get(kind, f"HDFS failed with status {fault.status}")
    name = f" ({fault.name})" if fault.name else ""
    return f"{what}{name}" if hidden or not said else f"{what}{name}: {said}"


def _first_line(said: Any) -> str:
    lines = str(said).splitlines()
    return printable(lines[0]) if lines else ""
