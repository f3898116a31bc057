"""What Alluxio's Python client raises, each class where it says so. Arguments: host, port.

The user is an ordinary one; /secret is somebody else's and closed to all others. By the name
127.0.0.1 the gateway is asked with a wrong password (from ~/.netrc).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import alluxio
from alluxio import exceptions, option, wire

if TYPE_CHECKING:
    from collections.abc import Callable

host, port = sys.argv[1:]
client = alluxio.Client(host, int(port), timeout=120)


def refused(
    kind: type[Exception], call: Callable[..., Any], *arguments: Any, saying: str = "",
) -> None:
    """Stop unless the call raises exactly this class, with a message that holds `saying`."""
    called = f"{call.__name__}{arguments}"
    raised: Exception | None = None
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001 - which it is, is what is asked
        raised = error
    assert type(raised) is kind, f"{called}: {raised!r}"
    assert saying in str(raised), f"{called}: {raised}"
    assert "Traceback" not in str(raised), f"{called}: {raised}"


def drain(path: str) -> None:
    """Open and read."""
    with client.open(path, "r") as into:
        into.read()


def fill(path: str) -> None:
    """Create, write and close."""
    with client.open(path, "w") as out:
        out.write(b"x")


missing = 'Path "/none" does not exist.'
for call in (client.get_status, client.list_status, client.ls, client.free, client.open_file,
             client.delete, client.set_attribute, drain):
    refused(exceptions.NotFoundError, call, "/none", saying=missing)
refused(exceptions.NotFoundError, client.rename, "/none", "/other", saying=missing)
refused(exceptions.NotFoundError, client.create_directory, "/no/parent", saying="does not exist")
refused(exceptions.NotFoundError, client.create_file, "/no/parent", saying="does not exist")

client.create_directory("/dir")
fill("/dir/file")
refused(exceptions.AlreadyExistsError, client.create_directory, "/dir", saying="/dir")
refused(exceptions.AlreadyExistsError, client.create_directory, "/dir/file", saying="/dir/file")
refused(exceptions.AlreadyExistsError, client.create_file, "/dir/file", saying="/dir/file")
refused(exceptions.AlreadyExistsError, client.create_file, "/dir", saying="/dir")
fill("/other")
refused(exceptions.AlreadyExistsError, client.rename, "/other", "/dir/file", saying="/dir/file")
refused(exceptions.AlreadyExistsError, client.rename, "/other", "/dir", saying="/dir")
being_written = client.create_file("/new")
refused(exceptions.AlreadyExistsError, client.create_file, "/new", saying="/new")
refused(exceptions.UnknownError, client.open_file, "/new", saying="incomplete")
client.close(being_written)

refused(exceptions.InvalidArgumentError, client.get_status, "relative", saying='"relative"')
refused(exceptions.InvalidArgumentError, client.rename, "/", "/dir/root", saying="root")
refused(exceptions.InvalidArgumentError, client.rename, "/dir", "/dir/below", saying="/dir")
refused(exceptions.InvalidArgumentError, client.create_file, "/other/below",
        option.CreateFile(recursive=True), saying="/other/below")

refused(exceptions.FailedPreconditionError, client.delete, "/dir", saying="recursive")
refused(exceptions.UnknownError, client.free, "/dir", saying="recursive")
refused(exceptions.UnknownError, client.open_file, "/dir", saying="directory")

for call in (client.get_status, client.delete, client.create_file, client.create_directory):
    refused(exceptions.PermissionDeniedError, call, "/secret/file", saying="/secret")
refused(exceptions.PermissionDeniedError, client.list_status, "/secret", saying="/secret")
refused(exceptions.PermissionDeniedError, client.mount, "/m", "/dir", saying="/m")
refused(exceptions.PermissionDeniedError, client.unmount, "/dir", saying="/dir")
refused(exceptions.PermissionDeniedError, client.set_attribute, "/dir",
        option.SetAttribute(owner="bob"), saying="/dir")
refused(exceptions.PermissionDeniedError, client.delete, "/", option.Delete(recursive=True))

for stream in (99_999_999, being_written):
    refused(exceptions.InternalError, client.close, stream, saying="stream does not exist")
    refused(exceptions.InternalError, client.write(stream).write, b"x",
            saying="stream does not exist")
    refused(exceptions.InternalError, client.read(stream).read, saying="stream does not exist")
reading = client.open_file("/other")
refused(exceptions.InternalError, client.write(reading).write, b"x", saying="does not exist")
client.close(reading)

refused(exceptions.UnauthenticatedError, alluxio.Client("127.0.0.1", int(port)).exists, "/")
refused(exceptions.HTTPError, alluxio.Client(host, 1).exists, "/")
try:
    with client.open("/other", "a"):
        pass
except ValueError:
    pass
else:
    raise AssertionError("'a' is no mode")

client.set_attribute("/other", option.SetAttribute(pinned=True))
refused(exceptions.UnknownError, client.free, "/other", saying="pinned")
shut = wire.Mode(wire.BITS_NONE, wire.BITS_NONE, wire.BITS_NONE)
client.set_attribute("/other", option.SetAttribute(mode=shut))
refused(exceptions.PermissionDeniedError, drain, "/other", saying="/other")
for path in ("/dir", "/other", "/new"):
    client.delete(path, option.Delete(recursive=True))
print("done")
