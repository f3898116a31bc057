"""S3 requests signed before the clock runs, for a client that costs little: the same for everyone.

Signatures are of version 4. The payload's hash is UNSIGNED-PAYLOAD, so that no client's SHA-256 is
part of what is measured; servers make the MD5 all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.client import DISCARD, Address, BenchError, connect, exchange, expect, read_head

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.client import Head

REGION = "us-east-1"
PAYLOAD = "UNSIGNED-PAYLOAD"
SIGNED_HEADERS = "host;x-amz-content-sha256;x-amz-date"


@dataclass(frozen=True)
class S3Party:
    """One S3 server; `serves` are the roles of the processes that work for it."""

    name: str
    address: Address
    key_id: str
    secret: str
    serves: tuple[str, ...]

    def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None,
        length: int | None = None,
    ) -> bytes:
        """Return the signed head of a request for /bucket/key; `length` is that of its body."""
        host = f"{self.address[0]}:{self.address[1]}"
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = quote(path, safe="/~")
        fields = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}"
                          for name, value in sorted((query or {}).items()))
        signed = f"host:{host}\nx-amz-content-sha256:{PAYLOAD}\nx-amz-date:{when}\n"
        canonical = f"{method}\n{target}\n{fields}\n{signed}\n{SIGNED_HEADERS}\n{PAYLOAD}"
        scope = f"{when[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", when, scope,
                          hashlib.sha256(canonical.encode()).hexdigest()))
        signature = hmac.digest(_signing_key(self.secret, when[:8]), text.encode(), "sha256").hex()
        claims = f"Credential={self.key_id}/{scope}, SignedHeaders={SIGNED_HEADERS}"
        lines = [
            f"{method} {target}{'?' if fields else ''}{fields} HTTP/1.1", f"Host: {host}",
            f"X-Amz-Date: {when}", f"X-Amz-Content-Sha256: {PAYLOAD}",
            f"Authorization: AWS4-HMAC-SHA256 {claims}, Signature={signature}"]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def connect(self) -> socket.socket:
        """Return a connection."""
        return connect(self.address)

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[Head, bytes]:
        """Return the whole answer, which must be 200, to a request on its own connection."""
        with self.connect() as sock:
            head = self.request(method, path, query, None if body is None else len(body))
            return exchange(sock, head + (body or b""))


def receive(sock: socket.socket, size: int, *, digest: bool = False) -> str:
    """Receive an answer of `size` bytes and keep none; return its SHA-256 where asked to."""
    head = read_head(sock)
    expect(head, head.rest[:500], 200)
    state, room = hashlib.sha256(head.rest), bytearray(DISCARD)
    left, flags = size - len(head.rest), 0 if digest else socket.MSG_TRUNC
    while left:
        got = sock.recv_into(room, min(left, DISCARD), flags)
        if not got:
            raise BenchError(f"{left} of {size} bytes did not come")
        if digest:
            state.update(memoryview(room)[:got])
        left -= got
    return state.hexdigest() if digest else ""


@cache
def _signing_key(secret: str, date: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for word in (date, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key
