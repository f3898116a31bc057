"""Short JSON answers: what werkzeug would say of them, said without asking it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug import Response

from app.web.answers import JsonResponse

HEADERS = [("Content-Type", "application/json"), ("Content-Length", "4"), ("X-A", "b")]


def told(response: Response, method: str) -> tuple[Any, ...]:
    """Return status, headers and body of an answer."""
    said: list[Any] = []
    start: Any = lambda status, headers: said.extend((status, headers))  # noqa: E731
    answer = response(
        {"REQUEST_METHOD": method, "wsgi.url_scheme": "http", "HTTP_HOST": "h"}, start)
    body = b"".join(answer)
    close = getattr(answer, "close", None)
    if close:
        close()
    return (*said, body)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("status", [200, 201, 204, 304, 404])
def test_it_is_answered_as_by_werkzeug(method: str, status: int) -> None:
    assert told(JsonResponse([b"true"], status, HEADERS), method) == (
        told(Response([b"true"], status, HEADERS), method))


def test_what_is_to_be_done_at_the_end_is_done() -> None:
    done: list[str] = []
    response = JsonResponse([b"true"], 200, HEADERS)
    response.call_on_close(lambda: done.append("done"))
    told(response, "GET")
    assert done == ["done"]
