"""multipart/form-data and its policy: any split, any condition, and what is no form or policy."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.core.object_errors import InvalidPolicyDocument
from app.s3 import policy
from app.s3.errors import S3Error
from app.s3.forms import MAX_FIELDS, Form, boundary_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BOUNDARY = b"----WebKitFormBoundary7MA4"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def encoded(
    fields: Sequence[tuple[str, str]], content: bytes, *, filename: str = "a.txt",
    behind: bytes = b"",
) -> bytes:
    parts = [b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
        BOUNDARY, name.encode(), value.encode()) for name, value in fields]
    parts.append(b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
                 b"Content-Type: text/plain\r\n\r\n%s\r\n" % (BOUNDARY, filename.encode(), content))
    return b"".join(parts) + behind + b"--%s--\r\n" % BOUNDARY


def split(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    last = 0
    for cut in sorted(cut % (len(data) + 1) for cut in cuts):
        yield data[last:cut]
        last = cut
    yield data[last:]


CONTENT = st.one_of(
    st.binary(max_size=500),
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", BOUNDARY[:-1], b"x"]),
             max_size=40).map(b"".join))
CUTS = st.lists(st.integers(0, 1 << 16), max_size=15)


@given(CONTENT, CUTS)
def test_any_split_gives_the_same(content: bytes, cuts: list[int]) -> None:
    fields = [("key", "a/${filename}"), ("X-Amz-Meta-A", "b ü"), ("empty", "")]
    form = Form(split(encoded(fields, content), cuts), BOUNDARY)
    assert form.fields == {"key": "a/${filename}", "x-amz-meta-a": "b ü", "empty": ""}
    assert form.filename == "a.txt"
    assert b"".join(form.content()) == content


@given(st.binary(max_size=400), CUTS)
def test_nonsense_is_refused(data: bytes, cuts: list[int]) -> None:
    with pytest.raises(S3Error):
        list(Form(split(b"--" + BOUNDARY + b"\r\n" + data, cuts), BOUNDARY).content())


@given(CONTENT, st.integers(0, 1 << 16), CUTS)
def test_a_form_cut_short_is_refused(content: bytes, end: int, cuts: list[int]) -> None:
    whole = encoded([("key", "a")], content)
    short = whole[:end % (len(whole) - len(b"--\r\n"))]
    with pytest.raises(S3Error):
        list(Form(split(short, cuts), BOUNDARY).content())


def test_what_stands_behind_the_file_does_not_count() -> None:
    behind = b'--%s\r\nContent-Disposition: form-data; name="key"\r\n\r\nother\r\n' % BOUNDARY
    pieces = iter([encoded([("key", "a")], b"content", behind=behind), b"x" * 100])
    form = Form(pieces, BOUNDARY)
    assert b"".join(form.content()) == b"content"
    assert form.fields == {"key": "a"}
    assert list(pieces) == []


def test_the_first_of_two_fields_counts() -> None:
    form = Form([encoded([("key", "a"), ("KEY", "b")], b"")], BOUNDARY)
    assert form.fields == {"key": "a"}


@pytest.mark.parametrize(("given_name", "expected"), [
    ("C:\\dir\\a.txt", "a.txt"), ("/etc/passwd", "passwd"), ("ü ñ.txt", "ü ñ.txt"), ("", "")])
def test_names_of_files(given_name: str, expected: str) -> None:
    data = encoded([], b"", filename=given_name.replace("\\", "\\\\"))
    assert Form([data], BOUNDARY).filename == expected


def test_a_file_without_a_name() -> None:
    data = (b'--%s\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--%s--\r\n' % (
        BOUNDARY, BOUNDARY))
    assert b"".join(Form([data], BOUNDARY).content()) == b"abc"


@pytest.mark.parametrize(("data", "code"), [
    (b"--%s--\r\n" % BOUNDARY, "InvalidArgument"),
    (b'--%s\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--%s--\r\n' % (
        BOUNDARY, BOUNDARY), "InvalidArgument"),
    (encoded([("a", "b" * MAX_FIELDS)], b""), "MaxPostPreDataLengthExceededError"),
    (encoded([("a" * 100, "b" * 400)] * 50, b""), "MaxPostPreDataLengthExceededError"),
    (b"--%s\r\nX: %s" % (BOUNDARY, b"y" * 2 * MAX_FIELDS), "MaxPostPreDataLengthExceededError"),
    (b"--%s\r\nX: y\r\n\r\nb\r\n--%s--\r\n" % (BOUNDARY, BOUNDARY), "MalformedPOSTRequest"),
    (b'--%s\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--%s--\r\n' % (
        BOUNDARY, BOUNDARY), "MalformedPOSTRequest"),
    (b"", "MalformedPOSTRequest"),
    (b"key=value", "MalformedPOSTRequest"),
])
def test_what_is_no_form(data: bytes, code: str) -> None:
    with pytest.raises(S3Error) as raised:
        Form([data], BOUNDARY)
    assert raised.value.code == code


def test_the_fields_are_not_held_beyond_their_limit() -> None:
    """A field that does not end is given up, however small its pieces are."""
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        yield b'--%s\r\nContent-Disposition: form-data; name="a"\r\n\r\n' % BOUNDARY
        while True:
            read += 1000
            yield b"b" * 1000

    with pytest.raises(S3Error, match="too large"):
        Form(pieces(), BOUNDARY)
    assert read < 3 * MAX_FIELDS


@pytest.mark.parametrize(("kind", "code"), [
    ("application/x-www-form-urlencoded", "PreconditionFailed"), ("", "PreconditionFailed"),
    ("multipart/form-data", "MalformedPOSTRequest"),
    ("multipart/form-data; boundary=" + "a" * 300, "MalformedPOSTRequest"),
])
def test_content_types_that_are_none(kind: str, code: str) -> None:
    with pytest.raises(S3Error) as raised:
        boundary_of(kind)
    assert raised.value.code == code


def test_a_boundary() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"


# --- policies


def document(conditions: Any, **more: Any) -> str:
    given_document = {"expiration": "2026-01-01T01:00:00.000Z", "conditions": conditions} | more
    return base64.b64encode(json.dumps(given_document).encode()).decode()


def test_conditions_that_hold() -> None:
    made = policy.read(document([
        {"bucket": "b"}, ["eq", "$KEY", "k"], ["starts-with", "$x-amz-meta-a", ""],
        ["starts-with", "$content-type", "image/"], ["content-length-range", 1, "10"]]))
    made.check({"bucket": "b", "key": "k", "x-amz-meta-a": "any", "content-type": "image/png",
                "policy": "p", "x-amz-signature": "s", "x-ignore-this": "i"}, NOW)
    made.check_size(1, whole=True)
    made.check_size(10, whole=True)
    made.check_size(0, whole=False)
    with pytest.raises(S3Error, match="smaller"):
        made.check_size(0, whole=True)
    with pytest.raises(S3Error, match="exceeds the maximum"):
        made.check_size(11, whole=False)


@pytest.mark.parametrize(("fields", "message"), [
    ({"key": "other", "bucket": "b"}, r'Policy Condition failed: \["eq","\$key","k"\]'),
    ({"bucket": "b"}, "Policy Condition failed"),
    ({"key": "k", "bucket": "b", "acl": "private"}, "Extra input fields: acl"),
    ({"key": "k"}, r'\["eq", "\$bucket", "b"\]'),
])
def test_conditions_that_fail(fields: dict[str, str], message: str) -> None:
    with pytest.raises(S3Error, match=message) as raised:
        policy.read(document([["eq", "$key", "k"], {"bucket": "b"}])).check(fields, NOW)
    assert raised.value.code == "AccessDenied"


def test_a_list_of_types() -> None:
    made = policy.read(document([["starts-with", "$Content-Type", "text/"]]))
    made.check({"content-type": "text/plain, text/html"}, NOW)
    with pytest.raises(S3Error, match="Policy Condition failed"):
        made.check({"content-type": "text/plain, image/jpeg"}, NOW)


def test_expired() -> None:
    made = policy.read(document([]))
    made.check({}, NOW + timedelta(minutes=59))
    with pytest.raises(S3Error, match="Policy expired"):
        made.check({}, NOW + timedelta(hours=1))


@pytest.mark.parametrize(("text", "message"), [
    ("", "found End-of-Input"), ("invalid_base64", "invalid Base64"),
    (base64.b64encode(b"no json").decode(), "Invalid JSON"),
    (base64.b64encode(b"[]").decode(), "Invalid JSON"),
    (base64.b64encode(b"[" * 100_000).decode(), "Invalid JSON"),
    (base64.b64encode(b'{"conditions": []}').decode(), "missing expiration"),
    (base64.b64encode(b'{"expiration": "2026-01-01T00:00:00Z"}').decode(), "missing conditions"),
    (document([], expiration=True), "Invalid JSON"),
    (document([], expiration="soon"), "Invalid 'expiration' value: 'soon'"),
    (document(True), "must be a List"), (document([], extra="x"), 'Unexpected: "extra"'),
    (document([True]), "must be a List or Object"), (document([[]]), "missing operation"),
    (document([["like", "$a", "b"]]), "unknown operation 'like'"),
    (document([["eq", "$a", "b", "c"]]), "Invalid eq: wrong number"),
    (document([["eq", 1, "b"]]), "Invalid JSON"), (document([["eq", "$a", 1]]), "Invalid JSON"),
    (document([["content-length-range", 1]]), "wrong number"),
    (document([["content-length-range", "a", 2]]), "Invalid JSON"),
    (document([["content-length-range", 3, 2]]), "no range"),
    (document([{"a": "b", "c": "d"}]), "exactly one property"),
    (document([{"a": 1}]), "must be a string"),
])
def test_what_is_no_policy(text: str, message: str) -> None:
    with pytest.raises(InvalidPolicyDocument, match=message):
        policy.read(text)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(),
              st.sampled_from(["eq", "starts-with", "content-length-range", "$key"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner)),
    max_leaves=12)


@given(JSON, JSON)
def test_any_document_is_a_policy_or_refused(conditions: Any, expiration: Any) -> None:
    for text in (document(conditions), document([conditions]), document([], expiration=expiration)):
        with suppress(GatewayError):
            policy.read(text).check({"key": "k"}, NOW)
