"""Multipart uploads by boto3, step by step."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

MIB = 1024 * 1024
FIRST, LAST = b"1" * (5 * MIB), b"2" * 1000


def begin(client: Any, bucket: str, key: str = "key", **params: Any) -> dict[str, Any]:
    """Return what names a new upload."""
    made = client.create_multipart_upload(Bucket=bucket, Key=key, **params)
    return {"Bucket": bucket, "Key": key, "UploadId": made["UploadId"]}


def put_parts(client: Any, upload: dict[str, Any], *contents: bytes, **params: Any) -> list[Any]:
    """Upload parts and return them as the completion names them."""
    parts = []
    for number, content in enumerate(contents, 1):
        put = client.upload_part(**upload, PartNumber=number, Body=content, **params)
        told = {name: value for name, value in put.items() if name.startswith("Checksum")}
        parts.append({"PartNumber": number, "ETag": put["ETag"], **told})
    return parts


def complete(client: Any, upload: dict[str, Any], parts: list[Any], **params: Any) -> Any:
    return client.complete_multipart_upload(
        **upload, MultipartUpload={"Parts": parts}, **params)


def etag_of(*contents: bytes) -> str:
    digests = b"".join(hashlib.md5(one, usedforsecurity=False).digest() for one in contents)
    return f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(contents)}"'


def base64_of(number: int, size: int) -> str:
    return base64.b64encode(number.to_bytes(size, "big")).decode()
