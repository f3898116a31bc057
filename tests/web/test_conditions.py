"""Validators and conditions (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from werkzeug.datastructures import Headers

from app.core.errors import PreconditionFailed
from app.core.model import FileStatus, FileType
from app.web import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_700_049_600_000
"""2023-11-15T12:00:00Z in milliseconds."""
LONGEST = 2**63 - 1
"""What HDFS takes as a time: all of Java's long."""


def status(modified: int = NOON) -> FileStatus:
    """Return the status of a file."""
    return FileStatus(FileType.FILE, "", "644", 5, 1024, 0, modified, "alice", "staff", 1, 77)


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the host live in a time zone of its own."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        yield
    time.tzset()


def test_a_write_takes_the_tag_of_the_compressed_answer_too() -> None:
    tag = conditions.etag_of(status(), conditions.GZIP_SUFFIX)
    conditions.check_write(Headers({"If-Match": tag}), status())
    with pytest.raises(PreconditionFailed, match="If-None-Match"):
        conditions.check_write(Headers({"If-None-Match": tag}), status())


def test_a_write_takes_no_tag_of_another_version() -> None:
    tag = conditions.etag_of(status(NOON + 1), conditions.GZIP_SUFFIX)
    with pytest.raises(PreconditionFailed, match="If-Match"):
        conditions.check_write(Headers({"If-Match": tag}), status())
    conditions.check_write(Headers({"If-None-Match": tag}), status())


def test_a_read_tells_the_compressed_answer_from_the_plain_one() -> None:
    plain, packed = (conditions.etag_of(status(), s) for s in ("", conditions.GZIP_SUFFIX))
    assert conditions.not_modified(Headers({"If-None-Match": packed}), status(), packed)
    assert not conditions.not_modified(Headers({"If-None-Match": packed}), status(), plain)


@pytest.mark.parametrize("modified", [0, NOON, 253_402_300_799_999, LONGEST])
def test_every_time_that_hdfs_takes_has_an_http_date(modified: int) -> None:
    assert conditions.last_modified_of(status(modified)).endswith(" GMT")


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize("date", [
    "Wed, 15 Nov 2023 12:00:00 GMT", "Wednesday, 15-Nov-23 12:00:00 GMT",
    "Wed Nov 15 12:00:00 2023"])
def test_the_three_forms_of_an_http_date_are_in_utc(date: str) -> None:
    since = Headers({"If-Modified-Since": date})
    assert conditions.not_modified(since, status(NOON), '"x"')
    assert not conditions.not_modified(since, status(NOON + 1000), '"x"')
