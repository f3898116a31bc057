"""Objects whose every sight is checked, and requests for them that are cut off in the middle."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.paths import HIDDEN_MARK
from tests.contract.client import fresh_name
from tests.gateway import wait_for
from tests.hadoop.jars import HadoopError
from tests.hadoop.probe import webhdfs
from tests.s3.conftest import BUCKET_ROOTS
from tests.s3.uploading import FIRST, LAST, etag_of
from tests.s3.wire import UNSIGNED, connect, send_head, signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.live.interceptor import Interceptor
    from tests.s3.conftest import World

PARTS = (FIRST, LAST)
SWEPT_SECONDS = 60.0


class Version(NamedTuple):
    """An object as somebody may see it: all of it belongs together."""

    content: bytes
    etag: str
    metadata: dict[str, str]


def version(content: bytes, **metadata: str) -> Version:
    """Return the version that PutObject makes of this content."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Version(content, f'"{md5}"', metadata)


OLD = version(b"the old content " * 3000, made="long ago", old="yes")
NEW = version(b"new content " * 6000, made="today", new="yes")
LARGE = version(b"more than the buffers of a connection hold " * 100_000, made="today")
"""NEW fits into a connection's buffers, so that it can be sent to a gateway that does not read."""
JOINED = Version(b"".join(PARTS), etag_of(*PARTS), {"made": "of parts"})
ALL_PARTS = [(number, version(part).etag, len(part)) for number, part in enumerate(PARTS, 1)]


class Way(NamedTuple):
    """A running gateway with two workers, its client, and how its way to HDFS can be cut."""

    world: World
    client: Any
    cut: Interceptor
    door: str
    superuser: str


class Ask(NamedTuple):
    """A request to the S3 port; its headers are still to be signed unless it `is_signed`."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    is_signed: bool = False


@dataclass
class Scene:
    """A new bucket, and the key in it that the scene is about."""

    way: Way
    key: str = "key"
    bucket: str = field(default_factory=lambda: fresh_name("bucket"))

    def __post_init__(self) -> None:
        self.client = self.way.client
        self.client.create_bucket(Bucket=self.bucket)

    @property
    def where(self) -> dict[str, str]:
        """The object, as boto3 calls it."""
        return {"Bucket": self.bucket, "Key": self.key}

    # --- what is there

    def put(self, new: Version, key: str = "") -> None:
        """Put an object, to the end."""
        told = self.client.put_object(
            Bucket=self.bucket, Key=key or self.key, Body=new.content, Metadata=new.metadata)
        assert told["ETag"] == new.etag

    def seen(self) -> Version | None:
        """Return the object that is there, after a look in every way that there is.

        The sweep may put an old object back between two looks: then they are taken again.
        """
        for _ in range(2):
            try:
                return self._looked_at()
            except AssertionError:
                continue
        return self._looked_at()

    def _looked_at(self) -> Version | None:
        try:
            told = self.client.get_object(**self.where, ChecksumMode="ENABLED")
        except self.client.exceptions.NoSuchKey:
            assert "Contents" not in self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=self.key)
            return None
        found = Version(told["Body"].read(), told["ETag"], told["Metadata"])
        head = self.client.head_object(**self.where)
        assert (head["ETag"], head["ContentLength"], head["Metadata"]) == (
            found.etag, len(found.content), found.metadata)
        listed, = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.key)["Contents"]
        assert (listed["ETag"], listed["Size"]) == (found.etag, len(found.content))
        return found

    def assert_one_of(self, *allowed: Version | None) -> Version | None:
        """Assert that one of these versions is there, and return it.

        Where HDFS is reached through HttpFS an object is replaced in two steps, and until the
        sweep it may be absent.
        """
        if self.way.door == "httpfs" and None not in allowed:
            wait_for("the object", lambda: self.seen() is not None, seconds=SWEPT_SECONDS)
        found = self.seen()
        assert found in allowed, found and (found.content[:40], found.etag, found.metadata)
        return found

    def below(self, path: str = "") -> list[str]:
        """Return all files and directories that HDFS has in the bucket, by their paths in it."""
        where = f"{BUCKET_ROOTS['someone']}/{self.bucket}/{path}".rstrip("/")
        try:
            told = webhdfs(self.way.cut.url, "GET", where, op="LISTSTATUS",
                           **{"user.name": self.way.superuser})
        except HadoopError:
            if path:
                return []  # it has gone since it was seen
            raise
        found = []
        for one in told["FileStatuses"]["FileStatus"]:
            inside = f"{path}{one['pathSuffix']}"
            found.append(inside)
            if one["type"] == "DIRECTORY":
                found += self.below(f"{inside}/")
        return found

    def hidden(self) -> list[str]:
        """Return what of it is hidden by its own name."""
        return [path for path in self.below() if path.split("/")[-1].startswith(HIDDEN_MARK)]

    def await_swept(self, *stay: str) -> None:
        """Return when nothing hidden is left but these."""
        wait_for(f"nothing hidden in {self.bucket} but {stay}",
                 lambda: self.hidden() == list(stay), seconds=SWEPT_SECONDS)

    def assert_gone_with_its_bucket(self) -> None:
        """Assert that nothing is left when the object is deleted."""
        self.client.delete_object(**self.where)
        assert self.below() == []
        self.client.delete_bucket(Bucket=self.bucket)

    # --- uploads in parts

    def begin(self) -> dict[str, str]:
        """Return what names a new upload that becomes JOINED."""
        made = self.client.create_multipart_upload(**self.where, Metadata=JOINED.metadata)
        return {**self.where, "UploadId": made["UploadId"]}

    def filled(self) -> dict[str, str]:
        """Return what names a new upload that has all PARTS."""
        upload = self.begin()
        for number in range(1, len(PARTS) + 1):
            self.fill(upload, number)
        return upload

    def fill(self, upload: Mapping[str, str], number: int) -> None:
        """Upload one of PARTS, to the end."""
        part = PARTS[number - 1]
        told = self.client.upload_part(**upload, PartNumber=number, Body=part)
        assert told["ETag"] == version(part).etag

    def complete(self, upload: Mapping[str, str]) -> str:
        """Ask for completion of an upload with all PARTS, and return the ETag."""
        told = self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [
            {"PartNumber": number, "ETag": version(part).etag}
            for number, part in enumerate(PARTS, 1)]})
        return str(told["ETag"])

    def parts(self, upload: Mapping[str, str]) -> list[tuple[int, str, int]]:
        """Return number, ETag and size of the parts that an upload has."""
        told = self.client.list_parts(**upload).get("Parts", [])
        return [(one["PartNumber"], one["ETag"], one["Size"]) for one in told]

    # --- requests to be cut off

    def put_asked(self, new: Version = NEW) -> Ask:
        """Return the request for PutObject."""
        given = {f"x-amz-meta-{name}": value for name, value in new.metadata.items()}
        return Ask("PUT", f"/{self.bucket}/{self.key}",
                   {**UNSIGNED, **given, "Content-Length": str(len(new.content))}, new.content)

    def part_asked(self, upload: Mapping[str, str], number: int) -> Ask:
        """Return the request for UploadPart of one of PARTS."""
        part = PARTS[number - 1]
        query = f"partNumber={number}&uploadId={upload['UploadId']}"
        return Ask("PUT", f"/{self.bucket}/{self.key}?{query}",
                   {**UNSIGNED, "Content-Length": str(len(part))}, part)

    def completion_asked(self, upload: Mapping[str, str]) -> Ask:
        """Return the request for CompleteMultipartUpload with all PARTS."""
        named = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{version(part).etag}</ETag></Part>"
            for number, part in enumerate(PARTS, 1))
        body = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()
        return Ask("POST", f"/{self.bucket}/{self.key}?uploadId={upload['UploadId']}",
                   {**UNSIGNED, "Content-Length": str(len(body))}, body)

    def copy_asked(self, source: str, **metadata: str) -> Ask:
        """Return the request to copy another key's object, with other metadata if there is some."""
        given = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
        if given:
            given["x-amz-metadata-directive"] = "REPLACE"
        return Ask("PUT", f"/{self.bucket}/{self.key}",
                   {**UNSIGNED, **given, "Content-Length": "0",
                    "x-amz-copy-source": f"{self.bucket}/{source}"})

    def sign(self, ask: Ask) -> Mapping[str, str]:
        """Return the headers of a request, signed."""
        if ask.is_signed:
            return ask.headers
        return signed(self.way.world, ask.method, ask.target, ask.headers)[0]

    def send(self, ask: Ask, size: int | None = None) -> socket.socket:
        """Send a request with `size` bytes of its body (None: all), and return the connection."""
        connection = connect(self.way.world)
        send_head(connection, ask.method, ask.target, self.sign(ask))
        connection.sendall(ask.body[:size])
        return connection

    def kill_worker_of(self, connection: socket.socket) -> None:
        """Kill the worker that serves a connection; the client has no answer."""
        gateway = self.way.world.gateway
        gateway.kill_worker(gateway.worker_of(connection))
        with connection, contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b"", "the request was answered"

    def kill_at(self, operation: str, nth: int, ask: Ask, *, before: bool) -> None:
        """Kill the worker that serves a request at a step of it, unsent or unanswered."""
        self.way.cut.hold(operation, nth=nth, before=before, within=self.bucket)
        connection = self.send(ask)
        self.way.cut.await_held()
        self.kill_worker_of(connection)


def reset(connection: socket.socket) -> None:
    """Close a connection as the kernel does for a process that left data unread."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


CLIENT = """
import socket, sys, time
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    s.sendall(open(sys.argv[2], "rb").read())
    print("sent", flush=True)
    time.sleep(600)
"""


def client_process(
    scene: Scene, ask: Ask, size: int, directory: Path,
) -> subprocess.Popen[str]:
    """Return a process that has sent `size` bytes of the body, and goes no further."""
    lines = [f"{ask.method} {ask.target} HTTP/1.1",
             *(f"{name}: {value}" for name, value in scene.sign(ask).items())]
    file = directory / scene.bucket
    file.write_bytes("\r\n".join([*lines, "", ""]).encode("latin-1") + ask.body[:size])
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", CLIENT, str(scene.way.world.port), str(file)],
        stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "sent\n"
    return process


def finish(connection: socket.socket, rest: bytes = b"") -> tuple[int, bytes | None]:
    """Send the rest of a request; return status and content, 0 and None where they broke off."""
    with connection:
        with contextlib.suppress(OSError):
            connection.sendall(rest)
        with contextlib.closing(http.client.HTTPResponse(connection)) as answer:
            try:
                answer.begin()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                return answer.status if isinstance(answer.status, int) else 0, None
