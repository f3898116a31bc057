"""The cluster the other tests stand on: it starts, serves, survives its faults, and dies whole."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import requests

from tests.hadoop.cluster import Cluster, HadoopError
from tests.hadoop.daemon import Daemon
from tests.hadoop.launch import FAST_START, Launcher

pytestmark = pytest.mark.hadoop

REPOSITORY = Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 1000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("hadoop")) as running:
        running.make_user("alice")
        yield running


def ask(
    method: str, base: str, path: str, op: str, *, user: str = "alice", **more: str
) -> requests.Response:
    parameters = {"op": op, "user.name": user, **more}
    return requests.request(
        method, f"{base}/webhdfs/v1{path}", params=parameters, allow_redirects=False, timeout=30
    )


def create(base: str, path: str, content: bytes) -> None:
    told = ask("PUT", base, path, "CREATE", overwrite="true")
    assert told.status_code == 307, told.text
    headers = {"Content-Type": "application/octet-stream"}
    done = requests.put(told.headers["Location"], data=content, headers=headers, timeout=30)
    assert done.status_code == 201, done.text


def read(base: str, path: str) -> bytes:
    answer = ask("GET", base, path, "OPEN")
    if answer.status_code == 307:
        answer = requests.get(answer.headers["Location"], timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.content


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def await_end(pids: Iterable[int]) -> None:
    deadline = time.monotonic() + 10
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.02)


def test_both_doors_open_to_the_same_files(cluster: Cluster) -> None:
    create(cluster.namenode_url, "/user/alice/by-namenode", CONTENT)
    create(cluster.httpfs_url, "/user/alice/by-httpfs", CONTENT[::-1])
    assert read(cluster.httpfs_url, "/user/alice/by-namenode") == CONTENT
    assert read(cluster.namenode_url, "/user/alice/by-httpfs") == CONTENT[::-1]


def test_classes_come_from_archives(cluster: Cluster) -> None:
    for name, pid in cluster.pids.items():
        assert f"{name.partition('-')[0]}.jsa" in Path(f"/proc/{pid}/maps").read_text()


def test_file_systems_are_planted_with_names_of_their_own(cluster: Cluster, tmp_path: Path) -> None:
    def named(folder: Path) -> set[str]:
        lines = (folder / "current" / "VERSION").read_text().splitlines()
        return {line for line in lines if line.startswith(("clusterID", "blockpoolID"))}

    for folder in ("one", "standby", "other"):
        (tmp_path / folder).mkdir()
    launcher = Launcher(tmp_path, cluster.superuser, FAST_START)
    launcher.format(tmp_path / "one", tmp_path / "standby")
    launcher.format(tmp_path / "other")
    one, standby, other, running = map(named, (
        tmp_path / "one", tmp_path / "standby", tmp_path / "other", cluster.directory / "name"))
    assert len(one) == 2
    assert one == standby
    assert not one & other
    assert not one & running


def test_homes_belong_to_their_users_and_tmp_to_all(cluster: Cluster) -> None:
    def status(path: str) -> tuple[str, str]:
        found = ask("GET", cluster.namenode_url, path, "GETFILESTATUS").json()["FileStatus"]
        return found["owner"], found["permission"]

    assert status("/") == (cluster.superuser, "755")
    assert status("/tmp") == (cluster.superuser, "1777")
    assert status("/user/alice") == ("alice", "755")
    refused = ask("PUT", cluster.namenode_url, "/user/alice/x", "MKDIRS", user="bob")
    assert refused.json()["RemoteException"]["exception"] == "AccessControlException"


@pytest.mark.parametrize("door", ["namenode_url", "httpfs_url"])
def test_a_proxy_user_may_act_for_others_and_nobody_else_may(cluster: Cluster, door: str) -> None:
    def home(user: str) -> requests.Response:
        return ask("GET", getattr(cluster, door), "/", "GETHOMEDIRECTORY", user=user, doas="alice")

    assert home("gateway").json() == {"Path": "/user/alice"}
    assert home("bob").status_code == 403


def test_files_outlive_a_killed_datanode(cluster: Cluster) -> None:
    create(cluster.namenode_url, "/user/alice/kept", CONTENT)
    cluster.kill_datanode(0)
    assert "datanode-0" not in cluster.pids
    with pytest.raises(requests.RequestException):
        requests.get(f"{cluster.datanode_urls[0]}/jmx", timeout=5)
    cluster.start_datanode(0)
    assert read(cluster.namenode_url, "/user/alice/kept") == CONTENT
    assert read(cluster.httpfs_url, "/user/alice/kept") == CONTENT


def test_a_killed_namenode_comes_back_where_it_was(cluster: Cluster) -> None:
    create(cluster.namenode_url, "/user/alice/remembered", CONTENT)
    cluster.kill_namenode()
    with pytest.raises(requests.RequestException):
        ask("GET", cluster.namenode_url, "/", "GETFILESTATUS")
    cluster.start_namenode()
    assert read(cluster.namenode_url, "/user/alice/remembered") == CONTENT


def test_a_killed_httpfs_comes_back_where_it_was(cluster: Cluster) -> None:
    cluster.kill_httpfs()
    with pytest.raises(requests.RequestException):
        ask("GET", cluster.httpfs_url, "/", "GETFILESTATUS")
    cluster.start_httpfs()
    assert ask("GET", cluster.httpfs_url, "/", "GETFILESTATUS").status_code == 200


def test_a_daemon_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = Cluster(tmp_path, httpfs=False, conf={"dfs.heartbeat.interval": "never"})
    with pytest.raises(HadoopError, match=r"(?s)the end of .*never"):
        broken.start()
    assert broken.pids == {}


def test_a_daemon_dies_with_its_launcher(tmp_path: Path) -> None:
    script = (
        "import sys, time, threading\n"
        "from pathlib import Path\n"
        "from tests.hadoop.daemon import Daemon\n"
        "daemon = Daemon('sleep', ['/bin/sleep', '600'], Path(sys.argv[1]), {})\n"
        "starter = threading.Thread(target=daemon.start)\n"
        "starter.start()\n"
        "starter.join()\n"
        "print(daemon.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdout is not None
        pid = int(launcher.stdout.readline())
        assert alive(pid)
        launcher.kill()
    await_end([pid])


def test_a_daemon_dies_with_its_guard(tmp_path: Path) -> None:
    daemon = Daemon("sleep", ["/bin/sleep", "600"], tmp_path / "log", {})
    daemon.start()
    assert daemon.pid is not None
    assert daemon._guard is not None
    daemon._guard.kill()
    await_end([daemon.pid])
    daemon._guard.wait()


def test_a_hanging_daemon_still_stops(tmp_path: Path) -> None:
    daemon = Daemon("sleep", ["/bin/sleep", "600"], tmp_path / "log", {})
    daemon.start()
    assert daemon.pid is not None
    daemon.signal(signal.SIGSTOP)
    assert daemon.running
    daemon.stop()
    await_end([daemon.pid])


def test_the_command_line_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hadoop", "--directory", str(tmp_path / "files")]
    ports = ["--namenode-port", "0", "--httpfs-port", "0", "--user", "carol"]
    with subprocess.Popen(
        [*command, *ports], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = {}
        for line in process.stdout:
            name, _, rest = line.partition(" ")
            told[name] = rest.strip()
            if name == "Ctrl-C":
                break
        children = _descendants(process.pid)
        home = ask("GET", told["NameNode"], "/user/carol", "GETFILESTATUS")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert home.json()["FileStatus"]["owner"] == "carol"
    assert len(children) == 6  # a guard and a JVM each for NameNode, DataNode and HttpFS
    await_end(children)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found
