"""Whatever is sent: an answer of Alluxio's form, and never a fault of the gateway's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.stream_errors import MalformedOptions
from app.streams.errors import AlluxioError
from app.streams.option_reading import read_options
from app.streams.options import ALL, BY_ACTION
from tests.streams.conftest import HOME, Alluxio, furnished

if TYPE_CHECKING:
    from tests.gateway import Gateway
    from tests.streams.conftest import Answer

pytestmark = pytest.mark.gunicorn
JSON = {"Content-Type": "application/json"}
BITS = st.sampled_from(["NONE", "READ", "read_write", "ALL"])
LIKELY = (st.none() | st.booleans() | st.sampled_from([-1, 0, 1, 3, 512, 2**31, 2**63 - 1, 1.5])
          | st.sampled_from(["", "alice", "bob", "ONCE", "Always", "DELETE", "CACHE", "READ", "1"])
          | st.fixed_dictionaries({}, optional={"ownerBits": BITS, "groupBits": BITS})
          | st.dictionaries(st.sampled_from(["ttl", "ttlAction", "syncIntervalMs", "a"]),
                            st.sampled_from([5, "FREE", None]), max_size=2))
NAMES = st.text(st.sampled_from("ab/.é:%+ \0\n'\"?#"), max_size=6)


def is_answer(answer: Answer) -> bool:
    """Tell whether an answer is one of Alluxio's, and none that says the gateway failed."""
    if answer.status == 200:
        return True
    if answer.status == 400 and answer.headers["Content-Type"] == "text/plain":
        return b"\n" not in answer.body
    return not answer.message.startswith("internal error") and bool(answer.code)


@pytest.fixture(scope="module")
def world(embedded_streams: Gateway) -> Alluxio:
    return furnished(embedded_streams)


@settings(max_examples=150, deadline=None)
@given(action=st.sampled_from(ALL), name=NAMES, data=st.data())
def test_any_options(world: Alluxio, action: str, name: str, data: st.DataObject) -> None:
    known = st.sampled_from(sorted(BY_ACTION[action]))
    options: dict[str, Any] = data.draw(st.dictionaries(known, LIKELY, max_size=3))
    query = {"rename": "dst", "mount": "src"}.get(action)
    target = f"/api/v1/paths/{quote(HOME)}/{quote(name)}/{action}"
    if query:
        target += f"?{query}={quote(HOME + '/' + data.draw(NAMES), safe='')}"
    body = json.dumps(options).encode()
    answer = world.raw("POST", target, body, JSON)
    assert is_answer(answer), (target, options, answer)
    try:
        read_options(action, body)
    except MalformedOptions:
        assert answer.status == 400
    except AlluxioError:
        assert answer.code == "UNIMPLEMENTED"
    else:
        assert answer.status in (200, 500)


@settings(max_examples=80, deadline=None)
@given(rest=st.text(st.sampled_from("/ab.%20fF?&=;:@" + "é"), max_size=12),
       action=st.sampled_from(["exists", "get-status", "list-status", "read", "info", ""]),
       kind=st.sampled_from(["paths", "streams", "proxy", ""]),
       method=st.sampled_from(["GET", "POST", "HEAD", "PUT"]))
def test_any_url(world: Alluxio, rest: str, action: str, kind: str, method: str) -> None:
    target = f"/api/v1/{kind}/{rest}/{action}".encode().decode("latin-1")
    answer = world.raw(method, quote(target, safe="/%?&=;:@."))
    assert answer.status < 600
    if method != "HEAD":
        assert is_answer(answer), (method, target, answer)


def test_nothing_of_it_was_a_fault(world: Alluxio) -> None:
    assert "Traceback" not in world.gateway.logged()
