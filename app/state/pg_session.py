"""One session with PostgreSQL, by `pg8000`: the table is there, and statements are prepared."""

from __future__ import annotations

import contextlib
import select
from typing import TYPE_CHECKING, Any

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

if TYPE_CHECKING:
    import ssl
    from socket import socket

    from app.state.server_url import ServerUrl

# What roles and databases may have set otherwise; and the server gives up a statement before its
# client does, so that nothing happens any more when the client has gone.
_SETTINGS = """SET statement_timeout = {timeout}; SET default_transaction_isolation =
'read committed'; SET bytea_output = 'hex'; SET search_path = pg_catalog"""
_LOOK = "SELECT to_regclass('httpfs_proxy.records'), to_regnamespace('httpfs_proxy')"
_LOCK = "SELECT pg_advisory_xact_lock(7454094921740365166)"
_SCHEMA = "CREATE SCHEMA IF NOT EXISTS httpfs_proxy"
_TABLE = """
CREATE TABLE IF NOT EXISTS httpfs_proxy.records (
    space bytea NOT NULL, id bytea NOT NULL, key bytea NOT NULL, value text NOT NULL,
    expires timestamptz, PRIMARY KEY (space, id)
);
CREATE INDEX IF NOT EXISTS records_expires ON httpfs_proxy.records (expires)
    WHERE expires IS NOT NULL
"""
"""`id` is the key or, where that is too long for an index, its digest."""


class Session:
    """A session over the connected socket `plain`, which is its own from now on."""

    def __init__(
        self, plain: socket, server: ServerUrl, tls: ssl.SSLContext | None, answer_seconds: float,
        *, makes: bool = True,
    ) -> None:
        # TLS takes the descriptor over into another object; the number stays.
        self._descriptor = plain.fileno()
        self._prepared: dict[str, Any] = {}
        try:
            self._connection: Any = Connection(
                server.user, host=server.host, database=server.database,
                password=server.password, sock=plain,
                ssl_context=False if tls is None else tls, application_name="httpfs-proxy")
        except BaseException:
            plain.close()
            raise
        try:
            self._prepare(answer_seconds, makes=makes)
        except BaseException:
            self.close()
            raise

    def run(self, statement: str, **values: Any) -> list[list[Any]]:
        """Run a statement with values for its `:names`; return the rows."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = self._connection.prepare(statement)
        rows: list[list[Any]] = prepared.run(**values)
        return rows

    def has_news(self) -> bool:
        """Tell whether there is something to read though nothing was asked: most often the end."""
        # Not select(): descriptors may be larger than 1,023.
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """End the session; a broken one too."""
        with contextlib.suppress(Exception):
            self._connection.close()

    def _prepare(self, answer_seconds: float, *, makes: bool) -> None:
        run = self._connection.run
        run(_SETTINGS.format(timeout=max(1, int(answer_seconds * 800))))
        table, schema = run(_LOOK)[0]
        if table is None and makes:
            # The lock makes one of several newcomers the first. Who may use a schema need not be
            # allowed to make one.
            run("; ".join([_LOCK, *([] if schema else [_SCHEMA]), _TABLE]))


def explain(error: BaseException) -> str:
    """Return what an error says: the server's own words and code where it spoke."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for each in chain:
        if isinstance(each, DatabaseError) and each.args and isinstance(each.args[0], dict):
            # The detail is left out: it quotes values.
            return f"{each.args[0].get('M', '')} ({each.args[0].get('C', '')})"
    return ": ".join(dict.fromkeys(str(each) or type(each).__name__ for each in chain))
