"""The documented Python script from its first line to its last, run by a Python that has boto 2.49.

Arguments: key id, secret, port, path, "plain" or "tls". What differs from the document: there
is a key; Python 3 compares text with text; the second upload in parts is the one that is
cancelled, as one that is complete cannot be; and the object it left is deleted before the bucket.
"""

from __future__ import annotations

import math
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import boto  # noqa: E402
import boto.s3.connection  # noqa: E402
from filechunkio import FileChunkIO  # noqa: E402

key_id, secret, port, path, protection = sys.argv[1:]

conn = boto.connect_s3(
    aws_access_key_id=key_id,
    aws_secret_access_key=secret,
    host="localhost",
    port=int(port),
    path=path,
    is_secure=protection == "tls",
    calling_format=boto.s3.connection.OrdinaryCallingFormat(),
)

bucket_name = "bucket-for-testing"
bucket = conn.create_bucket(bucket_name)

small_object_key = "small.txt"
small_object_content = "Hello World!"

key = bucket.new_key(small_object_key)
key.set_contents_from_string(small_object_content)
assert small_object_content == key.get_contents_as_string(encoding="utf-8")

large_object_key = "large.txt"
large_object_file = Path("8mb.data")
large_object_file.write_bytes(bytes(8 * 1048576))

key = bucket.new_key(large_object_key)
with large_object_file.open("rb") as file:
    key.set_contents_from_file(file)
large_object = large_object_file.read_bytes()
assert large_object == key.get_contents_as_string()

assert [key.name for key in bucket.list()] == [large_object_key, small_object_key]
bucket.delete_key(small_object_key)
bucket.delete_key(large_object_key)


def upload_in_parts(chunk_size: int) -> Any:
    """Begin an upload and send all of its parts."""
    upload = bucket.initiate_multipart_upload(large_object_file.name)
    source_size = large_object_file.stat().st_size
    chunk_count = math.ceil(source_size / chunk_size)
    for i in range(chunk_count):
        offset = chunk_size * i
        size = min(chunk_size, source_size - offset)
        with FileChunkIO(large_object_file.name, "r", offset=offset, bytes=size) as chunk:
            upload.upload_part_from_file(chunk, part_num=i + 1)
    assert len(list(upload)) == chunk_count
    return upload


# The documented parts of 1 MiB, at the documented place; elsewhere Amazon's least size holds.
least = 1048576 if path == "/api/v1/s3" else 5 * 1048576
mp = upload_in_parts(least)
mp.complete_upload()
assert large_object == bucket.get_key(large_object_file.name).get_contents_as_string()

mp = upload_in_parts(least)
mp.cancel_upload()

bucket.delete_key(large_object_file.name)
conn.delete_bucket(bucket_name)
print("done")
