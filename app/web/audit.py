"""The audit log: one JSON object a line, one line a request, refusals included.

A line tells who did what to which path with which outcome, and never a secret: no header goes
in, and of the query only the paths. Lines are written by one `write` each, so that the lines of
several workers do not mix.
"""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import InvalidRequest
from app.web.query import parse_query

if TYPE_CHECKING:
    from app.web.exchange import Exchange
    from app.web.query import Query

_log = logging.getLogger(__name__)
EXTENSION = "httpfs_proxy.audit"
"""Where the application keeps its audit log among its extensions."""
_MAX_PATH = 8000
_REOPEN_SECONDS = 1.0


class AuditLog:
    """Appends lines to a file, to standard output (`-`) or to nothing (empty)."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._descriptor = 1 if target == "-" else -1
        self._checked = 0.0
        if target not in ("-", ""):
            self._reopen()

    def write(self, exchange: Exchange, seconds: float, *, complete: bool) -> None:
        """Write the line of a finished exchange; a full disk stops no request."""
        if self._target:
            self._append(_line(exchange, seconds, complete=complete))

    def write_malformed(self, address: str, status: int, reason: str) -> None:
        """Write the line of what the server refused and no application saw: no valid HTTP."""
        if self._target:
            self._append(_malformed(address, status, reason))

    def _append(self, line: str) -> None:
        if self._target != "-" and time.monotonic() - self._checked > _REOPEN_SECONDS:
            self._follow()
        try:
            os.write(self._descriptor, line.encode() + b"\n")
        except OSError as error:
            _log.error("the audit line could not be written (%s): %s", error.strerror, line)

    def _follow(self) -> None:
        try:
            self._reopen()
        except OSError as error:
            _log.error("the audit log %s could not be opened again, the old file is written on: %s",
                       self._target, error.strerror)

    def _reopen(self) -> None:
        """Open the file unless it is the one that is open: logrotate may have moved it away."""
        self._checked = time.monotonic()
        try:
            if self._descriptor >= 0 and os.path.samestat(
                    Path(self._target).stat(), os.fstat(self._descriptor)):
                return
        except OSError:
            pass
        opened = os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = opened


def _line(exchange: Exchange, seconds: float, *, complete: bool) -> str:
    """Return the JSON text; written out, as it is one line in each request's time."""
    principal = exchange.principal
    query = exchange.query if exchange.query is not None else _query_of(exchange)
    user = principal.name if principal else exchange.claimed_user
    path = exchange.path[:_MAX_PATH] or _named(query, "path")
    destination = _named(query, "destination") or _named(query, "dst")
    handed_over = exchange.handover.length if exchange.handover else 0
    return (
        f'{{"time":"{_now()}",'
        f'"id":{_quoted(exchange.request_id)},'
        f'"user":{_quoted(user) if user else "null"},'
        f'"hadoopUser":{_quoted(principal.hadoop_user) if principal else "null"},'
        f'"auth":{_quoted(exchange.auth) if exchange.auth else "null"},'
        f'"token":{_quoted(principal.token) if principal and principal.token else "null"},'
        f'"address":{_quoted(exchange.origin.address)},'
        f'"method":{_quoted(exchange.method[:16])},'
        f'"operation":{_quoted(exchange.operation) if exchange.operation else "null"},'
        f'"path":{"null" if path is None else _quoted(path)},'
        f'"destination":{"null" if destination is None else _quoted(destination)},'
        f'"status":{exchange.status},'
        f'"error":{_quoted(exchange.error) if exchange.error else "null"},'
        f'"bytesIn":{exchange.bytes_in},"bytesOut":{exchange.bytes_out},'
        f'"bytesHandedOver":{handed_over},'
        f'"seconds":{round(float(seconds), 6)!r},'
        f'"complete":{"true" if complete else "false"}}}')


def _malformed(address: str, status: int, reason: str) -> str:
    return json.dumps({
        "time": _now(), "id": None, "user": None,
        "address": address, "method": None, "operation": "malformed", "path": None,
        "status": status, "error": reason, "complete": True,
    }, separators=(",", ":"))


def _now() -> str:
    """Return the time in UTC, with milliseconds."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}+00:00"


@lru_cache(2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def _query_of(exchange: Exchange) -> Query:
    """Return the query of a request that was refused before it was parsed."""
    try:
        return parse_query(exchange.environ.get("QUERY_STRING", ""))
    except InvalidRequest:
        return {}


def _named(query: Query, name: str) -> str | None:
    return query[name][0][:_MAX_PATH] if name in query else None
