"""When Hadoop's RPC is used, when it is left, and that WebHDFS does all else."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from app.core import errors
from app.core.paths import ROOT, HdfsPath
from app.fs import data_lane, lane
from app.fs.clusters import settings_of
from app.fs.data_lane import DataLane
from app.fs.native_writing import Pieces
from app.fs.webhdfs import WebHdfsBackend
from app.hadoop.ipc_pool import Limits
from app.hadoop.protobuf import number, octets
from app.sections.clusters import OtherCluster
from app.setting_types import Rpc
from app.settings import BackendSettings
from app.strict_yaml import ConfigError
from tests.fs.lane_scene import ROOT_TIME, STATUS, Doors, backend_of, doors, root_by_rpc
from tests.hadoop_protocols.scripted_namenode import FATAL, Heard, answered, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK = ["jmx", "conf", "web GETFILESTATUS", "rpc getFileInfo"]
BY_RPC, BY_WEB = ["rpc getFileInfo"], ["web GETFILESTATUS"]
FILE, OTHER = HdfsPath("/file"), HdfsPath("/other")


@pytest.fixture
def scene() -> Iterator[Doors]:
    with doors() as made:
        yield made


def test_the_lane_is_found_at_the_first_call_and_used(
    scene: Doors, caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        assert scene.since_last() == []
        assert alice.status(ROOT).modification_time == ROOT_TIME
        assert scene.since_last() == [*LOOK, *BY_RPC]
        alice.status(FILE)
        backend.as_user("bob").status(FILE)
        assert scene.since_last() == [*BY_RPC, *BY_RPC]
    assert caplog.text.count("is used beside WebHDFS") == 1
    assert [heard.user[1] for heard in scene.namenode.heard[1:]] == [b"alice", b"alice", b"bob"]


def test_off_is_off(scene: Doors) -> None:
    with backend_of(scene, rpc=("off",)) as backend:
        backend.as_user("alice").status(ROOT)
    assert scene.since_last() == BY_WEB


def test_an_address_that_is_given_needs_no_page(scene: Doors) -> None:
    scene.jmx = None
    with backend_of(scene, rpc=(f"127.0.0.1:{scene.namenode.address[1]}",)) as backend:
        backend.as_user("alice").status(ROOT)
    assert scene.since_last() == [*LOOK[2:], *BY_RPC]


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "elsewhere.invalid", ""])
def test_the_host_is_that_of_the_url_whatever_the_page_says(scene: Doors, host: str) -> None:
    scene.bean(HostAndPort=f"{host}:{scene.namenode.address[1]}")
    with backend_of(scene) as backend:
        backend.as_user("alice").status(ROOT)
    assert scene.since_last() == [*LOOK, *BY_RPC]


@pytest.mark.parametrize("page", [
    {"modelerType": "org.apache.hadoop.hdfs.server.federation.metrics.NamenodeBeanMetrics"},
    None, {}, {"beans": []}, {"beans": [{}]}, {"beans": [{}, {}]}, {"beans": "x" * 100_000}, [[]],
    {"State": "standby"}, {"SecurityEnabled": True}, {"SecurityEnabled": "no"},
    {"HostAndPort": "127.0.0.1"}, {"HostAndPort": "127.0.0.1:0"}, {"HostAndPort": 7},
    {"HostAndPort": "127.0.0.1:99999"}, {"HostAndPort": "127.0.0.1:1"},
])
def test_where_the_page_tells_of_no_lane_webhdfs_does_it(scene: Doors, page: Any) -> None:
    if isinstance(page, dict) and page and "beans" not in page:
        scene.bean(**page)
    else:
        scene.jmx = page
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        assert "rpc getFileInfo" not in scene.asked
        assert scene.since_last()[-1:] == BY_WEB
        alice.status(FILE)
        assert scene.since_last() == BY_WEB, "the lane does not rest"


@pytest.mark.parametrize("address", ["0.0.0.0:9870", "127.0.0.1", ""])
def test_what_is_in_between_is_not_passed_by(scene: Doors, address: str) -> None:
    """A proxy that its administrator named sees all, as it did without a lane."""
    scene.own_pages(address)
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        assert scene.since_last() == [*LOOK[:2], *BY_WEB]
        alice.status(FILE)
        assert scene.since_last() == BY_WEB, "the lane does not rest"


def test_a_namenode_that_tells_its_whole_configuration_has_a_lane(scene: Doors) -> None:
    """Those of older Hadoop know no parameter that asks for one of its properties."""
    others = b"".join(
        b"<property><name>%d</name><value>%s</value></property>\n" % (index, b"x" * 100)
        for index in range(3000))
    scene.conf = scene.conf.replace(b"<property>", others + b"<property>")
    with backend_of(scene) as backend:
        backend.as_user("alice").status(FILE)
    assert scene.since_last() == [*LOOK, *BY_RPC]


def test_a_configuration_that_is_not_told_is_no_lane(scene: Doors) -> None:
    scene.conf = b"null"
    with backend_of(scene) as backend:
        backend.as_user("alice").status(FILE)
    assert scene.since_last() == [*LOOK[:2], *BY_WEB]


@pytest.mark.parametrize("told", [
    root_by_rpc(ROOT_TIME + 1), b"", b"\x0a\x05wrong",
    lambda heard: refused(heard.call_id, "org.apache.hadoop.ipc.StandbyException", "no"),
    lambda heard: refused(heard.call_id, "org.apache.hadoop.security.AccessControlException",
                          "SIMPLE authentication is not enabled", FATAL),
    lambda _: b"\x00\x00\x00\x04HTTP", lambda _: b"",
])
def test_who_tells_another_root_is_not_used(scene: Doors, told: Any) -> None:
    scene.rpc["getFileInfo"] = told
    with backend_of(scene) as backend:
        backend.as_user("alice").mkdirs(FILE)
    assert [one for one in scene.since_last() if one.endswith(("mkdirs", "MKDIRS"))] == [
        "web MKDIRS"]


@pytest.mark.parametrize("java_class", [
    "org.apache.hadoop.ipc.StandbyException", "org.apache.hadoop.ipc.RetriableException",
    "org.apache.hadoop.hdfs.server.namenode.SafeModeException",
    "org.apache.hadoop.ipc.RpcNoSuchMethodException"])
def test_what_the_namenode_did_not_do_webhdfs_does(scene: Doors, java_class: str) -> None:
    scene.rpc["delete"] = lambda heard: refused(heard.call_id, java_class, "not now")
    with backend_of(scene) as backend:
        assert backend.as_user("alice").delete(FILE)
    assert scene.since_last() == [*LOOK, "rpc delete", "web DELETE"]


def test_a_lane_that_is_lost_rests_and_comes_back(
    scene: Doors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(lane, "FIRST_REST", 0.1)
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        scene.since_last()
        scene.rpc["mkdirs"] = lambda _: b""
        alice.mkdirs(FILE)
        alice.status(FILE)
        asked = scene.since_last()
        assert asked[-2:] == ["web MKDIRS", *BY_WEB]
        assert set(asked[:-2]) == {"rpc mkdirs"}
        deadline = time.monotonic() + 20
        while (alice.status(FILE), scene.since_last())[1][-1:] != BY_RPC:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert "is left for 0.1 s, WebHDFS does it all" in caplog.text
    assert "is used again beside WebHDFS" in caplog.text


def test_what_may_have_happened_is_asked_for_again_at_the_same_namenode_alone(
    scene: Doors,
) -> None:
    scene.rpc["rename"] = lambda _: b""
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        with pytest.raises(errors.UpstreamUnavailable):
            alice.rename(FILE, OTHER)
    calls = [heard for heard in scene.namenode.heard if heard.method == "rename"]
    assert len(calls) > 1
    assert len({(heard.client_id, heard.call_id) for heard in calls}) == 1
    assert "web RENAME" not in scene.asked


def test_a_namenode_that_falls_silent_is_waited_for_once(scene: Doors) -> None:
    over = threading.Event()

    def silent(_: Heard) -> bytes:
        over.wait(60)
        return b""

    with backend_of(scene, read_timeout=0.3) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        scene.since_last()
        scene.rpc["getFileInfo"] = silent
        try:
            with pytest.raises(errors.UpstreamTimeout):
                alice.status(FILE)
        finally:
            over.set()
    assert scene.since_last() == BY_RPC


def test_a_change_that_was_not_answered_in_time_is_told_so(scene: Doors) -> None:
    over = threading.Event()

    def silent(_: Heard) -> bytes:
        over.wait(60)
        return b""

    scene.rpc["rename"] = silent
    with backend_of(scene, read_timeout=0.3) as backend:
        alice = backend.as_user("alice")
        try:
            with pytest.raises(errors.UpstreamTimeout):
                alice.rename(FILE, OTHER)
        finally:
            over.set()
    assert "web RENAME" not in scene.asked


def test_a_user_who_is_refused_goes_by_webhdfs_and_others_by_rpc(scene: Doors) -> None:
    def script(heard: Heard) -> bytes:
        if heard.user[1] != b"mallory":
            return root_of(heard)
        return refused(heard.call_id, "org.apache.hadoop.security.authorize.AuthorizationException",
                       "User mallory is not authorized for protocol ClientProtocol", FATAL)

    scene.rpc["getFileInfo"] = script
    with backend_of(scene) as backend:
        mallory, alice = backend.as_user("mallory"), backend.as_user("alice")
        mallory.status(FILE)
        assert scene.since_last() == [*LOOK, *BY_RPC, *BY_WEB]
        mallory.status(FILE)
        assert scene.since_last() == BY_WEB
        alice.status(FILE)
        assert scene.since_last() == BY_RPC


def root_of(heard: Heard) -> bytes:
    return answered(heard.call_id, root_by_rpc())


def test_on_behalf_of_users_both_are_named(scene: Doors) -> None:
    with backend_of(scene, service_user="gateway") as backend:
        backend.as_user("alice").status(FILE)
        backend.as_user("gateway").status(FILE)
    assert [heard.user for heard in scene.namenode.heard] == [
        {1: b"gateway"}, {1: b"alice", 2: b"gateway"}, {1: b"gateway"}]


def test_what_rpc_cannot_carry_goes_by_webhdfs(scene: Doors) -> None:
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        scene.since_last()
        with pytest.raises(UnicodeEncodeError):
            alice.status(HdfsPath("/\ud800"))
        alice.set_permission(FILE, "4755")
        alice.set_xattr(FILE, "without-namespace", b"x", exists=None)
    assert scene.since_last() == ["web SETPERMISSION", "web SETXATTR"]


def test_erasure_coded_files_are_told_of_by_webhdfs(scene: Doors) -> None:
    coded = root_by_rpc()
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        scene.since_last()
        body = coded[2:] + number(18, 4)
        scene.rpc["getFileInfo"] = b"\x0a" + bytes((len(body),)) + body
        assert alice.status(FILE).owner == STATUS["owner"]
    assert scene.since_last() == [*BY_RPC, *BY_WEB]


def test_where_transfers_are_encrypted_no_datanode_is_told_anything_plain(scene: Doors) -> None:
    scene.rpc["getServerDefaults"] = octets(1, b"".join(
        number(field, value)
        for field, value in ((1, 1 << 27), (2, 512), (3, 65536), (4, 1), (5, 4096), (6, 1))))
    with backend_of(scene) as backend:
        alice = backend.as_user("alice")
        alice.status(FILE)
        scene.since_last()
        with closing(alice.open(FILE, 0, 17, 7)) as source:
            assert source.read(17) == b'{"boolean": true}'
        assert scene.since_last() == ["rpc getServerDefaults", "web OPEN"]


@pytest.mark.parametrize(("settings", "why"), [
    ({"url": ("https://nn:9871",), "rpc": ("nn:8020",)}, "without Kerberos"),
    ({"url": ("http://nn:14000",), "kind": "httpfs", "rpc": ("nn:8020",)}, "for NameNodes"),
    ({"url": ("embedded:",), "rpc": ("nn:8020",)}, "at http URLs"),
    ({"url": ("http://a:1", "http://b:1"), "rpc": ("a:8020",)}, "one address for each URL"),
])
def test_addresses_that_do_not_fit(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        WebHdfsBackend(BackendSettings(**settings), wsgi=lambda *_: ())


@pytest.mark.parametrize("settings", [
    {"url": ("https://nn:9871",)}, {"url": ("embedded:",)},
    {"url": ("http://nn:14000",), "kind": "httpfs"}])
def test_where_there_is_never_a_lane(settings: dict[str, Any]) -> None:
    backend = WebHdfsBackend(BackendSettings(**settings), wsgi=lambda *_: ())
    assert backend.lanes is None
    backend.close()


def test_another_cluster_never_gets_the_addresses_of_this_one() -> None:
    other = OtherCluster("lab", ("http://lab:9870",), ())
    given = BackendSettings(url=("http://nn:9870",), rpc=("nn:8020",))
    assert settings_of(other, given).rpc == ("auto",)
    assert settings_of(other, BackendSettings(rpc=("off",))).rpc == ("off",)
    own = OtherCluster("lab", ("http://lab:9870",), (("rpc", ("lab:8020",)),))
    assert settings_of(own, given).rpc == ("lab:8020",)


@pytest.mark.parametrize(("given", "wanted"), [
    ("auto", ("auto",)), ("off", ("off",)), (False, ("off",)), ("a:1, b:2", ("a:1", "b:2")),
    (["nn1:8020", "[::1]:8020"], ("nn1:8020", "[::1]:8020"))])
def test_the_setting(given: Any, wanted: tuple[str, ...]) -> None:
    assert Rpc().parse(given) == wanted


@pytest.mark.parametrize("given", ["", [], "nn", "nn:0", "nn:70000", "auto, off", True, 7, "a/b:1"])
def test_what_the_setting_is_not(given: Any) -> None:
    with pytest.raises(ValueError, match=" is not "):
        Rpc().parse(given)


def test_the_data_lane_rests_and_lets_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(data_lane.time, "monotonic", lambda: clock[0])
    lane = DataLane(Limits())
    assert lane.ready()
    lane.lost("no way")
    assert not lane.ready()
    clock[0] += 31
    assert lane.ready()
    assert not lane.ready(), "more than one tries"
    lane.lost("no way")
    clock[0] += 31
    assert not lane.ready()
    clock[0] += 30
    assert lane.ready()
    lane.worked()
    assert lane.ready()
    assert lane.ready()


def test_a_body_can_be_taken_back_and_raises_when_it_is_settled() -> None:
    def body() -> Iterator[bytes]:
        yield b"a"
        yield b"b"
        raise KeyError("c")

    pieces = Pieces(body())
    assert not pieces.begun
    assert next(pieces) == b"a"
    assert pieces.begun
    pieces.take_back(b"a again")
    assert next(pieces) == b"a again"
    pieces.quiet = True
    assert list(pieces) == [b"b"]
    with pytest.raises(KeyError):
        pieces.settle()
    pieces.take_back(b"b again")
    assert next(pieces) == b"b again"
    with pytest.raises(KeyError):
        next(pieces)
