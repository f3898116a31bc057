"""Names of headers with underscores: metadata is kept apart, all others are gone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from app.web.server import pre_request
from app.web.underscored import taken_out, underscored


def request(*headers: tuple[str, str]) -> Any:
    return SimpleNamespace(headers=list(headers), body=None, unreader=None)


def test_nothing_to_take_out() -> None:
    given = request(("HOST", "a"), ("X-AMZ-META-A-B", "1"))
    assert taken_out(given) == {}
    assert given.headers == [("HOST", "a"), ("X-AMZ-META-A-B", "1")]


def test_metadata_is_kept_and_all_else_is_dropped() -> None:
    given = request(("X_FORWARDED_FOR", "10.0.0.1"), ("X-AMZ-META-A_B", "1"), ("HOST", "a"),
                    ("TRANSFER_ENCODING", "chunked"), ("X-AMZ-META-A_B", "2"),
                    ("X_AMZ-META-C", "3"))
    assert taken_out(given) == {"x-amz-meta-a_b": "1,2"}
    assert given.headers == [("HOST", "a")]


def test_it_comes_beside_the_environment() -> None:
    given = request(("X-AMZ-META-A_B", "1"))
    pre_request(None, given)
    assert underscored({"wsgi.input": given.body}) == {"x-amz-meta-a_b": "1"}
    assert underscored({"wsgi.input": object()}) == {}
