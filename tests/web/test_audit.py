"""The audit log's file: rotated, gone, out of reach; requests go on."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from app.web import audit
from app.web.audit import AuditLog
from app.web.exchange import Exchange, begin

if TYPE_CHECKING:
    from pathlib import Path


def an_exchange() -> Exchange:
    """Return one request of nobody."""
    environ: dict[str, Any] = {
        "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "REQUEST_METHOD": "GET", "QUERY_STRING": "path=x"}
    return begin(environ, ())


@pytest.fixture(autouse=True)
def _always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_REOPEN_SECONDS", -1.0)


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    target = tmp_path / "audit.jsonl"
    log = AuditLog(str(target))
    log.write(an_exchange(), 0.1, complete=True)
    target.rename(tmp_path / "audit.jsonl.1")
    log.write(an_exchange(), 0.1, complete=True)
    for file in (target, tmp_path / "audit.jsonl.1"):
        assert json.loads(file.read_text())["path"] == "x"


def test_a_file_that_cannot_be_opened_again_stops_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    log = AuditLog(str(directory / "audit.jsonl"))
    directory.rename(tmp_path / "moved")
    with caplog.at_level(logging.ERROR):
        log.write(an_exchange(), 0.1, complete=True)
    assert "audit" in caplog.text
    assert json.loads((tmp_path / "moved" / "audit.jsonl").read_text())["path"] == "x"
