"""What HDFS and the way to it answer, and what the gateway makes of it."""

from __future__ import annotations

import json

import pytest
import requests
from requests import exceptions

from app.core import errors
from app.fs.bodies import WholeAnswer
from app.fs.faults import RemoteFault, remote_fault, translated
from app.fs.http_faults import BadAnswer, NotSent, ShortBody

PATH = "/user/alice/x"
SAID = [
    # As NameNode (403, 404, 400) and HttpFS (500, often without the name) say the same.
    ("FileNotFoundException", "File does not exist: /user/alice/x", errors.PathNotFound),
    ("FileNotFoundException", "Path is not a file: /user/alice/x", errors.NotAFile),
    ("FileNotFoundException", "rename source /a is not found.", errors.PathNotFound),
    ("RemoteException", "File does not exist: /user/alice/x", errors.PathNotFound),
    # Names that read like something else.
    ("FileNotFoundException", "File /user/alice/leases does not exist.", errors.PathNotFound),
    ("RemoteException", "File /user/alice/leases does not exist.", errors.PathNotFound),
    ("FileNotFoundException", "File /a/its snapshot x does not exist.", errors.PathNotFound),
    ("FileNotFoundException", "File/Directory /lease\n does not exist.", errors.PathNotFound),
    ("FileNotFoundException", "File/Directory does not exist: /lease", errors.PathNotFound),
    ("FileNotFoundException", "Directory/File does not exist /lease", errors.PathNotFound),
    ("FileNotFoundException", "Parent directory doesn't exist: /lease", errors.PathNotFound),
    ("FileNotFoundException", "rename source /a/lease is not found.", errors.PathNotFound),
    ("FileNotFoundException", "rename destination parent /lease not found.",
     errors.PathNotFound),
    ("RemoteException", "Path is not a file: /user/alice/x", errors.NotAFile),
    ("AccessControlException", "Permission denied: user=bob, access=WRITE", errors.AccessDenied),
    ("AccessControlException", "User alice is not a super user", errors.AccessDenied),
    ("AccessControlException", "/user/alice (is not a directory)", errors.NotADirectory),
    ("AuthorizationException", "User: x is not allowed to impersonate y", errors.AccessDenied),
    ("ParentNotDirectoryException", "/f (is not a directory)", errors.NotADirectory),
    ("FileAlreadyExistsException", "/f for client 10.0.0.1 already exists", errors.AlreadyExists),
    ("FileAlreadyExistsException", "/f already exists as a directory", errors.IsADirectory),
    ("FileAlreadyExistsException", "Path is not a directory: /f", errors.AlreadyExists),
    ("PathIsNotEmptyDirectoryException", "`/d is non empty'", errors.DirectoryNotEmpty),
    ("IOException", "Source /f and destination /d must both be directories",
     errors.AlreadyExists),
    ("IOException", "rename destination directory is not empty: /d", errors.DirectoryNotEmpty),
    ("IOException", "Rename destination /d/e is a directory or file under source /d",
     errors.Conflict),
    ("IOException", "/plain/f can't be moved into an encryption zone.", errors.Conflict),
    ("IOException", "/zone/f can't be moved from encryption zone /zone to encryption zone /other.",
     errors.Conflict),
    ("IOException", "Failed to connect to: http://kms:9600/kms/v1/keyversion/k%400/_eek",
     errors.UpstreamUnavailable),
    ("AlreadyBeingCreatedException", "Failed to APPEND_FILE /f", errors.FileBusy),
    ("RecoveryInProgressException", "", errors.FileBusy),
    ("RemoteException", "Failed to TRUNCATE_FILE /f because /f is being truncated.",
     errors.FileBusy),
    ("NSQuotaExceededException", "The NameSpace quota", errors.QuotaExceeded),
    ("DSQuotaExceededException", "The DiskSpace quota", errors.QuotaExceeded),
    ("RemoteException", "The DiskSpace quota of /d is exceeded: quota = 1", errors.QuotaExceeded),
    ("XAttrNotFoundException", "", errors.AttributeNotFound),
    ("RemoteException", "At least one of the attributes provided was not found.",
     errors.AttributeNotFound),
    ("IOException", "No matching attributes found for remove operation",
     errors.AttributeNotFound),
    ("IOException", "XAttr: a already exists. The REPLACE flag must be specified.",
     errors.AlreadyExists),
    ("IOException", "XAttr: a does not exist. The CREATE flag must be specified.",
     errors.AttributeNotFound),
    ("SnapshotException", "Directory is not a snapshottable directory: /d", errors.Conflict),
    ("SnapshotException", "Cannot delete snapshot s from path /d: the snapshot does not exist.",
     errors.SnapshotNotFound),
    ("SnapshotException", "The directory /d has snapshot(s). Please redo the operation after",
     errors.Conflict),
    ("RemoteException", "The directory /d has snapshot(s). Please redo the operation after",
     errors.Conflict),
    ("LeaseExpiredException", "", errors.FileBusy),
    ("IOException", "No lease on /f (inode 16386)", errors.FileBusy),
    ("SnapshotException", "there is already a snapshot with the same name",
     errors.AlreadyExists),
    ("RemoteException", "The directory /d cannot be deleted since /d is snapshottable and",
     errors.Conflict),
    ("AclException", "Support for ACLs has been disabled by setting", errors.Unsupported),
    ("AclException", "Invalid ACL: only directories may have a default ACL.",
     errors.InvalidRequest),
    ("UnsupportedOperationException", "Symlinks not supported", errors.Unsupported),
    ("QueryParamException", "No enum constant org.example.HttpFSFileSystem.Operation.SETQUOTA",
     errors.Unsupported),
    ("IllegalArgumentException", "Invalid value for webhdfs parameter", errors.InvalidRequest),
    ("HadoopIllegalArgumentException", "concat: source file /f is invalid or empty",
     errors.InvalidRequest),
    ("RemoteException", "concat: source file /f is invalid or empty", errors.InvalidRequest),
    ("RemoteException", "concat can not be called for files in an encryption zone.",
     errors.InvalidRequest),
    ("RemoteException", "Source file /f and target file /g have different erasure coding policy",
     errors.InvalidRequest),
    ("RemoteException", "Concat: the source file /f is in snapshot", errors.Conflict),
    ("SnapshotException", "Source file /f is referred by some other reference in some snapshot.",
     errors.Conflict),
    ("RemoteException", "Requested replication factor of 600 exceeds maximum of 512 for /f",
     errors.InvalidRequest),
    ("IOException", "Specified block size 1 is less than configured minimum value",
     errors.InvalidRequest),
    ("RemoteException", "Cannot truncate to a larger file size. Current size: 0",
     errors.InvalidRequest),
    ("StandbyException", "", errors.UpstreamUnavailable),
    ("SafeModeException", "Cannot create file /f. Name node is in safe mode.",
     errors.UpstreamUnavailable),
    ("RemoteException", "Cannot create file /f. Name node is in safe mode.",
     errors.UpstreamUnavailable),
    ("IOException", "Failed to find datanode, suggest to check cluster health.",
     errors.UpstreamUnavailable),
    ("IOException", "No active nodes contain this block", errors.UpstreamUnavailable),
    ("IOException", "All datanodes [DatanodeInfoWithStorage[10.0.0.1:9866]] are bad. Aborting...",
     errors.UpstreamUnavailable),
    ("RemoteException", "Unable to create new block.", errors.UpstreamUnavailable),
    ("PathIOException", "`/user/alice/x': Fail to get block MD5 for LocatedBlock{BP-1:blk_1}",
     errors.UpstreamUnavailable),
    ("PathIOException", "`/user/alice/x': something new", errors.UpstreamFault),
    ("SocketTimeoutException", "", errors.UpstreamTimeout),
    ("NullPointerException", "", errors.UpstreamFault),
    ("IOException", "something new", errors.UpstreamFault),
]


@pytest.mark.parametrize(("name", "message", "expected"), SAID)
def test_names_and_where_they_are_vague_messages_decide(
    name: str, message: str, expected: type[errors.GatewayError],
) -> None:
    error = translated(RemoteFault(500, name, message), PATH)
    assert type(error) is expected
    if isinstance(error, errors.PathError):
        assert error.path == PATH


@pytest.mark.parametrize(("name", "message", "expected"), SAID)
def test_no_message_shows_a_path_of_hdfs(
    name: str, message: str, expected: type[errors.GatewayError],
) -> None:
    error = translated(RemoteFault(500, name, message), "/shown")
    assert "/" not in str(error).replace("/shown", "")


@pytest.mark.parametrize(("status", "expected"), [
    (401, errors.UpstreamFault), (404, errors.UpstreamFault), (500, errors.UpstreamFault),
    (502, errors.UpstreamUnavailable), (503, errors.UpstreamUnavailable),
    (504, errors.UpstreamTimeout),
])
@pytest.mark.parametrize("body", [
    b"<html>", b"", b"{}", b"[1]", b'{"RemoteException": 5}', b'{"RemoteException": {}}',
    b"\xff\xfe", b'{"RemoteException": {"message": "x"}}', b"[" * 50_000])
def test_errors_that_are_none_of_webhdfs(
    status: int, body: bytes, expected: type[errors.GatewayError],
) -> None:
    error = translated(remote_fault(WholeAnswer(status, [], body)), PATH)
    assert type(error) is expected


@pytest.mark.parametrize("odd", [None, 5, ["x"], {"a": "b"}])
def test_a_remote_exception_of_odd_types(odd: object) -> None:
    body = json.dumps({"RemoteException": {
        "exception": "StandbyException", "javaClassName": odd, "message": odd}}).encode()
    fault = remote_fault(WholeAnswer(403, [], body))
    assert type(translated(fault, PATH)) is errors.UpstreamUnavailable


@pytest.mark.parametrize(("fault", "expected"), [
    (NotSent("refused"), errors.UpstreamUnavailable),
    (exceptions.ConnectionError("reset"), errors.UpstreamUnavailable),
    (exceptions.SSLError("certificate"), errors.UpstreamUnavailable),
    (exceptions.ConnectTimeout("slow"), errors.UpstreamTimeout),
    (exceptions.ReadTimeout("slow"), errors.UpstreamTimeout),
    (BadAnswer("no HTTP"), errors.UpstreamFault),
    (ShortBody("cut"), errors.UpstreamFault),
    (requests.RequestException("else"), errors.UpstreamFault),
])
def test_faults_of_the_connection(
    fault: Exception, expected: type[errors.GatewayError],
) -> None:
    assert type(translated(fault, PATH)) is expected


@pytest.mark.parametrize("said", [
    "rename destination /a/snapshot 1 already exists", "/a/snapshot 1 for client x already exists"])
def test_a_name_that_speaks_of_snapshots_is_no_snapshot(said: str) -> None:
    error = translated(RemoteFault(403, "FileAlreadyExistsException", said), PATH)
    assert type(error) is errors.AlreadyExists
    assert "snapshot" not in str(error)


def test_class_names_are_no_words_for_people() -> None:
    said = "java.lang.IllegalArgumentException: Invalid value of x"
    error = translated(RemoteFault(400, "IllegalArgumentException", said), PATH)
    assert "java" not in str(error)
    assert str(error).endswith(": Invalid value of x")


@pytest.mark.parametrize(("name", "message", "words"), [
    ("AclException", "Invalid ACL: only directories may have a default ACL. Path: /user/alice/x",
     "only directories may have a default ACL"),
    ("HadoopIllegalArgumentException",
     "An XAttr name must be prefixed with user/trusted/security/system/raw, followed by a '.'",
     "begins with user., trusted."),
    ("SnapshotException", "Directory is not a snapshottable directory: /d", "not a snapshottable"),
    ("SnapshotException", "The directory /d has snapshot(s). Please redo", "has snapshots"),
    ("RemoteException", "The directory /d cannot be deleted since /d is snapshottable",
     "has snapshots"),
    ("SnapshotException", 'there is already a snapshot with the same name "s".',
     "a snapshot of this name"),
    ("SnapshotException", "The snapshot s2 already exists for directory /d",
     "a snapshot of this name"),
    ("IOException", "Rename destination /d/e is a directory or file under source /d",
     "inside what is to be renamed"),
])
def test_what_hdfs_means_is_said_without_its_paths(name: str, message: str, words: str) -> None:
    said = str(translated(RemoteFault(500, name, message), "/shown"))
    assert words in said
    assert "/" not in said.replace("/shown", "")
