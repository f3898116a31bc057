"""Multipart uploads over the wire: completed, refused, aborted, listed; Alluxio's form of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import PASSWORD
from tests.s3.conftest import PREFIX, code_of, refusal
from tests.s3.uploading import MIB, base64_of, begin, complete, etag_of, put_parts
from tests.s3.wire import names_in

if TYPE_CHECKING:
    from tests.s3.conftest import World

pytestmark = pytest.mark.gunicorn


# --- completion


def test_conditions_on_completion(client: Any, bucket: str) -> None:
    put = client.put_object(Bucket=bucket, Key="key", Body=b"old")
    upload = begin(client, bucket)
    parts = put_parts(client, upload, b"new")
    for params, expected in (
        ({"IfNoneMatch": "*"}, (412, "PreconditionFailed")),
        ({"IfMatch": '"abc"'}, (412, "PreconditionFailed")),
        ({"IfNoneMatch": put["ETag"]}, (412, "PreconditionFailed")),
        ({"IfNoneMatch": '"abc"', "IfMatch": put["ETag"]}, (501, "NotImplemented")),
    ):
        assert refusal(complete, client=client, upload=upload, parts=parts, **params) == expected
    complete(client, upload, parts, IfMatch=put["ETag"])
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"new"


def test_the_size_of_the_object(s3: World, client: Any, bucket: str) -> None:
    upload = begin(client, bucket)
    parts = put_parts(client, upload, b"12345")
    document = "".join(f"<Part><PartNumber>1</PartNumber><ETag>{part['ETag']}</ETag></Part>"
                       for part in parts)
    for size, status in (("4", 400), ("-5", 400), ("x", 400), ("5", 200)):
        answer = s3.send(
            "POST", f"/{bucket}/key?uploadId={upload['UploadId']}",
            data=f"<CompleteMultipartUpload>{document}</CompleteMultipartUpload>".encode(),
            signed={"x-amz-mp-object-size": size})
        assert answer.status_code == status, answer.text


def test_what_does_not_complete(client: Any, bucket: str) -> None:
    upload = begin(client, bucket, ChecksumAlgorithm="CRC32")
    parts = put_parts(client, upload, b"1", b"2")
    first, second = parts
    for named, params, expected in (
        (parts, {}, (400, "EntityTooSmall")),
        ([second, first], {}, (400, "InvalidPartOrder")),
        ([first, second, first], {}, (400, "InvalidPartOrder")),
        ([first, first | {"ETag": '"abc"'}], {}, (400, "InvalidPart")),
        ([first | {"PartNumber": 3}], {}, (400, "InvalidPart")),
        ([first | {"ETag": '"abc"'}], {}, (400, "InvalidPart")),
        ([first | {"ChecksumCRC32": base64_of(1, 4)}], {}, (400, "InvalidPart")),
        ([first | {"PartNumber": 0}], {}, (400, "InvalidArgument")),
        ([first | {"ChecksumCRC32": "!"}], {}, (400, "InvalidArgument")),
        ([first | {"ChecksumSHA1": "Kq5sNclPz7QV2+lfQIuc6R7oRu0="}], {}, (400, "InvalidArgument")),
        ([first], {"ChecksumType": "FULL_OBJECT"}, (400, "InvalidRequest")),
        ([first], {"ChecksumType": "SOME"}, (400, "InvalidRequest")),
        ([first], {"ChecksumCRC32": "!"}, (400, "BadDigest")),
        ([first], {"ChecksumCRC32C": base64_of(1, 4)}, (400, "BadDigest")),
    ):
        assert refusal(complete, client=client, upload=upload, parts=named, **params) == expected, (
            named, params)
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    assert len(client.list_parts(**upload)["Parts"]) == 2


@pytest.mark.parametrize("body", [
    b"", b"x", b"<CompleteMultipartUpload/>", b"<Other><Part/></Other>",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>a</PartNumber><ETag/></Part></CompleteMultipartUpload>",
    b'<!DOCTYPE a [<!ENTITY b "c">]><CompleteMultipartUpload>&b;</CompleteMultipartUpload>',
])
def test_documents_that_are_none(s3: World, client: Any, bucket: str, body: bytes) -> None:
    upload = begin(client, bucket)
    answer = s3.send("POST", f"/{bucket}/key?uploadId={upload['UploadId']}", data=body)
    assert code_of(answer) == (400, "MalformedXML")


def test_a_document_without_end(s3: World, client: Any, bucket: str) -> None:
    upload = begin(client, bucket)
    answer = s3.send("POST", f"/{bucket}/key?uploadId={upload['UploadId']}", data=bytes(9 * MIB))
    assert code_of(answer) == (400, "MaxMessageLengthExceeded")


def test_uploads_that_are_not_there(client: Any, bucket: str) -> None:
    upload = begin(client, bucket)
    parts = put_parts(client, upload, b"1")
    for other in ({"UploadId": "0" * 44}, {"UploadId": "../x"}, {"Key": "another"}):
        named = upload | other
        assert refusal(client.upload_part, **named, PartNumber=1, Body=b"1") == (
            404, "NoSuchUpload")
        assert refusal(client.list_parts, **named) == (404, "NoSuchUpload")
        assert refusal(client.abort_multipart_upload, **named) == (404, "NoSuchUpload")
        assert refusal(complete, client=client, upload=named, parts=parts) == (404, "NoSuchUpload")
    for ask in (client.create_multipart_upload, client.list_multipart_uploads):
        key = {"Key": "key"} if ask == client.create_multipart_upload else {}
        assert refusal(ask, Bucket="no-such-bucket", **key) == (404, "NoSuchBucket")


def test_aborted(s3: World, client: Any, bucket: str) -> None:
    upload = begin(client, bucket)
    put_parts(client, upload, b"1", b"2")
    initiated = client.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["Initiated"]
    assert refusal(client.abort_multipart_upload, **upload,
                   IfMatchInitiatedTime=initiated + timedelta(seconds=1)) == (
                       412, "PreconditionFailed")
    answer = client.abort_multipart_upload(**upload, IfMatchInitiatedTime=initiated)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(client.list_parts, **upload) == (404, "NoSuchUpload")
    assert names_in(s3, bucket) == 0


# --- uploads under way


def test_uploads_listed(client: Any, bucket: str) -> None:
    keys = ["b", "a/1", "a/2", "a/1", "c&<"]
    ids = [begin(client, bucket, key)["UploadId"] for key in keys]
    listed = client.list_multipart_uploads(Bucket=bucket)
    assert [(one["Key"], one["UploadId"]) for one in listed["Uploads"]] == [
        ("a/1", ids[1]), ("a/1", ids[3]), ("a/2", ids[2]), ("b", ids[0]), ("c&<", ids[4])]
    assert listed["IsTruncated"] is False
    assert listed["Uploads"][0]["Owner"]["ID"] == "alice"
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = client.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **marker)
        seen += [one["UploadId"] for one in page["Uploads"]]
        assert len(page["Uploads"]) <= 2
        if not page["IsTruncated"]:
            break
        marker = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert seen == [ids[1], ids[3], ids[2], ids[0], ids[4]]
    grouped = client.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=1)
    assert [one["Prefix"] for one in grouped["CommonPrefixes"]] == ["a/"]
    assert (grouped["IsTruncated"], grouped["NextKeyMarker"]) == (True, "a/")
    rest = client.list_multipart_uploads(Bucket=bucket, Delimiter="/", KeyMarker="a/")
    assert "CommonPrefixes" not in rest
    assert [one["Key"] for one in rest["Uploads"]] == ["b", "c&<"]
    assert [one["Key"] for one in client.list_multipart_uploads(
        Bucket=bucket, Prefix="a/2")["Uploads"]] == ["a/2"]
    assert client.list_multipart_uploads(Bucket=bucket, MaxUploads=0)["IsTruncated"] is False
    for params in ({"KeyMarker": "b", "UploadIdMarker": "x"}, {"MaxUploads": -1},
                   {"EncodingType": "base64"}):
        assert refusal(client.list_multipart_uploads, Bucket=bucket, **params) == (
            400, "InvalidArgument")
    quoted = client.list_multipart_uploads(Bucket=bucket, Prefix="c")["Uploads"]
    assert [one["Key"] for one in quoted] == ["c&<"]


# --- the form of Alluxio's REST API


def test_the_form_for_callers_who_do_not_sign(s3: World, bucket: str) -> None:
    def ask(method: str, query: str, data: bytes = b"") -> Any:
        return s3.gateway.request(method, f"{PREFIX}/{bucket}/testobject?{query}", data=data,
                                  auth=("someone", PASSWORD))

    begun = ask("POST", "uploads")
    upload_id = begun.text.partition("<UploadId>")[2].partition("<")[0]
    assert begun.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<InitiateMultipartUploadResult xmlns="">\n'
        f"  <Bucket>{bucket}</Bucket>\n  <Key>testobject</Key>\n"
        f"  <UploadId>{upload_id}</UploadId>\n</InitiateMultipartUploadResult>")
    part = ask("PUT", f"partNumber=1&uploadId={upload_id}", b"content")
    etag = part.headers["ETag"]
    listed = ask("GET", f"uploadId={upload_id}").text
    modified = listed.partition("<LastModified>")[2].partition("<")[0]
    assert listed == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListPartsResult xmlns="">\n'
        f"  <Bucket>{bucket}</Bucket>\n  <Key>testobject</Key>\n"
        f"  <UploadId>{upload_id}</UploadId>\n  <StorageClass>STANDARD</StorageClass>\n"
        "  <IsTruncated>false</IsTruncated>\n  <Part>\n    <PartNumber>1</PartNumber>\n"
        f"    <LastModified>{modified}</LastModified>\n    <ETag>{etag}</ETag>\n"
        "    <Size>7</Size>\n  </Part>\n</ListPartsResult>")
    small = ask("PUT", f"partNumber=2&uploadId={upload_id}", b"more")
    done = ask("POST", f"uploadId={upload_id}", (
        "\n<CompleteMultipartUpload>\n"
        f"  <Part>\n    <PartNumber>1</PartNumber>\n    <ETag>{etag}</ETag>\n  </Part>\n"
        f"  <Part>\n    <PartNumber>2</PartNumber>\n    <ETag>{small.headers['ETag']}</ETag>\n"
        "  </Part>\n</CompleteMultipartUpload>").encode())
    assert done.status_code == 200, done.text
    assert done.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUploadResult xmlns="">\n'
        f"  <Location>/{bucket}/testobject</Location>\n  <Bucket>{bucket}</Bucket>\n"
        f"  <Key>testobject</Key>\n  <ETag>{etag_of(b'content', b'more')}</ETag>\n"
        "</CompleteMultipartUploadResult>")
    assert ask("GET", "").text == "contentmore"
