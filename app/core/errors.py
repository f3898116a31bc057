"""The exceptions of the gateway: facts about what went wrong, never a status code.

Each dialect (file API, S3, …) has a table that turns these classes into its own statuses and
codes; the class says *what* happened, the attributes say to *which* thing.

GatewayError
├── InvalidRequest                   the caller's words cannot be acted on
│   ├── InvalidPath                  no HDFS path can be made of it
│   ├── InvalidParameter             a parameter's value is outside what is allowed
│   │   └── MissingParameter         a required parameter is absent
│   ├── InvalidParameters            several at once
│   ├── MalformedBody                the body is not what its headers say (gzip, chunks, JSON)
│   │   └── IncompleteBody           the body ended before its declared end
│   ├── DigestMismatch               a checksum sent along does not match the content
│   └── LengthRequired               the body's length cannot be known
├── UnsupportedMedia                 a Content-Type or Content-Encoding that is not taken
├── BodyTooLarge                     more bytes than the configured limit
├── NotAuthenticated                 nobody, or not whom they claim to be
├── TooManyAttempts                  locked out for a while
├── AccessDenied                     known, and still not allowed
│   ├── InsecureTransport            credentials over plain HTTP
│   ├── ReadOnlyPrincipal            a read-only user wants to change something
│   ├── OwnerRefused                 may not give it to this owner or group
│   └── QuotaExceeded                HDFS allows no more names or bytes here
├── NotFound                         (PathError) no such thing
│   ├── PathNotFound                 nothing has this name
│   ├── NotAFile                     a directory where a file is meant
│   └── AttributeNotFound            the file exists, the xattr asked for does not
│       └── SnapshotNotFound         or the snapshot
├── Conflict                         (PathError) the state of the file system forbids it
│   ├── AlreadyExists
│   ├── NotADirectory                a part of the path is a file
│   ├── IsADirectory                 a directory has the name a file shall get
│   ├── DirectoryNotEmpty
│   ├── FileBusy                     another writer holds the lease
│   └── TrashDisabled                the cluster keeps no trash
├── PreconditionFailed               If-Match and its family
├── RangeNotSatisfiable              no byte of the file is in the range
├── RouteNotFound                    no such URL
├── MethodNotAllowed                 the URL exists, the method does not
├── Unsupported                      the backend cannot do this
├── UpstreamError                    HDFS, or the way to it, failed
│   ├── UpstreamUnavailable          cannot be reached, in safe mode, standby
│   ├── UpstreamTimeout              did not answer in time
│   └── UpstreamFault                answered nonsense, cut an answer short or failed inside
└── StorageFault                     the gateway's own state store failed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Told(NamedTuple):
    """What HDFS itself said: a Java exception's class with its package, and its message.

    The message has paths as HDFS knows them: who shows it makes them the caller's first.
    """

    java_class: str
    message: str

    @property
    def name(self) -> str:
        """The class without its package, as a RemoteException shows it."""
        return self.java_class.rpartition(".")[2].rpartition("$")[2]


class GatewayError(Exception):
    """Root of all errors that a caller may be told about.

    `told` is what HDFS said, where it did, for a dialect that speaks as HDFS does.
    """

    told: Told | None = None

    @property
    def messages(self) -> list[str]:
        """What to tell the caller: one sentence for each thing that is wrong."""
        return [str(self)]


class PathError(GatewayError):
    """An error about one path; `path` is the real HDFS path until a dialect shows it."""

    text = "{path}"

    def __init__(self, path: str, detail: str = "") -> None:
        super().__init__(path, detail)
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        """Name the path and, where there is one, the detail."""
        message = self.text.format(path=printable(self.path))
        return f"{message}: {self.detail}" if self.detail else message


MAX_SHOWN = 200


def printable(text: str) -> str:
    """Return `text` fit for one line of a message: control characters escaped, 200 at most."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode()
                    for c in text[:MAX_SHOWN + 1])
    return shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 3] + "..."


# --- the caller's words


class InvalidRequest(GatewayError):
    """What was asked cannot be understood or acted on."""


class InvalidPath(InvalidRequest):
    """`value` cannot name anything in HDFS, for `reason`."""

    def __init__(self, value: str, reason: str) -> None:
        super().__init__(f"path '{printable(value)}' is not allowed: {reason}")
        self.value = value
        self.reason = reason


class InvalidParameter(InvalidRequest):
    """Parameter `name` has a `value` that is not among what is `allowed`."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(
            f"parameter '{name}' has the value '{printable(value)}'; allowed is {allowed}",
        )
        self.name = name
        self.value = value
        self.allowed = allowed


class InvalidParameters(InvalidRequest):
    """Several parameters of one request are wrong; `errors` has them all."""

    def __init__(self, errors: Sequence[InvalidRequest]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = tuple(errors)

    @property
    def messages(self) -> list[str]:
        """One sentence a parameter."""
        return [message for error in self.errors for message in error.messages]


class MissingParameter(InvalidParameter):
    """Required parameter `name` is absent or empty."""

    def __init__(self, name: str, allowed: str) -> None:
        super().__init__(name, "", allowed)
        self.args = (f"parameter '{name}' is required; allowed is {allowed}",)


class MalformedBody(InvalidRequest):
    """The body is not what its headers say."""


class IncompleteBody(MalformedBody):
    """The body ended before its declared end: the client went away or lost count."""


class DigestMismatch(InvalidRequest):
    """The content's `algorithm` digest is `actual`, the caller said `expected` (both as sent)."""

    def __init__(self, header: str, algorithm: str, expected: str, actual: str) -> None:
        super().__init__(
            f"{header}: the {algorithm} of what arrived is {actual}, not {printable(expected)};"
            " nothing was changed",
        )
        self.header = header
        self.algorithm = algorithm


class LengthRequired(InvalidRequest):
    """A body without Content-Length or chunked coding has no end that can be trusted."""


class UnsupportedMedia(GatewayError):
    """A Content-Type or Content-Encoding that is not accepted here."""


class BodyTooLarge(GatewayError):
    """The body has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than the {limit} bytes allowed")
        self.limit = limit


# --- who


class NotAuthenticated(GatewayError):
    """No credentials, or wrong ones; the message never says which part was wrong."""


class TooManyAttempts(GatewayError):
    """Failed too often; may try again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many failed attempts; try again in {retry_after} seconds")
        self.retry_after = retry_after


class AccessDenied(PathError):
    """HDFS or the gateway does not allow this principal to do this."""

    text = "permission denied: {path}"


class InsecureTransport(AccessDenied):
    """Credentials came over plain HTTP from elsewhere than loopback."""

    text = "{path}"


class ReadOnlyPrincipal(AccessDenied):
    """The principal may read, and wants to change something."""

    text = "this user may only read: {path}"


class OwnerRefused(AccessDenied):
    """The principal may not give it to this owner or group."""

    text = "owner or group cannot be set: {path}"


class QuotaExceeded(AccessDenied):
    """A name or space quota of HDFS is used up."""

    text = "quota exceeded: {path}"


# --- the state of the file system


class NotFound(PathError):
    """No such thing."""


class PathNotFound(NotFound):
    """Nothing has this name."""

    text = "no such file or directory: {path}"


class NotAFile(NotFound):
    """A directory where a regular file is meant."""

    text = "not a regular file: {path}"


class AttributeNotFound(NotFound):
    """The path exists, the xattr does not."""

    text = "no such attribute of {path}"


class SnapshotNotFound(AttributeNotFound):
    """The path exists, the snapshot does not."""

    text = "no such snapshot of {path}"


class Conflict(PathError):
    """The state of the file system forbids it."""

    text = "conflict at {path}"


class AlreadyExists(Conflict):
    """Something has this name already."""

    text = "already exists: {path}"


class NotADirectory(Conflict):
    """A file where a directory is meant."""

    text = "not a directory: {path}"


class IsADirectory(Conflict):
    """A directory has the name that a file shall get."""

    text = "is a directory: {path}"


class DirectoryNotEmpty(Conflict):
    """A directory with entries was to be removed without recursion."""

    text = "directory is not empty: {path}"


class FileBusy(Conflict):
    """Another client writes this file."""

    text = "being written by another client: {path}"


class TrashDisabled(Conflict):
    """The cluster's trash interval is 0."""

    text = "the cluster keeps no trash, nothing was removed: {path}"


class PreconditionFailed(GatewayError):
    """A conditional request's condition (`header`) does not hold."""

    def __init__(self, header: str) -> None:
        super().__init__(f"the condition of {header} does not hold")
        self.header = header


class RangeNotSatisfiable(GatewayError):
    """No byte asked for lies in a file of `length` bytes."""

    def __init__(self, length: int, detail: str) -> None:
        super().__init__(f"{detail}; the file has {length} bytes")
        self.length = length


# --- URLs


class RouteNotFound(GatewayError):
    """Nothing is served under this URL."""

    def __init__(self, url_path: str) -> None:
        super().__init__(f"no such URL: {printable(url_path)}")


class MethodNotAllowed(GatewayError):
    """The URL is served, but only for the methods in `allowed`."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = sorted(allowed)
        super().__init__(f"method {printable(method)} is not allowed; allowed: "
                         + ", ".join(self.allowed))


# --- behind the gateway


class Unsupported(GatewayError):
    """The backend has no such operation."""


class UpstreamError(GatewayError):
    """HDFS, or the way to it, failed."""


class UpstreamUnavailable(UpstreamError):
    """The cluster cannot be reached or does not serve now (down, safe mode, standby)."""


class UpstreamTimeout(UpstreamError):
    """The cluster did not answer in time."""


class UpstreamFault(UpstreamError):
    """The cluster answered what cannot be right, cut an answer short, or failed inside."""


class StorageFault(GatewayError):
    """The gateway's own state store cannot be used."""
