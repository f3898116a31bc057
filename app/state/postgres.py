"""The state store in PostgreSQL, for gateways on several hosts.

One table, made by whoever comes first; each call is one statement that commits by itself, with
the server's clock. What has expired is gone for every reader, and deleted as others are written.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from app.core.errors import StorageFault
from app.state.pg_session import Session, explain
from app.state.pool import ANSWER_SECONDS, CONNECT_SECONDS, Pool
from app.state.server_url import ServerUrl, parse, wrong
from app.state.swapping import SwappingStore, key_bytes, key_text
from app.state.values import milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

PORT = 5432
SCAN_PAGE = 500
PURGE_SECONDS = 60.0
PURGE_RECORDS = 1000
_OPTIONS = ("sslmode", "sslrootcert")
_MODES = ("disable", "require", "verify-full")
_LONGEST_ID = 1000
"""Octets; an index of PostgreSQL takes rows of some 2,700."""

_LIVE = "space = :space AND id = :id AND (expires IS NULL OR expires > now())"
_EXPIRES = "now() + CAST(:ttl AS float8) * interval '1 millisecond'"
_GET = f"SELECT value FROM httpfs_proxy.records WHERE {_LIVE}"  # noqa: S608 constant text
_PUT = f"""INSERT INTO httpfs_proxy.records AS kept (space, id, key, value, expires)
    VALUES (:space, :id, :key, :value, {_EXPIRES})
    ON CONFLICT (space, id) DO UPDATE SET value = excluded.value, expires = excluded.expires"""  # noqa: S608
_ADD = f"{_PUT} WHERE kept.expires <= now() RETURNING 1"
_SWAP = f"""UPDATE httpfs_proxy.records SET value = :value, expires = {_EXPIRES}
    WHERE {_LIVE} AND value = :before RETURNING 1"""  # noqa: S608
_DELETE = f"DELETE FROM httpfs_proxy.records WHERE {_LIVE} RETURNING 1"  # noqa: S608
_SWAP_OUT = f"""DELETE FROM httpfs_proxy.records WHERE {_LIVE} AND value = :before
    RETURNING 1"""  # noqa: S608
_SCAN = f"""SELECT id, key, value FROM httpfs_proxy.records WHERE space = :space AND id > :after
    AND (expires IS NULL OR expires > now()) ORDER BY id LIMIT {SCAN_PAGE}"""  # noqa: S608
_PURGE = f"""DELETE FROM httpfs_proxy.records WHERE (space, id) IN
    (SELECT space, id FROM httpfs_proxy.records WHERE expires <= now() LIMIT {PURGE_RECORDS}
    FOR UPDATE SKIP LOCKED) RETURNING 1"""  # noqa: S608


class PostgresStore(SwappingStore):
    """A `Store` in the database that `url` names; it is connected to at the first call.

    `makes` says whether the table is made where it is missing.
    """

    def __init__(
        self, url: str, *, answer_seconds: float = ANSWER_SECONDS, makes: bool = True,
    ) -> None:
        server = parse(url, port=PORT, options=_OPTIONS)
        if not server.user or not server.database:
            raise wrong("a postgresql: URL names a user and a database:"
                        " postgresql://user:password@host:5432/database")
        self._pool = Pool[Session](
            _Driver(server, answer_seconds, makes=makes), answer_seconds=answer_seconds)
        self._purge_at = 0.0

    def close(self) -> None:
        """Close the idle connections of this process; the store can be used again."""
        self._pool.close()

    def _read(self, space: str, key: str) -> str | None:
        rows = self._run(_GET, repeatable=True, **_names(space, key))
        return str(rows[0][0]) if rows else None

    def _put(self, space: str, key: str, text: str, ttl: float | None) -> None:
        self._write(f"{_PUT} RETURNING 1", **_names(space, key), key=key_bytes(key), value=text,
                    ttl=_lasts(ttl))

    def _add(self, space: str, key: str, text: str, ttl: float | None) -> bool:
        return self._write(_ADD, **_names(space, key), key=key_bytes(key), value=text,
                           ttl=_lasts(ttl))

    def _swap(self, space: str, key: str, before: str, after: str, ttl: float | None) -> bool:
        return self._write(
            _SWAP, **_names(space, key), value=after, ttl=_lasts(ttl), before=before)

    def _remove(self, space: str, key: str, before: str | None) -> bool:
        if before is None:
            return self._write(_DELETE, **_names(space, key))
        return self._write(_SWAP_OUT, **_names(space, key), before=before)

    def _page(
        self, space: str, after: bytes,
    ) -> tuple[Sequence[tuple[str, str]], bytes | None]:
        rows = self._run(_SCAN, repeatable=True, space=_bounded(space), after=after)
        page = [(key_text(key), str(text)) for _, key, text in rows]
        return page, rows[-1][0] if len(rows) == SCAN_PAGE else None

    def _write(self, statement: str, **values: Any) -> bool:
        changed = bool(self._run(statement, repeatable=False, **values))
        if time.monotonic() >= self._purge_at:
            # What was to be written is written; the dead may also be buried by the next one.
            self._purge_at = time.monotonic() + PURGE_SECONDS
            with contextlib.suppress(StorageFault):
                self._purge()
        return changed

    def _purge(self) -> None:
        """Remove expired records, some at a time so that no write takes long."""
        if len(self._run(_PURGE, repeatable=True)) == PURGE_RECORDS:
            self._purge_at = 0.0

    def _run(self, statement: str, *, repeatable: bool, **values: Any) -> list[list[Any]]:
        return self._pool.run(
            lambda session: session.run(statement, **values), repeatable=repeatable)


class _Driver:
    """Sessions of PostgreSQL."""

    def __init__(self, server: ServerUrl, answer_seconds: float, *, makes: bool) -> None:
        self.shown = server.shown
        self._server = server
        self._makes = makes
        self._answer_seconds = answer_seconds
        self._tls = _tls(server)

    def connect(self) -> Session:
        server = self._server
        plain = socket.create_connection(
            (server.host, server.port), min(CONNECT_SECONDS, self._answer_seconds))
        plain.settimeout(self._answer_seconds)
        return Session(plain, server, self._tls, self._answer_seconds, makes=self._makes)

    def is_stale(self, connection: Session) -> bool:
        return connection.has_news()

    def close(self, connection: Session) -> None:
        connection.close()

    def explain(self, error: Exception) -> str:
        return explain(error)


def _tls(server: ServerUrl) -> ssl.SSLContext | None:
    """Return how TLS is spoken, None for not at all."""
    mode = server.options.get("sslmode", "verify-full")
    if mode not in _MODES:
        raise wrong(f"the sslmode of a postgresql: URL is one of {', '.join(_MODES)}")
    if mode == "disable":
        return None
    try:
        context = ssl.create_default_context(cafile=server.options.get("sslrootcert"))
    except OSError as error:
        raise wrong(f"sslrootcert cannot be read: {error.strerror or 'no certificate'}") from None
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _names(space: str, key: str) -> dict[str, bytes]:
    return {"space": _bounded(space), "id": _bounded(key)}


def _bounded(text: str) -> bytes:
    """Return what stands for a space or key in an index: itself, or its digest if it is long."""
    raw = key_bytes(text)
    return b"=" + raw if len(raw) <= _LONGEST_ID else b"~" + hashlib.sha256(raw).digest()


def _lasts(ttl: float | None) -> int | None:
    return None if ttl is None else milliseconds(ttl)
