"""Every operation of every dialect: what rules close is refused, not told, and stays as it is."""

from __future__ import annotations

import pytest

from tests.rules.asked import DIALECTS, all_names
from tests.rules.place import RULED, Place
from tests.rules.refusing import refused_of

pytestmark = pytest.mark.gunicorn


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_operation_is_forgotten(dialect: str) -> None:
    beside = {"DeleteObjects"} if dialect == "s3" else set()
    assert {ask.name for ask in DIALECTS[dialect]()} | beside == all_names()[dialect]


@pytest.mark.parametrize("user", RULED)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_closed_stays_closed(place: Place, dialect: str, user: str) -> None:
    before = place.fingerprint()
    wrong = refused_of(place, dialect, user)
    assert not wrong, "\n".join(wrong)
    assert place.fingerprint() == before
