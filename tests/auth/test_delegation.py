"""How long delegation tokens are good, and how many a user may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.auth.delegation import BadToken, DelegationTokens
from app.core.token_errors import TooManyDelegationTokens
from app.sections import WebHdfsSettings

if TYPE_CHECKING:
    from .conftest import Gate


def tokens_of(gate: Gate, **settings: float) -> DelegationTokens:
    made = {"token_renew_seconds": 100.0, "token_max_seconds": 250.0, "max_tokens": 2, **settings}
    return DelegationTokens(
        gate.store, gate.users, WebHdfsSettings(**made),  # type: ignore[arg-type]
        gate.wall_clock)


def issued(tokens: DelegationTokens, user: str = "alice") -> str:
    return tokens.issue(user, user, "WEBHDFS delegation", "127.0.0.1:80")


def test_a_token_is_good_for_the_time_that_is_set_and_renewed_to_its_end(gate: Gate) -> None:
    tokens = tokens_of(gate)
    start = gate.wall_clock.now
    left, kept = issued(tokens), issued(tokens)
    gate.wall_clock.now = start + 90
    assert tokens.renew(kept, "alice") == start + 190
    gate.wall_clock.now = start + 101
    assert tokens.user_of(kept).principal.name == "alice"
    with pytest.raises(BadToken):
        tokens.user_of(left)
    gate.wall_clock.now = start + 180
    assert tokens.renew(kept, "alice") == start + 250, "longer than this no token lives"
    gate.wall_clock.now = start + 251
    with pytest.raises(BadToken):
        tokens.renew(kept, "alice")


def test_no_first_time_is_longer_than_a_tokens_life(gate: Gate) -> None:
    tokens = tokens_of(gate, token_max_seconds=50.0)
    token = issued(tokens)
    gate.wall_clock.now += 51
    with pytest.raises(BadToken):
        tokens.user_of(token)


def test_a_user_has_so_many_until_one_ends(gate: Gate) -> None:
    tokens = tokens_of(gate)
    first, _ = issued(tokens), issued(tokens)
    with pytest.raises(TooManyDelegationTokens, match="at most 2"):
        issued(tokens)
    issued(tokens, "bob")
    tokens.cancel(first, "alice")
    issued(tokens)
    with pytest.raises(TooManyDelegationTokens):
        issued(tokens)
    gate.wall_clock.now += 101
    issued(tokens)


def test_there_need_be_no_most(gate: Gate) -> None:
    tokens = tokens_of(gate, max_tokens=0)
    assert len({issued(tokens) for _ in range(5)}) == 5
