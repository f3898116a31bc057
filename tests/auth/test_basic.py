"""The Authorization header of RFC 7617."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.auth.basic import MAX_HEADER, challenge, parse
from app.core.errors import NotAuthenticated

CLEAN = st.characters(exclude_categories=("Cs",), exclude_characters=[
    *map(chr, range(32)), "\x7f"])
NAMES = st.text(CLEAN, min_size=1).filter(lambda name: ":" not in name)


def encoded(raw: bytes, scheme: str = "Basic ") -> str:
    return scheme + base64.b64encode(raw).decode()


def test_the_examples_of_the_rfc() -> None:
    assert parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == ("Aladdin", "open sesame")
    assert parse("Basic dGVzdDoxMjPCow==") == ("test", "123£")


@settings(deadline=None)
@given(name=NAMES, password=st.text(CLEAN), scheme=st.sampled_from(["Basic ", "basic ", "BASIC  "]))
def test_what_a_client_sends_is_what_is_read(name: str, password: str, scheme: str) -> None:
    raw = f"{name}:{password}".encode()
    if len(raw) * 4 // 3 > MAX_HEADER - 20:
        return
    assert parse(encoded(raw, scheme)) == (
        unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", password))


@settings(deadline=None)
@given(text=st.text() | st.binary().map(encoded) | st.text().map("Basic ".__add__))
def test_anything_else_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        name, password = parse(text)
    except NotAuthenticated:
        return
    assert name
    assert ":" not in name
    assert not any(c < " " or c == "\x7f" for c in name + password)


def test_composed_and_decomposed_are_the_same() -> None:
    decomposed = unicodedata.normalize("NFD", "josé:pässword")
    assert parse(encoded(decomposed.encode())) == ("josé", "pässword")


def test_the_first_colon_divides() -> None:
    assert parse(encoded(b"a:b:c:")) == ("a", "b:c:")


@pytest.mark.parametrize(("header", "reason"), [
    ("", "only the Basic"), ("Bearer abc", "only the Basic"), ("Basic", "base64"),
    ("BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==", "only the Basic"),
    ("Basic !!!", "base64"), ("Basic QQ", "base64"), ("Basic QQ=", "base64"),
    ("Basic QTpC QTpC", "base64"), ("Basic QTpC\r\nX: y", "base64"), ("Basic QTp\u0661", "base64"),
    (encoded(b"no colon"), "a name, a colon"), (encoded(b":password"), "a name, a colon"),
    (encoded(b"a:\xe9"), "UTF-8"), (encoded(b"\xff:b"), "UTF-8"),
    (encoded(b"a:\xed\xa0\x80"), "UTF-8"),
    (encoded(b"a\0:b"), "control"), (encoded(b"a:b\n"), "control"), (encoded(b"a:\x7f"), "control"),
    (encoded(b"a:" + b"b" * MAX_HEADER), f"more than {MAX_HEADER}"),
])
def test_what_is_refused_and_why(header: str, reason: str) -> None:
    with pytest.raises(NotAuthenticated, match=reason):
        parse(header)


def test_the_challenge_names_the_realm_and_utf_8() -> None:
    assert challenge("files") == 'Basic realm="files", charset="UTF-8"'
    assert challenge('a "b" \\') == 'Basic realm="a \\"b\\" \\\\", charset="UTF-8"'
