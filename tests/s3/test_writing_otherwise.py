"""PutObject by other ways than a signed header: presigned URLs, Basic, Alluxio's form."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.gateway import PASSWORD
from tests.s3.conftest import PREFIX, REGION, code_of, fresh_bucket, refusal, world_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn
CONTENT = b"by another way"
SHA256 = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
ETAG = f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'


def ask(method: str, url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=60)


def put(url: str, data: Any = CONTENT, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.put(url, data=data, timeout=60, headers={
            name.replace("_", "-"): value for name, value in headers.items()})


def presigned(s3: World, path: str, method: str = "PUT") -> str:
    """Return a URL whose query has been signed as it stands, no header but Host with it."""
    request = AWSRequest(method, f"http://{urlsplit(s3.url).netloc}{path}")
    S3SigV4QueryAuth(Credentials(*s3.key_of["someone"]), "s3", REGION, 60).add_auth(request)
    return str(request.url)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url(s3: World, bucket: str, version: str) -> None:
    client = s3.client(signature_version=version)
    url = client.generate_presigned_url("put_object", Params={
        "Bucket": bucket, "Key": "a b/ü", "ContentType": "text/x-own"})
    answer = put(url, Content_Type="text/x-own")
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == ETAG
    got = client.get_object(Bucket=bucket, Key="a b/ü")
    assert (got["Body"].read(), got["ContentType"]) == (CONTENT, "text/x-own")
    assert code_of(put(url, Content_Type="text/html")) == (403, "SignatureDoesNotMatch")


def test_headers_in_the_query(s3: World, client: Any, bucket: str) -> None:
    url = presigned(s3, f"/{bucket}/key?x-amz-meta-a=b%20c&x-amz-tagging=t%3D1"
                        f"&x-amz-checksum-sha256={SHA256.replace('+', '%2B').replace('=', '%3D')}"
                        "&x-amz-sdk-checksum-algorithm=SHA256")
    answer = put(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-amz-checksum-sha256"] == SHA256
    assert client.head_object(Bucket=bucket, Key="key")["Metadata"] == {"a": "b c"}
    assert client.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [
        {"Key": "t", "Value": "1"}]
    assert code_of(put(url, b"other")) == (400, "BadDigest")
    refused = presigned(s3, f"/{bucket}/key?x-amz-acl=public-read")
    assert code_of(put(refused)) == (400, "AccessControlListNotSupported")


@pytest.mark.parametrize("condition", [
    "x-amz-if-match-size=1",
    "x-amz-if-match-last-modified-time=Wed%2C%2021%20Oct%202015%2007%3A28%3A00%20GMT"])
def test_conditions_of_a_deletion_in_the_query(
    s3: World, client: Any, bucket: str, condition: str,
) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=CONTENT)
    refused = presigned(s3, f"/{bucket}/key?{condition}", "DELETE")
    assert code_of(ask("DELETE", refused)) == (412, "PreconditionFailed")
    matching = presigned(s3, f"/{bucket}/key?x-amz-if-match-size={len(CONTENT)}", "DELETE")
    assert ask("DELETE", matching).status_code == 204
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


def test_an_upload_of_another_time_than_in_the_query_stays(
    s3: World, client: Any, bucket: str,
) -> None:
    upload = client.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    url = presigned(s3, f"/{bucket}/key?uploadId={upload}&x-amz-if-match-initiated-time="
                        "Wed%2C%2021%20Oct%202015%2007%3A28%3A00%20GMT", "DELETE")
    assert code_of(ask("DELETE", url)) == (412, "PreconditionFailed")
    assert "Parts" not in client.list_parts(Bucket=bucket, Key="key", UploadId=upload)


def test_attributes_that_the_query_names(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="key", Body=CONTENT)
    url = presigned(s3, f"/{bucket}/key?attributes&x-amz-object-attributes=ObjectSize", "GET")
    answer = ask("GET", url)
    assert answer.status_code == 200, answer.text
    assert f"<ObjectSize>{len(CONTENT)}</ObjectSize>" in answer.text


@pytest.mark.parametrize(("kind", "of_nothing"), [
    ("crc32", "AAAAAA%3D%3D"), ("sha1", "2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D")])
def test_a_checksum_of_nothing_in_the_query(
    s3: World, client: Any, bucket: str, kind: str, of_nothing: str,
) -> None:
    query = f"x-amz-checksum-{kind}={of_nothing}&x-amz-sdk-checksum-algorithm={kind.upper()}"
    url = presigned(s3, f"/{bucket}/key?{query}")
    answer = put(url)
    assert answer.status_code == 200, answer.text
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == CONTENT
    assert put(url, b"").status_code == 200
    upload = client.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    part = put(presigned(s3, f"/{bucket}/key?partNumber=1&uploadId={upload}&{query}"))
    assert (part.status_code, part.headers.get("ETag")) == (200, ETAG), part.text


def test_version_2_does_not_sign_headers_in_the_query(s3: World, bucket: str) -> None:
    client = s3.client(signature_version="s3")
    url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "key"})
    assert put(f"{url}&x-amz-meta-a=b&x-amz-tagging=t%3D1&x-amz-acl=public-read").status_code == 200
    assert client.head_object(Bucket=bucket, Key="key")["Metadata"] == {}
    assert client.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


def test_a_copy_whose_source_is_in_the_query(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="a/source", Body=CONTENT)
    client.put_object(Bucket=bucket, Key="key", Body=b"what was there")
    target = f"/{bucket}/key?x-amz-copy-source=%2F{bucket}%2Fa%252Fsource"
    unlike = presigned(s3, f"{target}&x-amz-copy-source-if-match=other")
    assert code_of(put(unlike, b"")) == (412, "PreconditionFailed")
    copied = put(presigned(s3, target), b"")
    assert copied.status_code == 200, copied.text
    assert b"CopyObjectResult" in copied.content
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == CONTENT


def test_a_part_whose_source_is_in_the_query(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="source", Body=CONTENT)
    upload = client.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    copied = put(presigned(s3, f"/{bucket}/key?partNumber=1&uploadId={upload}"
                               f"&x-amz-copy-source={bucket}%2Fsource"), b"")
    assert b"CopyPartResult" in copied.content
    part, = client.list_parts(Bucket=bucket, Key="key", UploadId=upload)["Parts"]
    assert part["Size"] == len(CONTENT)


def test_the_owner_that_a_presigned_url_expects(s3: World, bucket: str) -> None:
    url = f"/{bucket}/key?x-amz-expected-bucket-owner="
    assert code_of(put(presigned(s3, f"{url}nobody"))) == (403, "AccessDenied")
    assert put(presigned(s3, f"{url}alice")).status_code == 200


def test_as_curl_puts_it(s3: World, client: Any, bucket: str) -> None:
    """As in Alluxio's documents: an ETag, no body; a length is not asked for."""

    def unsized() -> Iterator[bytes]:
        yield CONTENT

    for data in (CONTENT, unsized()):
        answer = s3.gateway.request("PUT", f"{PREFIX}/{bucket}/dir/testobject", data=data,
                                    auth=("someone", PASSWORD))
        assert answer.status_code == 200
        assert answer.headers["ETag"] == ETAG
        assert (answer.headers["Content-Length"], answer.content) == ("0", b"")
        assert "Content-Type" not in answer.headers
        assert client.get_object(Bucket=bucket, Key="dir/testobject")["Body"].read() == CONTENT
        client.delete_object(Bucket=bucket, Key="dir/testobject")


def test_without_a_limit_an_object_may_be_of_any_size(s3: World, bucket: str) -> None:
    """This one is declared to have 6 TiB, and then has not."""
    answer = s3.send("PUT", f"/{bucket}/key", data=b"1\r\nx\r\n0\r\n\r\n", signed={
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(6 << 40)})
    assert code_of(answer) == (400, "IncompleteBody")


def test_a_limit_on_bodies(tmp_path: Path) -> None:
    for limited in world_in(tmp_path, settings={"web": {"max_body": 1000}}, workers=1):
        client = limited.client()
        bucket = fresh_bucket(client)
        client.put_object(Bucket=bucket, Key="key", Body=bytes(1000))
        asked = {"Bucket": bucket, "Key": "key"}
        large = (400, "EntityTooLarge")
        assert refusal(client.put_object, **asked, Body=bytes(1001)) == large
        upload = client.create_multipart_upload(**asked)["UploadId"]
        assert refusal(client.upload_part, **asked, UploadId=upload, PartNumber=1,
                       Body=bytes(1001)) == large
        streaming = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                     "x-amz-decoded-content-length": "1001"}
        assert code_of(limited.send("PUT", f"/{bucket}/key", signed=streaming)) == large
        form = client.generate_presigned_post(bucket, "key")
        posted = requests.post(form["url"], data=form["fields"], files={"file": bytes(2000)},
                               timeout=60)
        assert code_of(posted) == large
        assert client.head_object(**asked)["ContentLength"] == 1000


def test_the_same_name_as_a_directory(s3: World, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="a/b", Body=CONTENT)
    assert code_of(s3.send("PUT", f"/{bucket}/a", data=b"x")) == (409, "NameTaken")
    assert code_of(s3.send("PUT", f"/{bucket}/a/b/c", data=b"x")) == (409, "NameTaken")
    assert client.get_object(Bucket=bucket, Key="a/b")["Body"].read() == CONTENT
