"""The WSGI application: parses a call, runs its operation, renders what HDFS would answer."""

import fcntl
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from app.embedded import inodes
from app.embedded.access import STICKY, Caller
from app.embedded.bodies import BrokenBodyError
from app.embedded.errors import HdfsError, invalid_parameter
from app.embedded.namespace import make_directory
from app.embedded.operations import OPERATIONS
from app.embedded.recovery import sweep
from app.embedded.requests import (
    JSON_TYPE,
    Request,
    Response,
    effective_user,
    parse_path,
    parse_query,
)
from app.embedded.schema import NOWHERE, ROOT_ID, install
from app.embedded.store import Options, Store
from app.embedded.trash import Emptier

_log = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_CHANGING: Final = frozenset({"PUT", "POST", "DELETE"})
_REASONS: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def create_server(
    directory: Path,
    *,
    superuser: str = "hdfs",
    supergroup: str = "supergroup",
    listing_page: int = 1000,
    replication: int = 3,
    blocksize: int = 128 * 1024 * 1024,
    min_blocksize: int = 1024 * 1024,
    trash_minutes: int = 1440,
    clock: Callable[[], int] = inodes.now,
) -> Application:
    """Make a WebHDFS server over a local directory, as a WSGI callable.

    The directory and its layout are created when missing; leases and removals that ended
    processes left behind are settled. Any number of processes may serve the same directory.
    Callers are trusted: `doas` or else `user.name` says who they are. `superuser` owns the root
    directory and may do all, `supergroup` is the group of what has no other. `replication` and
    `blocksize` are the defaults of new files, `listing_page` is the size of LISTSTATUS_BATCH
    pages. What was moved to a `.Trash` is removed after `trash_minutes` at the earliest, never
    where that is 0; `clock` tells the trash its milliseconds since the epoch. Raises OSError where
    the directory cannot be used, ValueError where it has another version's layout or
    `trash_minutes` is negative.
    """
    if trash_minutes < 0:
        raise ValueError(f"trash_minutes is {trash_minutes}; 0 (off) and more are allowed")
    options = Options(
        superuser=superuser,
        supergroup=supergroup,
        listing_page=listing_page,
        replication=replication,
        blocksize=blocksize,
        min_blocksize=min_blocksize,
        trash_minutes=trash_minutes,
    )
    store = Store(directory, options)
    _install(store)
    sweep(store)
    emptier = Emptier(store, clock)
    emptier.advance()
    store.database.close()
    return Server(store, emptier)


def _install(store: Store) -> None:
    for folder in (store.directory, store.directory / "leases"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.files.install()
    with _alone(store.directory):
        store.database.prepare()
        with store.database.write() as connection:
            install(connection)
            if inodes.by_id(connection, ROOT_ID) is None:
                _make_root(connection, store.options)


def _make_root(connection: sqlite3.Connection, options: Options) -> None:
    root = Caller(options.superuser, frozenset(), superuser=True)
    connection.execute(
        "INSERT INTO inodes (id, parent, name, is_dir, owner, grp, mode, mtime)"
        " VALUES (?, ?, NULL, 1, ?, ?, ?, ?)",
        (ROOT_ID, NOWHERE, root.name, options.supergroup, 0o755, inodes.now()),
    )
    make_directory(connection, "/tmp", root, STICKY | 0o777)  # noqa: S108 - HDFS's own
    make_directory(connection, "/user", root, 0o755)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait until no other process installs the layout, and keep others waiting."""
    descriptor = os.open(directory / "install.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Server:
    """A WebHDFS server; call it as WSGI does."""

    def __init__(self, store: Store, emptier: Emptier) -> None:
        self.store = store
        self._emptier = emptier
        self._callers: dict[str, Caller] = {}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] in _CHANGING:
            # Before the operation: a client that moves to the trash makes directories there first,
            # and they must still be there when it renames into them.
            self._emptier.advance()
        response = self._answer(environ)
        start_response(_REASONS[response.status], response.headers)
        return response.body

    def _answer(self, environ: dict[str, Any]) -> Response:
        try:
            return self._run(environ)
        except HdfsError as error:
            return _failure(error)
        except BrokenBodyError as error:
            return _failure(HdfsError("IOException", str(error)))
        except sqlite3.OperationalError as error:
            _log.exception("embedded WebHDFS: %s failed", environ.get("PATH_INFO"))
            busy = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            return _failure(HdfsError("RetriableException" if busy else "IOException", str(error)))
        except OSError as error:
            _log.exception("embedded WebHDFS: %s failed", environ.get("PATH_INFO"))
            return _failure(HdfsError("IOException", f"{type(error).__name__}: {error.strerror}"))

    def _run(self, environ: dict[str, Any]) -> Response:
        parameters = parse_query(environ.get("QUERY_STRING", ""))
        method = environ["REQUEST_METHOD"]
        table = OPERATIONS.get(method)
        if table is None:
            raise HdfsError("UnsupportedOperationException", f"{method} is not supported")
        name = parameters.get("op", "").upper()
        operation = table.get(name)
        if operation is None:
            raise _unknown(method, name)
        path = parse_path(environ.get("PATH_INFO", ""))
        caller = self._caller(effective_user(parameters))
        return operation(Request(self.store, environ, path, parameters, caller))

    def _caller(self, name: str) -> Caller:
        """Give the caller; on first sight in this process also make their home directory."""
        caller = self._callers.get(name)
        if caller is None:
            options = self.store.options
            superuser = name == options.superuser
            groups = {name, options.supergroup} if superuser else {name}
            caller = Caller(name, frozenset(groups), superuser)
            with suppress(HdfsError):  # a quota on /user is no reason to refuse the request
                self._make_home(name)
            self._callers[name] = caller
        return caller

    def _make_home(self, name: str) -> None:
        with self.store.database.read() as connection:
            users = inodes.child(connection, ROOT_ID, "user")
            if users is None or not users.is_dir or inodes.child(connection, users.id, name):
                return
        root = Caller(self.store.options.superuser, frozenset(), superuser=True)
        with self.store.change() as change:
            connection = change.connection
            make_directory(connection, f"/user/{name}", root, 0o755)
            home = inodes.child(connection, users.id, name)
            if home is not None and home.owner != name:
                inodes.update(connection, home.id, owner=name, grp=name)


def _unknown(method: str, name: str) -> HdfsError:
    if not name:
        return HdfsError("UnsupportedOperationException", "op=NULL is not supported")
    return invalid_parameter("op", f"{name} is not a valid {method} operation.")


def _failure(error: HdfsError) -> Response:
    exception = {
        "exception": error.name,
        "javaClassName": error.java_class,
        "message": error.message,
    }
    body = json.dumps({"RemoteException": exception}, ensure_ascii=False).encode(errors="replace")
    headers = [("Content-Type", JSON_TYPE), ("Content-Length", str(len(body)))]
    return Response(error.status, headers, (body,))
