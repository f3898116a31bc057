"""The audit log's file: rotated, gone, out of reach; requests go on."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.core.identity import Principal
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


ODD = 'a"b\\c\n\0\x7f\u00e9\u2028\U0001f600\ud800</script>'


def test_a_line_has_what_is_known_whatever_is_in_it(tmp_path: Path) -> None:
    target = tmp_path / "audit.jsonl"
    exchange = an_exchange()
    exchange.environ["REQUEST_METHOD"] = "PROPFIND" * 3
    exchange.principal = Principal(ODD, f"hadoop{ODD}", token=f"token{ODD}")
    exchange.auth, exchange.error, exchange.operation = f"auth{ODD}", f"error{ODD}", f"file{ODD}"
    exchange.query = {"path": [ODD], "dst": [f"to{ODD}"]}
    exchange.status, exchange.bytes_in, exchange.bytes_out = 206, 1 << 40, 3
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    AuditLog(str(target)).write(exchange, 1 / 3, complete=False)
    assert target.read_bytes().count(b"\n") == 1
    line = json.loads(target.read_text())
    assert before <= datetime.fromisoformat(line.pop("time")) <= datetime.now(UTC)
    assert line == {
        "id": exchange.request_id, "user": ODD, "hadoopUser": f"hadoop{ODD}",
        "auth": f"auth{ODD}", "token": f"token{ODD}", "address": "127.0.0.1",
        "method": "PROPFINDPROPFIND", "operation": f"file{ODD}", "path": ODD,
        "destination": f"to{ODD}", "status": 206, "error": f"error{ODD}", "bytesIn": 1 << 40,
        "bytesOut": 3, "bytesHandedOver": 0, "seconds": 0.333333, "complete": False}


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    target = tmp_path / "audit.jsonl"
    exchange = an_exchange()
    exchange.environ["QUERY_STRING"] = "path=&x"
    AuditLog(str(target)).write(exchange, 0, complete=True)
    line = json.loads(target.read_text())
    empty = {name for name, value in line.items() if value is None}
    assert empty == {"user", "hadoopUser", "auth", "token", "operation", "destination", "error"}
    assert (line["path"], line["seconds"], line["complete"]) == ("", 0, True)
