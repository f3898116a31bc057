"""The rows of AIStore's documentation on cluster, daemon and querying, by the generated clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.aistore.client import Ais
from tests.gateway import PASSWORD, Gateway, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.aistore.place import AisPlace


@pytest.fixture
def node(ais_admin: Ais) -> str:
    """Return the id of the gateway."""
    (found,) = what(ais_admin, "SMAP")["tmap"]
    return str(found)


def what(ais: Ais, name: str, group: str = "daemon", **more: Any) -> Any:
    """Return what a query of `daemon` or `cluster` is answered."""
    asked = getattr(ais.models.GetWhat, name)
    return getattr(ais, group).seen("get", asked, **more).json


def ready(place: AisPlace) -> bool:
    """Tell whether the gateway takes requests."""
    return place.gateway.request("GET", "/readyz", user=None).status_code == 200


# --- querying


def test_the_cluster_map(ais_admin: Ais, ais_place: AisPlace) -> None:
    ais_admin.daemon.get(ais_admin.models.GetWhat.SMAP)
    smap = what(ais_admin, "SMAP")
    assert set(smap["tmap"]) == set(smap["pmap"]) == {smap["proxy_si"]["daemon_id"]}
    assert smap["proxy_si"]["public_net"] == {
        "node_ip_addr": "127.0.0.1", "daemon_port": str(ais_place.gateway.port),
        "direct_url": ais_place.gateway.url}


def test_configuration_without_secrets(ais_admin: Ais) -> None:
    ais_admin.daemon.get(ais_admin.models.GetWhat.CONFIG)
    told = what(ais_admin, "CONFIG")
    assert told["periodic"]["stats_time"]
    assert PASSWORD not in str(told)


def test_information_on_a_node(ais_admin: Ais, node: str) -> None:
    told = what(ais_admin, "SNODE")
    assert told["daemon_id"] == node
    assert what(ais_admin, "STATUS")["snode"]["daemon_id"] == node


def test_statistics(ais_admin: Ais, node: str) -> None:
    ais_admin.cluster.get(ais_admin.models.GetWhat.STATS)
    everywhere = what(ais_admin, "STATS", "cluster")
    assert everywhere["proxy"]["get.n"] >= 0
    assert set(everywhere["target"]) == {node}
    here = what(ais_admin, "STATS")
    assert here


def test_process_information(ais_admin: Ais, node: str) -> None:
    ais_admin.cluster.get(ais_admin.models.GetWhat.SYSINFO)
    assert set(what(ais_admin, "SYSINFO", "cluster")["target"]) == {node}
    here = what(ais_admin, "SYSINFO")
    assert here["mem_used"] > 0
    assert here["mem_avail"] > 0


@pytest.mark.parametrize("kind", ["REBALANCE", "PREFETCH"])
def test_statistics_of_rebalance_and_prefetch(ais_admin: Ais, node: str, kind: str) -> None:
    props = getattr(ais_admin.models.GetProps, kind)
    ais_admin.cluster.get(ais_admin.models.GetWhat.XACTION, props=props)
    assert isinstance(what(ais_admin, "XACTION", "cluster", props=props), dict)


def test_file_systems(ais_admin: Ais, ais_place: AisPlace, node: str) -> None:
    ais_admin.daemon.get(ais_admin.models.GetWhat.MOUNTPATHS)
    assert set(ais_place.mountpaths) <= set(what(ais_admin, "MOUNTPATHS")["available"])
    everywhere = what(ais_admin, "MOUNTPATHS", "cluster")
    assert set(ais_place.mountpaths) <= set(everywhere["targets"][node]["available"])


def test_the_list_of_buckets(ais: Ais, ais_admin: Ais, ais_bucket: str) -> None:
    told = what(ais_admin, "BUCKETMD" if ais_admin.year == 2020 else "BMD")
    namespaces = told["providers"]["ais"]
    assert ais_bucket in namespaces["" if ais.year == 2020 else "@#"]


def test_it_is_for_admins(ais: Ais) -> None:
    for group in (ais.cluster, ais.daemon):
        assert ais.status_of(group.get_with_http_info, ais.models.GetWhat.STATS) == 403
    change = ais.message("SHUTDOWN")
    assert ais.status_of(ais.cluster.perform_operation_with_http_info, change) == 403


# --- mountpaths


def test_mountpaths_are_added_disabled_enabled_and_removed(
    ais_admin: Ais, tmp_path: Path,
) -> None:
    ais, path = ais_admin, str(tmp_path / "mp")

    def listed(kind: str) -> bool:
        return path in what(ais, "MOUNTPATHS")[kind]

    assert ais.daemon.create_mountpath(ais.message("ADD", value=path)) is None
    wait_for("the mountpath", lambda: listed("available"))
    assert ais.daemon.modify_mountpath(ais.message("DISABLE", value=path)) is None
    wait_for("the mountpath disabled", lambda: listed("disabled"))
    assert ais.status_of(
        ais.daemon.modify_mountpath_with_http_info, ais.message("DISABLE", value=path)) == 204
    assert ais.daemon.modify_mountpath(ais.message("ENABLE", value=path)) is None
    wait_for("the mountpath enabled", lambda: listed("available"))
    assert ais.daemon.remove_mountpath(ais.message("REMOVE", value=path)) is None
    wait_for("no mountpath", lambda: not (listed("available") or listed("disabled")))
    for action in ("ENABLE", "DISABLE"):
        assert ais.status_of(ais.daemon.modify_mountpath_with_http_info,
                             ais.message(action, value=path)) == 404


# --- changes


@pytest.mark.parametrize("name", ["stats_time", "periodic.stats_time"])
@pytest.mark.parametrize("group", ["cluster", "daemon"])
def test_set_configuration(ais_admin: Ais, group: str, name: str) -> None:
    api = getattr(ais_admin, group)
    for seconds in ("1s", "2s"):
        assert api.perform_operation(
            ais_admin.message("SETCONFIG", name=name, value=seconds)) is None
        wait_for(seconds, lambda seconds=seconds: what(ais_admin, "CONFIG")["periodic"][
            "stats_time"] == seconds)
    unknown = ais_admin.message("SETCONFIG", name="data_dir", value="/tmp")
    assert ais_admin.status_of(api.perform_operation_with_http_info, unknown) == 400


def test_a_target_is_unregistered_and_registered_again(
    ais_admin: Ais, ais_place: AisPlace, node: str,
) -> None:
    ais = ais_admin
    net = ais.models.NetInfo(
        node_ip_addr="127.0.0.1", daemon_port=str(ais_place.gateway.port),
        direct_url=ais_place.gateway.url)
    snode = ais.models.Snode(daemon_id=node, public_net=net, intra_control_net=net,
                             intra_data_net=net)
    assert ais.status_of(ais.cluster.unregister_target_with_http_info, "15205:8083") == 404
    assert ready(ais_place)
    try:
        assert ais.cluster.unregister_target(node) is None
        wait_for("drained", lambda: not ready(ais_place))
    finally:
        assert ais.cluster.register_target(snode) is None
    wait_for("ready again", lambda: ready(ais_place))


def test_set_primary_proxy(ais_admin: Ais, node: str) -> None:
    ais_admin.cluster.set_primary_proxy(node)
    assert what(ais_admin, "SMAP")["proxy_si"]["daemon_id"] == node
    assert ais_admin.status_of(
        ais_admin.cluster.set_primary_proxy_with_http_info, "43888:8083") == 400


def test_rebalance_cluster(ais_admin: Ais) -> None:
    assert ais_admin.cluster.perform_operation(ais_admin.message("REBALANCE")) is None
    props = ais_admin.models.GetProps.REBALANCE
    wait_for("the balancer's end", lambda: "inished" in str(
        what(ais_admin, "XACTION", "cluster", props=props)) or "end_time" in str(
        what(ais_admin, "XACTION", "cluster", props=props)))


# --- shutdown, and what is not configured


@pytest.fixture
def plain(tmp_path: Path, ais_year: int) -> Iterator[tuple[Gateway, Ais]]:
    """Yield a gateway at its defaults, over the embedded backend, and its admin's client."""
    with Gateway(tmp_path / "plain") as gateway:
        yield gateway, Ais(ais_year, gateway.url, "admin", PASSWORD)


@pytest.mark.gunicorn
def test_what_is_not_configured_is_501_and_shutdown_ends_the_gateway(
    plain: tuple[Gateway, Ais], ais_year: int,
) -> None:
    gateway, ais = plain
    for call, message in (
            (ais.cluster.perform_operation, ais.message("REBALANCE")),
            (ais.daemon.create_mountpath, ais.message("ADD", value="/tmp/nowhere"))):
        with pytest.raises(ais.error) as refused:
            call(message)
        assert refused.value.status == 501
        assert ".mountpaths" in refused.value.body or ".balancer" in refused.value.body
    group = ais.daemon if ais_year == 2020 else ais.cluster
    assert group.perform_operation(ais.message("SHUTDOWN")) is None
    assert gateway._daemon
    wait_for("the end of the gateway", lambda: not gateway._daemon.running, seconds=60)
