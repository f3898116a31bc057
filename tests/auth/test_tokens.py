"""Access tokens: what is kept of them, what they open, and when they no longer do."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest

from app.auth.roles import RoleBook
from app.auth.token_way import TokenWay
from app.auth.tokens import MOST, Token, Tokens
from app.auth.users import UserDirectory
from app.auth.ways import Evidence
from app.core.auth_errors import InvalidToken
from app.core.errors import InvalidParameter, NotAuthenticated, ReadOnlyPrincipal
from app.core.path_rules import PathForbidden
from app.core.token_errors import NoSuchToken, TooManyTokens
from app.state.sqlite import SqliteStore

from .conftest import CHEAP, Clock

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.identity import Principal

DAY = 86400


class World:
    """A users file, a store, and a way over both; `now` is the clock of tokens."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "users.yaml"
        self.clock = Clock()
        self.clock.now = time.time()  # the store has the real one
        self.store = SqliteStore(directory / "state.sqlite")
        self.write()
        self.users = UserDirectory(self.file)
        self.tokens = Tokens(self.store, 30, clock=self.clock)
        book = RoleBook(self.users.roles)

        def find(name: str) -> object:
            user = self.users.find(name)
            return user and book.applied(user)

        self.way = TokenWay(self.tokens, find)  # type: ignore[arg-type]

    def write(self, **alice: object) -> None:
        """Write the users file; alice has what is given beside."""
        password = CHEAP.hash("x")
        self.file.write_text(json.dumps({
            "users": {"alice": {"password": password, "root": "/data/a*", "roles": ["team"],
                                **alice},
                      "bob": {"password": password}},
            "roles": {"team": {"rules": {"deny": ["**/secret"]}}}}))

    def enter(self, authorization: str) -> Principal | None:
        """Return who comes in with a header."""
        user = self.way.authenticate(Evidence(authorization, "192.0.2.1"))
        return user and user.principal


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def bearer(token: str) -> str:
    return f"Bearer {token}"


def basic(name: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()


def test_a_token_is_its_user_by_bearer_and_by_basic(world: World) -> None:
    text, token = world.tokens.create("alice", name="laptop")
    assert text.startswith("hfp_")
    for header in (bearer(text), basic("alice", text)):
        principal = world.enter(header)
        assert principal is not None
        assert (principal.name, principal.root, principal.token) == ("alice", "/data/a*", token.id)
        assert principal.roles == frozenset()
        assert not principal.read_only
        with pytest.raises(PathForbidden):  # what her roles deny stays denied
            principal.require_read("/data/a*/secret")
    assert world.enter("Bearer eyJhbGciOi.x.y") is None
    assert world.enter(basic("alice", "password")) is None


def test_the_store_has_no_token(world: World, tmp_path: Path) -> None:
    text, _ = world.tokens.create("alice")
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    assert text.encode() not in kept
    assert text[4:].encode() not in kept


def test_a_token_of_some_paths_opens_these_below_the_root(world: World) -> None:
    text, _ = world.tokens.create("alice", paths=["/in", "**/shared"], read_only=True)
    principal = world.enter(bearer(text))
    assert principal is not None
    for path in ("/data/a*/in/x", "/data/a*/b/shared/y"):
        principal.require_read(path)
        with pytest.raises(ReadOnlyPrincipal):
            principal.require_write(path)
    for path in ("/in/x", "/data/ab/in/x", "/data/a*/out", "/data/a*/in/secret", "/shared"):
        with pytest.raises(PathForbidden):
            principal.require_read(path)
    assert principal.sees("/data/a*")


def test_the_longest_pattern_opens_something_below_a_root_too(world: World) -> None:
    path = "/" + "b" * 199 + "/**" * 266 + "/c"  # 1,000 characters
    text, _ = world.tokens.create("alice", paths=[path])
    principal = world.enter(bearer(text))
    assert principal is not None
    principal.require_read("/data/a*/" + "b" * 199 + "/x/c")
    with pytest.raises(PathForbidden):
        principal.require_read("/data/a*/c")


@pytest.mark.parametrize("header", [
    bearer("hfp_" + "x" * 43), basic("alice", "hfp_" + "x" * 43), bearer("hfp_")])
def test_what_is_no_token(world: World, header: str) -> None:
    world.tokens.create("alice")
    with pytest.raises(NotAuthenticated):
        world.enter(header)


def test_the_name_must_be_the_users(world: World) -> None:
    text, _ = world.tokens.create("alice")
    with pytest.raises(NotAuthenticated):
        world.enter(basic("bob", text))


def test_a_token_ends(world: World) -> None:
    text, _ = world.tokens.create("alice", days=1)
    world.clock.now += DAY - 5
    assert world.enter(bearer(text))
    world.clock.now += 6
    with pytest.raises(InvalidToken):
        world.enter(bearer(text))
    assert not list(world.tokens.of("alice"))


def test_a_revoked_token_is_refused_by_whoever_shares_the_store_at_once(
    world: World, tmp_path: Path,
) -> None:
    text, token = world.tokens.create("alice")
    assert world.enter(bearer(text))
    Tokens(SqliteStore(tmp_path / "state.sqlite"), 30).revoke(token.id)
    with pytest.raises(InvalidToken):
        world.enter(bearer(text))
    with pytest.raises(NoSuchToken):
        world.tokens.revoke(token.id)
    assert world.way.holder(token.id, "alice") is None


def test_another_users_token_is_not_ones_own(world: World) -> None:
    _, token = world.tokens.create("alice")
    with pytest.raises(NoSuchToken):
        world.tokens.revoke(token.id, "bob")
    assert world.way.holder(token.id, "bob") is None
    assert [one.id for one in world.tokens.of("alice")] == [token.id]


@pytest.mark.parametrize("change", [{"active": False}, {"read_only": True}])
def test_a_token_is_never_more_than_its_user_by_now(
    world: World, change: dict[str, object],
) -> None:
    text, _ = world.tokens.create("alice")
    world.write(**change)
    world.users = UserDirectory(world.file)
    world.way = TokenWay(world.tokens, world.users.find)
    if "active" in change:
        with pytest.raises(NotAuthenticated):
            world.enter(bearer(text))
    else:
        principal = world.enter(bearer(text))
        assert principal is not None
        assert principal.read_only


def test_the_last_use_is_told_and_brings_no_token_back(world: World) -> None:
    text, token = world.tokens.create("alice")
    assert next(world.tokens.of("alice")).used == 0
    world.enter(bearer(text))
    assert next(world.tokens.of("alice")).used == int(world.clock.now)
    world.clock.now += 120
    world.tokens.revoke(token.id)
    with pytest.raises(NotAuthenticated):
        world.enter(bearer(text))
    assert list(world.tokens.of()) == []


@pytest.mark.parametrize(("given", "told"), [
    ({"days": 31}, "at most 30"), ({"days": 0}, "more than 0"), ({"days": -1}, "more than 0"),
    ({"days": float("nan")}, "more than 0"), ({"paths": ["in"]}, "begins neither"),
    ({"paths": ["/x"] * 51}, "at most 50"), ({"name": "x" * 201}, "at most 200"),
    ({"name": "a\nb"}, "printable"), ({"paths": ["/**/a" + "/b?" * 99]}, "at most 100 names"),
    ({"paths": ["/x/**/a/b"] * 34}, "at most 100 names"),
])
def test_what_no_token_can_be(world: World, given: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidParameter, match=told):
        world.tokens.create("alice", **given)  # type: ignore[arg-type]


def test_patterns_may_have_as_many_names_as_this(world: World) -> None:
    for paths in (["/x/**/a/b"] * 33, ["/a*" * 333] * 50, ["**/a"] * 50):
        world.tokens.create("alice", paths=paths)


def test_a_user_has_so_many(world: World) -> None:
    for _ in range(MOST):
        world.tokens.create("alice")
    with pytest.raises(TooManyTokens):
        world.tokens.create("alice")
    world.tokens.create("bob")
    assert world.tokens.revoke_all("alice") == MOST
    assert [token.user for token in world.tokens.of()] == ["bob"]


def test_a_token_keeps_what_it_was_given(world: World) -> None:
    _, token = world.tokens.create("alice", name="n", paths=["/a"], read_only=True, days=2)
    now = int(world.clock.now)
    assert token == Token(token.id, "alice", "n", ("/a",), True, now, now + 2 * DAY)
    assert list(world.tokens.of("alice")) == [token]
