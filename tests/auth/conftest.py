"""Cheap password hashes, a users file, and clocks that are set by hand."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

import pytest
from passlib.context import CryptContext

from app.auth import writer
from app.auth.authenticator import Authenticator
from app.auth.directory import Directory
from app.auth.guard import Guard
from app.auth.password_way import PasswordWay
from app.auth.passwords import SCHEMES, Passwords
from app.auth.users import UserDirectory
from app.settings import AuthSettings
from app.state.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHEAP = CryptContext(
    schemes=list(SCHEMES), deprecated="auto", argon2__memory_cost=64, argon2__time_cost=1,
    argon2__parallelism=1, bcrypt__rounds=4, scrypt__rounds=4, pbkdf2_sha256__rounds=10,
    pbkdf2_sha512__rounds=10, sha512_crypt__rounds=1000)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Counting(Passwords):
    """Counts how often a hash is computed to check a password, and for whom."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.checked: list[str | None] = []

    def verify(self, password: str, password_hash: str | None) -> bool:
        self.checked.append(password_hash)
        return super().verify(password, password_hash)


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def scheme_hash(scheme: str, password: str) -> str:
    return str(CHEAP.handler(scheme).hash(password))


def password_authenticator(
    settings: AuthSettings, users: UserDirectory, store: SqliteStore, passwords: Passwords,
    *, clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time,
) -> Authenticator:
    """Return what asks the one way `password`."""
    guard = Guard(settings, store, clock=clock, wall_clock=wall_clock)
    ways = [PasswordWay(users, guard, passwords=passwords)]
    return Authenticator(ways, guard, Directory(ways, [users]), settings.realm)


class Gate:
    """An authenticator over a users file with alice, whose password is `right`."""

    def __init__(self, directory: Path, settings: AuthSettings) -> None:
        self.clock = Clock()
        self.wall_clock = Clock()
        self.passwords = Counting()
        self.file = directory / "users.yaml"
        self.settings = settings
        self.store = SqliteStore(directory / "state.db", clock=self.wall_clock)
        writer.add_user(self.file, "alice", {
            "password": CHEAP.hash("right"), "hadoop_user": "hdfs-alice", "root": "/data",
            "read_only": True, "roles": ["admin"]})
        self.users = UserDirectory(self.file, clock=self.clock)
        self.authenticator = self.worker()

    def worker(self) -> Authenticator:
        """Return another authenticator over the same file and store, as another worker has."""
        return password_authenticator(
            self.settings, self.users, self.store, self.passwords, clock=self.clock,
            wall_clock=self.wall_clock)

    def add(self, name: str, password_hash: str, **fields: bool) -> None:
        writer.add_user(self.file, name, {"password": password_hash, **fields})
        self.clock.now += 2


@pytest.fixture
def auth_settings() -> AuthSettings:
    return AuthSettings()


@pytest.fixture
def gate(tmp_path: Path, auth_settings: AuthSettings) -> Gate:
    return Gate(tmp_path, auth_settings)
