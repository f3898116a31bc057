"""`httpfs-proxy check` on a real Hadoop: what its servers refuse, and the lines that mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.conftest import Checked, checked
from tests.conftest import HADOOP
from tests.contract.client import fresh_name
from tests.hadoop.probe import webhdfs

if TYPE_CHECKING:
    from tests.hadoop.cluster import Cluster

pytestmark = list(HADOOP)
__all__ = ["checked"]
DOORS = ["namenode_url", "httpfs_url"]


@pytest.mark.parametrize("door", DOORS)
def test_a_cluster_that_lets_the_gateway_act_for_its_users(
    checked: Checked, hadoop: Cluster, door: str,
) -> None:
    url = getattr(hadoop, door)
    said = checked(backend={"url": url, "service_user": "gateway"})
    assert not said.wrong
    for line in (f"{url}: WebHDFS answers", "it answers gateway on behalf of 'alice'",
                 "there are home directories of 'alice'"):
        assert f"ok     backend: {line}" in said.text
    used = "the DataNodes' transfer port is open (1 of 1 asked): bytes go by their own protocol"
    assert (used in said.text) == (door == "namenode_url")


@pytest.mark.parametrize("door", DOORS)
def test_a_service_user_who_may_not_act_for_others(
    checked: Checked, hadoop: Cluster, door: str,
) -> None:
    said = checked(backend={"url": getattr(hadoop, door), "service_user": "stranger"})
    assert said.wrong == [
        "WRONG  backend: the cluster does not let 'stranger' act for the Hadoop user 'alice'"]
    file, prefix = (("httpfs-site.xml of HttpFS", "httpfs") if door == "httpfs_url"
                    else ("core-site.xml of the NameNodes", "hadoop"))
    name = f"<name>{prefix}.proxyuser.stranger"
    for line in (f"add to {file} ", f"{name}.hosts</name><value>127.0.0.1</value>",
                 f"{name}.groups</name><value>*</value>"):
        assert line in said.text
    told = "restart HttpFS" if door == "httpfs_url" else "-refreshSuperUserGroupsConfiguration"
    assert told in said.text


@pytest.mark.parametrize("door", DOORS)
def test_homes_and_rooms_that_are_not_there(
    checked: Checked, hadoop: Cluster, door: str,
) -> None:
    checked.users_are({"alice": {}, "carol": {"hadoop_user": "carol"},
                       "kept": {"hadoop_user": "alice", "root": "/no/such/room"},
                       "gone": {"hadoop_user": "dave", "active": False}})
    said = checked(backend={"url": getattr(hadoop, door)})
    assert said.wrong == [
        "WRONG  backend: there is no home directory /user/carol of the Hadoop user 'carol'",
        "WRONG  roots: the root /no/such/room of the user 'kept' is not there"]
    assert "hdfs dfs -mkdir -p /user/carol && hdfs dfs -chown carol /user/carol" in said.text
    assert "it answers to 'alice', 'carol'" in said.text


def test_what_is_mounted(checked: Checked, hadoop: Cluster) -> None:
    base = f"/user/alice/{fresh_name('check')}"
    for name in ("data", "hidden", "closed/inner"):
        webhdfs(hadoop.namenode_url, "PUT", f"{base}/{name}", op="MKDIRS", **{"user.name": "alice"})
    webhdfs(hadoop.namenode_url, "PUT", f"{base}/closed", op="SETPERMISSION", permission="000",
            **{"user.name": "alice"})
    said = checked(backend={
        "url": hadoop.namenode_url,
        "clusters": [f"there={hadoop.httpfs_url}", {
            "name": "strange", "url": hadoop.namenode_url, "service_user": "stranger"}],
        "mounts": [
            f"{base}/good=there:{base}/data:ro", f"{base}/hidden=there:{base}/data",
            f"{base}/none=there:{base}/no", f"{base}/no/parent=there:{base}/data",
            f"{base}/good/below=:{base}/closed/inner", f"{base}/x=strange:/"]})
    assert f"ok     mounts: {base}/good (there:{base}/data) is there, read-only" in said.text
    assert (f"note   mounts: {base}/hidden hides what has this name in the own cluster"
            ) in said.notes
    assert f"WRONG  mounts: {base}/none (there:{base}/no) is not there" in said.wrong
    assert (f"WRONG  mounts: {base}/no/parent (there:{base}/data): the directory {base}/no, in"
            " which it is to be seen, is not there") in said.wrong
    assert (f"note   mounts: {base}/good/below ({base}/closed/inner) may not be seen by the Hadoop"
            " user 'alice', as whom it was asked") in said.notes
    assert ("WRONG  cluster 'strange': the cluster does not let 'stranger' act for the Hadoop user"
            " 'alice'") in said.wrong
    assert f"note   mounts: {base}/x (strange:/) could not be looked at" in said.text
    assert len(said.wrong) == 3


def test_what_speaks_no_webhdfs(checked: Checked, hadoop: Cluster) -> None:
    said = checked(backend={"url": f"http://127.0.0.1:{hadoop.rpc_port}"})
    assert len(said.wrong) == 1
    assert f"http://127.0.0.1:{hadoop.rpc_port}: " in said.wrong[0]
    assert "is it the HTTP address of a NameNode or an HttpFS" in said.text
