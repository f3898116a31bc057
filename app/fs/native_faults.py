"""What Hadoop's RPC and the way to it answer, in the terms of `app.fs.faults` and its tables."""

from __future__ import annotations

from requests import exceptions

from app.fs.faults import RETRIABLE, STANDBY, RemoteFault
from app.fs.http_faults import BadAnswer, NotSent
from app.hadoop import ipc
from app.hadoop.block_writing import WriteFailed
from app.hadoop.ipc import BadFrame, Broken, NoAnswer, RemoteError
from app.hadoop.protobuf import BadMessage

LANE_FAULTS = (RemoteError, ipc.NotSent, Broken, BadFrame, BadMessage)
"""What a call by RPC raises before it is translated."""
FILE_NOT_FOUND = "java.io.FileNotFoundException"
DID_NOTHING = STANDBY | RETRIABLE | {
    "RpcNoSuchMethodException", "RpcNoSuchProtocolException",
    "UnknownCryptoProtocolVersionException",  # in an encryption zone
}
"""The NameNode did nothing, for reasons that do not hold for WebHDFS."""

_STATUSES = {
    "FileNotFoundException": 404,
    "UnsupportedOperationException": 400,
    "IllegalArgumentException": 400,
    "HadoopIllegalArgumentException": 400,
}
_ERROR = 500
_FORBIDDEN = 403


def simple_name(java_class: str) -> str:
    """Return a Java class's name without package and outer class, as WebHDFS tells it."""
    return java_class.rpartition(".")[2].rpartition("$")[2]


def did_nothing(error: Exception) -> bool:
    """Tell whether the call cannot have happened, so that WebHDFS may make it."""
    if isinstance(error, RemoteError):
        return isinstance(error, ipc.Refused) or simple_name(error.java_class) in DID_NOTHING
    return isinstance(error, ipc.NotSent)


def is_standby(error: Exception) -> bool:
    """Tell whether another NameNode is the active one."""
    return isinstance(error, RemoteError) and simple_name(error.java_class) in STANDBY


def is_timeout(error: Exception) -> bool:
    """Tell whether nothing came back in time."""
    return isinstance(error, NoAnswer)


def as_fault(error: Exception) -> RemoteFault | exceptions.RequestException:
    """Return what WebHDFS, or the way to it, would have raised."""
    if isinstance(error, RemoteError):
        name = simple_name(error.java_class)
        return RemoteFault(_status(name), name, error.message, error.java_class)
    if is_timeout(error):
        return exceptions.ReadTimeout(str(error))
    if isinstance(error, ipc.NotSent):
        return NotSent(str(error))
    if isinstance(error, Broken | WriteFailed):
        return exceptions.ConnectionError(str(error))
    return BadAnswer(str(error))


def _status(name: str) -> int:
    """Return the status that the NameNode's WebHDFS gives an exception of this name.

    Source: org.apache.hadoop.hdfs.web.resources.ExceptionHandler, Hadoop 3.4.2.
    """
    unexpected = name.endswith(("Error", "PointerException", "BoundsException", "CastException"))
    return _STATUSES.get(name, _ERROR if unexpected else _FORBIDDEN)
