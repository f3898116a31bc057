"""The options of each action: both generations' spellings, values as JSON has them, refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.stream_errors import MalformedOptions
from app.streams import table
from app.streams.errors import JSON_TYPE, AlluxioError
from app.streams.option_reading import read_options
from app.streams.options import ALL, BY_ACTION, BY_COMMON, OPTIONS, Fate, markdown_table
from tests.streams.conftest import HOME

if TYPE_CHECKING:
    from tests.streams.conftest import Alluxio

JSON = {"Content-Type": "application/json"}
MODE = {"ownerBits": "READ_WRITE", "groupBits": "READ", "otherBits": "NONE"}
CLIENTS: dict[str, list[dict[str, Any]]] = {
    "create-directory": [
        {"allowExists": True, "mode": MODE, "recursive": True, "writeType": "CACHE_THROUGH"},
        {"writeType": "NONE", "ttl": 5, "ttlAction": "FREE"},
        {"commonOptions": {"ttl": 5, "ttlAction": "FREE", "syncIntervalMs": -1}}],
    "create-file": [
        {"blockSizeBytes": 1048576, "locationPolicyClass": "alluxio.some.Policy", "mode": MODE,
         "recursive": True, "ttl": 3600000, "ttlAction": "DELETE", "writeType": "MUST_CACHE"},
        {"replicationDurable": 1, "replicationMax": 2, "replicationMin": 1, "writeTier": 0,
         "overwrite": True, "persistenceWaitTime": -1, "fileWriteLocationPolicy": "a.b"}],
    "delete": [{"recursive": True}, {"unchecked": True, "alluxioOnly": False,
                                     "deleteMountPoint": True}],
    "exists": [{}, {"loadMetadataType": "ONCE"}],
    "free": [{"recursive": True}, {"forced": True}],
    "get-status": [{"loadMetadataType": "ONCE"}, {"loadMetadataType": "Once"},
                   {"accessMode": "READ", "updateTimestamps": False}],
    "list-status": [{"loadMetadataType": "ALWAYS", "recursive": True},
                    {"loadMetadataType": "Never"}, {"metaDataLoadType": "Always"},
                    {"loadMetadataOnly": False}],
    "mount": [{"properties": {"a": "b"}, "readOnly": True, "shared": True}],
    "open-file": [
        {"cacheLocationPolicyClass": "a.b", "maxUfsReadConcurrency": 4, "readType": "CACHE_PROMOTE",
         "ufsReadLocationPolicyClass": "a.b"},
        {"locationPolicyClass": "a.b", "readType": "NO_CACHE"}, {"updateLastAccessTime": True}],
    "rename": [{}, {"commonOptions": {"operationId": {"mostSignificantBits": 1}}}],
    "set-attribute": [
        {"owner": "a", "group": "b", "mode": MODE, "pinned": True, "recursive": True,
         "ttl": 5, "ttlAction": "FREE"}, {"persisted": True, "pinnedMedia": []},
        {"replicationMin": 1, "replicationMax": 3}],
    "unmount": [{}, {"commonOptions": {}}],
}
"""What the option classes of the Python and the Go client, and of Alluxio 2.9, can say."""


def read(action: str, options: Any) -> dict[str, Any]:
    return read_options(action, json.dumps(options).encode())


@pytest.mark.parametrize("action", CLIENTS)
def test_what_the_clients_can_say_is_read(action: str) -> None:
    for options in CLIENTS[action]:
        found = read(action, options)
        assert set(found) >= set(options) - {"commonOptions"}


def test_every_action_with_options_has_its_table() -> None:
    with_options = {one.action for one in table.OPERATIONS if one.takes == JSON_TYPE}
    assert with_options == set(ALL) == set(CLIENTS) == set(BY_ACTION)


def test_each_option_is_decided_on_and_says_why() -> None:
    for option in OPTIONS:
        assert option.why.endswith("."), option.name
    assert len({(action, option.name) for option in OPTIONS for action in option.actions}) == (
        sum(len(option.actions) for option in OPTIONS))
    shown = markdown_table()
    for action, options in BY_ACTION.items():
        for name, option in options.items():
            line = f"| {action} | `{name}` | {option.fate.value} | {option.why} |\n"
            assert (line in shown) == (name != "commonOptions")
    for name in BY_COMMON:
        assert f"`{name}`" in shown


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b"null", b" null\n", b"{}\n"])
def test_no_options(body: bytes) -> None:
    assert read_options("delete", body) == {}


def test_null_is_not_given() -> None:
    assert read("set-attribute", {"owner": None, "mode": None, "commonOptions": None}) == {}
    assert read("delete", {"recursive": None, "commonOptions": {"ttl": None}}) == {}


@pytest.mark.parametrize(("options", "ttl", "action"), [
    ({"ttl": 5}, 5, "DELETE"), ({"ttl": 5, "ttlAction": "FREE"}, 5, "FREE"),
    ({"commonOptions": {"ttl": 5}}, 5, "FREE"),
    ({"commonOptions": {"ttl": 5, "ttlAction": "Delete"}}, 5, "DELETE"),
    ({"ttl": 5, "commonOptions": {"ttl": 6}}, 6, "FREE"),
    ({"ttl": 5, "commonOptions": {"syncIntervalMs": 0}}, 5, "DELETE"),
    ({"ttlAction": "DELETE"}, None, "DELETE")])
@pytest.mark.parametrize("of", ["create-file", "create-directory", "set-attribute"])
def test_ttl_of_both_generations(
    of: str, options: dict[str, Any], ttl: int | None, action: str,
) -> None:
    found = read(of, options)
    assert (found.get("ttl"), found["ttlAction"]) == (ttl, action)


@pytest.mark.parametrize(("mode", "octal"), [
    (MODE, "640"), ({"ownerBits": "ALL"}, "700"), ({}, "000"), (420, "644"), (493, "755"),
    (0, "000"), (0o1777, "1777"), ({"ownerBits": "all", "groupBits": None}, "700"),
    ({"ownerBits": "WRITE_EXECUTE", "groupBits": "READ_EXECUTE", "otherBits": "EXECUTE"}, "351")])
def test_modes(mode: Any, octal: str) -> None:
    assert read("create-file", {"mode": mode})["mode"] == octal


@pytest.mark.parametrize("mode", ["640", "rwx", -1, 4096, 1.5, True, [], {"ownerBits": 7},
                                  {"ownerBits": "SOME"}, {"bits": "ALL"}])
def test_modes_that_are_none(mode: Any) -> None:
    with pytest.raises(MalformedOptions):
        read("create-file", {"mode": mode})


@pytest.mark.parametrize(("value", "found"), [
    (True, True), (False, False), ("true", True), ("False", False), (1, True), (0, False),
    ("", False), (" true ", True)])
def test_truth(value: Any, found: bool) -> None:
    assert read("delete", {"recursive": value}) == {"recursive": found}


@pytest.mark.parametrize(("value", "found"), [
    (5, 5), ("5", 5), (5.9, 5), (-1, -1), (" 7 ", 7), (2**63 - 1, 2**63 - 1)])
def test_whole_numbers(value: Any, found: int) -> None:
    assert read("set-attribute", {"ttl": value})["ttl"] == found


@pytest.mark.parametrize(("action", "name", "value"), [
    ("delete", "recursive", "yes"), ("delete", "recursive", {}), ("delete", "recursive", 0.5),
    ("set-attribute", "ttl", 2**63), ("set-attribute", "ttl", "1_0"), ("set-attribute", "ttl", "x"),
    ("set-attribute", "ttl", True), ("set-attribute", "ttl", "٣"),
    ("set-attribute", "ttl", "9" * 5000), ("set-attribute", "owner", []),
    ("create-file", "writeType", "SOMETIMES"), ("create-file", "writeType", 1),
    ("create-file", "replicationMin", -1), ("mount", "properties", []),
    ("mount", "properties", {"a": {}}), ("get-status", "commonOptions", 7),
    ("set-attribute", "pinnedMedia", "MEM")])
def test_values_that_are_none(action: str, name: str, value: Any) -> None:
    with pytest.raises(MalformedOptions, match=name):
        read(action, {name: value})


def test_a_number_that_is_too_large_for_any() -> None:
    with pytest.raises(MalformedOptions, match="ttl"):
        read_options("set-attribute", b'{"ttl": 1e400}')


@pytest.mark.parametrize(("action", "name", "value"), [
    ("delete", "alluxioOnly", True), ("set-attribute", "persisted", False),
    ("create-directory", "acl", [{"a": 1}]), ("set-attribute", "xattr", {"a": "YQ=="}),
    ("create-file", "xattr", {"a": "YQ=="}), ("create-directory", "xattr", {"a": "YQ=="})])
def test_what_would_be_a_lie_is_refused(action: str, name: str, value: Any) -> None:
    with pytest.raises(AlluxioError, match=name) as refused:
        read(action, {name: value})
    assert refused.value.code == "UNIMPLEMENTED"
    assert BY_ACTION[action][name].fate is Fate.REFUSED


@pytest.mark.parametrize(("body", "said"), [
    (b"{bad", "line: 1, column: 2"), (b"[]", "START_OBJECT"), (b"7", "START_OBJECT"),
    (b'"x"', "START_OBJECT"), (b"[" * 100000, "nested"), (b"\xff\xfe\xfd", ""), (b"{}{}", "Extra"),
    (b'{"recursive": NaN}', "NaN"), (b'{"recursive": Infinity}', "Infinity"),
    (b'{"x": 1}', 'Unrecognized field "x"'), (b'{"commonOptions": {"x": 1}}', "Unrecognized"),
    (b'{"ttl": 1}', 'Unrecognized field "ttl"')])
def test_bodies_that_cannot_be_read(body: bytes, said: str) -> None:
    with pytest.raises(MalformedOptions) as refused:
        read_options("delete", body)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5)


@given(st.sampled_from(ALL), st.data())
def test_any_value_is_read_or_refused(action: str, data: st.DataObject) -> None:
    names = st.sampled_from([*BY_ACTION[action], *BY_COMMON]) | st.text()
    values = ANY_JSON | st.dictionaries(names, ANY_JSON, max_size=3)
    options = data.draw(st.dictionaries(names, values, max_size=4))
    try:
        found = read(action, options)
    except (MalformedOptions, AlluxioError):
        return
    assert "commonOptions" not in found
    assert "ttl" not in found or found["ttlAction"] in {"DELETE", "FREE"}
    assert None not in found.values()


@given(st.sampled_from(ALL), st.binary())
def test_any_body_is_read_or_refused(action: str, body: bytes) -> None:
    try:
        read_options(action, body)
    except (MalformedOptions, AlluxioError):
        return


@pytest.mark.gunicorn
@pytest.mark.parametrize(("body", "said"), [
    (b"{bad", "line: 1, column: 2"), (b"[]", "START_OBJECT"), (b"\xff", "UTF-8"),
    (b'{"locationPolicyClass": "a"}', 'Unrecognized field "locationPolicyClass"'),
    ('{"é": 1}'.encode(), 'Unrecognized field "\\xe9"')])
def test_what_cannot_be_read_is_answered_in_text(alx: Alluxio, body: bytes, said: str) -> None:
    answer = alx.raw("POST", f"/api/v1/paths/{HOME}/get-status", body, JSON)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "text/plain"
    assert said in answer.body.decode("ascii")


@pytest.mark.gunicorn
def test_odd_bodies_leave_no_traceback(alx: Alluxio) -> None:
    alx.put(f"{HOME}/f")
    odd: list[Any] = [
        {"owner": "a\nb"}, {"owner": "\ud800"}, {"owner": ""}, {"group": "a,b"}, {"mode": 0o7777},
        {"ttl": 2**63 - 1}, {"commonOptions": {"ttl": -(2**63)}}, {"owner": "x" * 100000},
        {"replicationMax": 0}, {"replicationMin": 2**31 - 1}, {"owner": "\0"},
        {"ttlAction": "FREE"}, {"ttl": 0, "ttlAction": "FREE"}]
    for options in odd:
        answer = alx.act(f"{HOME}/f", "set-attribute", options)
        assert answer.status in (200, 400, 500), options
        assert answer.status != 500 or answer.code != "INTERNAL", (options, answer)
    for query in ("a\nb", "\0", "\N{GRINNING FACE}" * 300, "/a:b"):
        for action, name in (("rename", "dst"), ("mount", "src")):
            assert alx.act(f"{HOME}/f", action, **{name: query}).code != "INTERNAL"
    assert "Traceback" not in alx.gateway.logged()
