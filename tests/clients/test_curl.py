"""curl: the documented lines with a password, and requests that curl signs itself."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.clients.endpoint import MIB, REGION, content
from tests.deploy.front import program
from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.endpoint import Endpoint

SEED_BUCKET = "testbucket"
LICENSE = b"A licence of the length that the documented one has.".ljust(26847, b"\n")
MD5 = hashlib.md5(LICENSE).hexdigest()
DATE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")
EMPTY_LISTING = (
    '<ListBucketResult xmlns=""><Name>/testbucket</Name><Prefix/><ContinuationToken/>'
    "<NextContinuationToken/><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>"
    "<IsTruncated>false</IsTruncated></ListBucketResult>")


class Answer(NamedTuple):
    """What `curl -i` shows last: a status, fields by lower-case names, and the body."""

    status: int
    fields: dict[str, str]
    body: bytes


class Curl:
    """`curl -i` with the documented arguments and `-u someone`."""

    def __init__(self, s3: Endpoint) -> None:
        self.s3 = s3
        self.license = s3.home / "LICENSE"
        self.license.write_bytes(LICENSE)

    def __call__(self, *arguments: str | Path) -> Answer:
        return self.run("-u", f"someone:{PASSWORD}", *arguments)

    def run(self, *arguments: str | Path) -> Answer:
        """Run curl without credentials of its own."""
        output = self.s3.home / "output"
        trusted = ["--cacert", self.s3.certificate] if self.s3.certificate else []
        self.s3.run(program("curl"), "-s", "-S", "-i", "--output", output, *trusted, *arguments)
        head, _, body = output.read_bytes().partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:])
        return Answer(int(lines[0].split()[1]),
                      {name.lower(): value for name, _, value in pairs}, body)

    def url(self, rest: str = "") -> str:
        """Return an address in the documented bucket."""
        return f"{self.s3.prefixed}/{SEED_BUCKET}{rest}"


@pytest.fixture
def curl(s3: Endpoint) -> Iterator[Curl]:
    client = Curl(s3)
    yield client
    s3.delete(f"/{SEED_BUCKET}")


def listed(keys: list[str], *, most: int = 1000, token: str = "", follows: str = "") -> str:
    """Return the documented listing of objects with the documented licence as their content."""

    def element(name: str, text: str) -> str:
        return f"<{name}>{text}</{name}>" if text else f"<{name}/>"

    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>DATE</LastModified><ETag></ETag>"
        f"<Size>{len(LICENSE)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys)
    return (
        f'<ListBucketResult xmlns=""><Name>/testbucket</Name><Prefix/>'
        f"{element('ContinuationToken', token)}{element('NextContinuationToken', follows)}"
        f"<KeyCount>{len(keys)}</KeyCount><MaxKeys>{most}</MaxKeys>"
        f"<IsTruncated>{'true' if follows else 'false'}</IsTruncated>{contents}"
        "</ListBucketResult>")


def dateless(body: bytes) -> str:
    """Return a body with DATE for every date in the documented form."""
    return DATE.sub(b"DATE", body).decode()


def test_the_documented_objects(curl: Curl) -> None:
    made = curl("-X", "PUT", curl.url())
    assert (made.status, made.fields["content-length"], made.body) == (200, "0", b"")
    empty = curl("-X", "GET", curl.url())
    assert (empty.status, empty.fields["content-type"]) == (200, "application/xml")
    assert empty.body.decode() == EMPTY_LISTING
    put = curl("-X", "PUT", "-T", curl.license, curl.url("/testobject"))
    assert (put.status, put.fields["etag"], put.body) == (200, f'"{MD5}"', b"")
    got = curl("-X", "GET", curl.url("/testobject"))
    assert (got.status, got.body) == (200, LICENSE)
    assert "last-modified" in got.fields
    assert dateless(curl("-X", "GET", curl.url()).body) == listed(["testobject"])
    # A file like any other, where HDFS's own shell sees it.
    assert curl.s3.stored(f"/{SEED_BUCKET}/testobject") == LICENSE
    for key in ("key1", "key2", "key3"):
        assert curl("-X", "PUT", "-T", curl.license, curl.url(f"/{key}")).status == 200
    first = curl("-X", "GET", curl.url("?max-keys=2"))
    assert dateless(first.body) == listed(["key1", "key2"], most=2, follows="key3")
    second = curl("-X", "GET", curl.url("?max-keys=2&continuation-token=key3"))
    assert dateless(second.body) == listed(["key3", "testobject"], most=2, token="key3")
    for key in ("key1", "key2", "key3", "testobject"):
        deleted = curl("-X", "DELETE", curl.url(f"/{key}"))
        assert (deleted.status, deleted.body) == (204, b"")
    assert curl("-X", "GET", curl.url()).body.decode() == EMPTY_LISTING
    assert curl("-X", "DELETE", curl.url()).status == 204
    assert curl("-X", "GET", curl.url()).status == 404


def test_the_documented_multipart_upload(curl: Curl) -> None:
    assert curl("-X", "PUT", curl.url()).status == 200
    begun = curl("-X", "POST", curl.url("/testobject?uploads"))
    found = UPLOAD_ID.search(begun.body)
    assert found, begun.body
    upload = found[1].decode()
    assert begun.body.decode().rstrip("\n") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<InitiateMultipartUploadResult xmlns="">\n'
        "  <Bucket>testbucket</Bucket>\n  <Key>testobject</Key>\n"
        f"  <UploadId>{upload}</UploadId>\n</InitiateMultipartUploadResult>")
    data = content("part", 10 * MIB)
    part = curl.s3.home / "part"
    part.write_bytes(data)
    md5 = hashlib.md5(data).hexdigest()
    sent = curl("-X", "PUT", "-T", part, curl.url(f"/testobject?partNumber=1&uploadId={upload}"))
    assert (sent.status, sent.fields["etag"]) == (200, f'"{md5}"')
    parts = curl("-X", "GET", curl.url(f"/testobject?uploadId={upload}"))
    assert dateless(parts.body).rstrip("\n") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListPartsResult xmlns="">\n'
        f"  <Bucket>testbucket</Bucket>\n  <Key>testobject</Key>\n  <UploadId>{upload}</UploadId>\n"
        "  <StorageClass>STANDARD</StorageClass>\n  <IsTruncated>false</IsTruncated>\n  <Part>\n"
        "    <PartNumber>1</PartNumber>\n    <LastModified>DATE</LastModified>\n"
        f'    <ETag>"{md5}"</ETag>\n    <Size>10485760</Size>\n  </Part>\n</ListPartsResult>')
    done = curl("-X", "POST", curl.url(f"/testobject?uploadId={upload}"), "-d", f"""
<CompleteMultipartUpload>
  <Part>
    <PartNumber>1</PartNumber>
    <ETag>"{md5}"</ETag>
  </Part>
</CompleteMultipartUpload>""")
    joined = hashlib.md5(hashlib.md5(data).digest()).hexdigest()
    assert done.status == 200
    # The documented <Location> lacks its end tag's beginning, and its ETag is the only part's.
    assert done.body.decode().rstrip("\n") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUploadResult xmlns="">\n'
        "  <Location>/testbucket/testobject</Location>\n  <Bucket>testbucket</Bucket>\n"
        f'  <Key>testobject</Key>\n  <ETag>"{joined}-1"</ETag>\n</CompleteMultipartUploadResult>')
    assert curl("-X", "GET", curl.url("/testobject")).body == data


def test_the_documented_abort(curl: Curl) -> None:
    assert curl("-X", "PUT", curl.url()).status == 200
    begun = UPLOAD_ID.search(curl("-X", "POST", curl.url("/testobject?uploads")).body)
    assert begun
    upload = begun[1].decode()
    target = curl.url(f"/testobject?partNumber=1&uploadId={upload}")
    assert curl("-X", "PUT", "-T", curl.license, target).status == 200
    aborted = curl("-X", "DELETE", curl.url(f"/testobject?uploadId={upload}"))
    assert (aborted.status, aborted.body) == (204, b"")
    assert curl("-X", "GET", curl.url(f"/testobject?uploadId={upload}")).status == 404
    assert curl("-X", "DELETE", curl.url()).status == 204
    assert SEED_BUCKET not in curl.s3.names("")


def test_a_wrong_password_and_none(curl: Curl) -> None:
    refused = curl.run("-u", "someone:wrong", curl.url("/testobject"))
    assert refused.status in (401, 403)
    assert b"<Code>" in refused.body
    assert curl.run("-X", "PUT", "-T", curl.license, curl.url("/testobject")).status == 403
    assert SEED_BUCKET not in curl.s3.names("")


@pytest.mark.parametrize("virtual", [False, True], ids=["path", "virtual-hosted"])
def test_requests_that_curl_signs(s3: Endpoint, bucket: str, *, virtual: bool) -> None:
    curl = Curl(s3)
    # Older releases of curl send no hash of the payload by themselves, which S3 wants.
    signed = ["--aws-sigv4", f"aws:amz:{REGION}:s3", "--user", f"{s3.key_id}:{s3.secret}",
              "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    place = f"{s3.url}/{bucket}"
    if virtual:
        host = f"{bucket}.localhost"
        port = s3.address.partition(":")[2]
        signed += ["--resolve", f"{host}:{port}:127.0.0.1", "--insecure"]
        place = f"{s3.url.partition(':')[0]}://{host}:{port}"
    put = curl.run(*signed, "-X", "PUT", "--data-binary", f"@{curl.license}", f"{place}/a%20b.txt")
    assert (put.status, put.fields.get("etag"), put.body) == (200, f'"{MD5}"', b"")
    assert s3.stored(f"/{bucket}/a b.txt") == LICENSE
    assert curl.run(*signed, f"{place}/a%20b.txt").body == LICENSE
    listing = curl.run(*signed, f"{place}/?list-type=2").body
    assert b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' in listing
    assert f"<Name>{bucket}</Name>".encode() in listing
    signed[3] += "x"
    wrong = curl.run(*signed, f"{place}/a%20b.txt")
    assert wrong.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in wrong.body
