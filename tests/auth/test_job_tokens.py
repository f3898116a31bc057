"""Tokens of jobs: good for a few objects, for a while, as long as their user is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.auth import job_tokens
from app.auth.job_tokens import Grant, JobTokens
from app.core.errors import AccessDenied, NotAuthenticated
from app.core.identity import Principal
from app.state.sqlite import SqliteStore
from tests.gateway import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GRANT = Grant("alice", "in", "out", ".sort-1/")


class User:
    def __init__(self) -> None:
        self.principal = Principal("alice", "alice")
        self.active = True


class Users(dict[str, User]):
    def find(self, name: str) -> User | None:
        return self.get(name)


@pytest.fixture
def users() -> Users:
    return Users(alice=User())


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.db")


@pytest.fixture
def tokens(store: SqliteStore, users: Any) -> Iterator[JobTokens]:
    return JobTokens(store, users)


def test_a_token_stands_for_its_user(tokens: JobTokens, users: Users) -> None:
    token = tokens.mint(GRANT)
    assert tokens.find(f"Bearer {token}") == (users["alice"].principal, GRANT)
    for wrong in (f"Bearer {token}x", f"Bearer {token[:-1]}", "Bearer ", f"Bearer {token} x"):
        with pytest.raises(NotAuthenticated):
            tokens.find(wrong)


def test_a_token_is_good_for_nothing_once_its_user_is_not(
    tokens: JobTokens, users: Users,
) -> None:
    token = tokens.mint(GRANT)
    users["alice"].active = False
    with pytest.raises(NotAuthenticated):
        tokens.find(f"Bearer {token}")
    users.clear()
    with pytest.raises(NotAuthenticated):
        tokens.find(f"Bearer {token}")


def test_a_token_ends_when_it_is_revoked_or_not_prolonged(
    tokens: JobTokens, monkeypatch: pytest.MonkeyPatch,
) -> None:
    revoked = tokens.mint(GRANT)
    tokens.revoke(revoked)
    with pytest.raises(NotAuthenticated):
        tokens.find(f"Bearer {revoked}")
    prolonged = tokens.mint(GRANT)
    monkeypatch.setattr(job_tokens, "LIFE_SECONDS", 0.2)
    forgotten = tokens.mint(GRANT)

    def is_over() -> bool:
        try:
            tokens.find(f"Bearer {forgotten}")
        except NotAuthenticated:
            return True
        return False

    wait_for("the end of the token", is_over)
    tokens.find(f"Bearer {prolonged}")
    monkeypatch.setattr(job_tokens, "LIFE_SECONDS", 60.0)
    tokens.prolong(prolonged, GRANT)
    tokens.find(f"Bearer {prolonged}")


def test_the_store_does_not_know_the_token(tokens: JobTokens, store: SqliteStore) -> None:
    token = tokens.mint(GRANT)
    assert token not in str(list(store.scan("job-tokens")))


@pytest.mark.parametrize(("method", "bucket", "key"), [
    ("GET", "out", ".sort-1/0"), ("GET", "other", "x"), ("PUT", "in", ".sort-1/0"),
    ("PUT", "out", "x"), ("PUT", "out", ".sort-2/0"), ("DELETE", "out", ".sort-1/0"),
    ("DELETE", "in", "x"), ("POST", "in", "x"), ("POST", "out", ".sort-1/0"),
    ("PATCH", "out", ".sort-1/0"),
])
def test_a_token_opens_a_few_objects_only(method: str, bucket: str, key: str) -> None:
    GRANT.check("GET", "in", "any/thing")
    GRANT.check("HEAD", "in", "any/thing")
    GRANT.check("PUT", "out", ".sort-1/0")
    with pytest.raises(AccessDenied):
        GRANT.check(method, bucket, key)
