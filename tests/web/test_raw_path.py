"""The path as it was sent, from what different servers tell of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidRequest
from app.web.raw_path import decoded, is_known, raw_path


@pytest.mark.parametrize(("environ", "path"), [
    ({"RAW_URI": "/a//b%2Fc?x=1"}, "/a//b%2Fc"), ({"REQUEST_URI": "/a?b?c"}, "/a"),
    ({"RAW_URI": "http://host:80/a/b?x"}, "/a/b"), ({"RAW_URI": "HTTPS://host"}, "/"),
    ({"RAW_URI": "?x"}, "/"), ({"PATH_INFO": "/a b/\xc3\xa9%"}, "/a%20b/%C3%A9%25"),
    ({"RAW_URI": "", "PATH_INFO": "/x"}, "/x")])
def test_the_path(environ: dict[str, Any], path: str) -> None:
    assert raw_path(environ) == path
    assert is_known(environ) == (bool(environ.get("RAW_URI")) or "REQUEST_URI" in environ)


@given(st.text().filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_what_was_encoded_is_decoded(text: str) -> None:
    assert decoded(quote(text)) == text


@pytest.mark.parametrize("text", ["%", "a%2", "%zz", "%ff", "\xe9", "%c3%28"])
def test_what_is_no_encoded_text(text: str) -> None:
    with pytest.raises(InvalidRequest):
        decoded(text)


def test_a_plus_is_a_plus() -> None:
    assert decoded("a+b%2B") == "a+b+"
