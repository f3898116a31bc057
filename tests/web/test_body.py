"""Request bodies as all dialects take them."""

from __future__ import annotations

import io

import pytest

from app.core.errors import Unsupported
from app.web.body import RequestBody
from app.web.exchange import begin


def body(coding: str) -> RequestBody:
    """Return the body of a request whose chunks the server has put together."""
    environ = {
        "REQUEST_METHOD": "PUT", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "gateway",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(b"packed"),
        "HTTP_TRANSFER_ENCODING": coding,
    }
    return RequestBody(begin(environ, ()), max_bytes=0, timeout=10)


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "identity, chunked", " chunked "])
def test_chunks_are_put_together(coding: str) -> None:
    body(coding).check()
    assert b"".join(body(coding).raw()) == b"packed"


@pytest.mark.parametrize("coding", ["gzip, chunked", "deflate,chunked", "chunked, chunked"])
def test_what_is_packed_on_the_way_is_not_taken_for_the_content(coding: str) -> None:
    with pytest.raises(Unsupported, match="Transfer-Encoding"):
        body(coding).check()
    for read in (body(coding).raw, body(coding).chunks):
        with pytest.raises(Unsupported, match="Transfer-Encoding"):
            next(read())
