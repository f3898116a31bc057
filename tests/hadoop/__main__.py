"""Start a Hadoop in the foreground, for trying things by hand: `python -m tests.hadoop`."""

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from tests.hadoop.cluster import Cluster, HadoopError


def main() -> int:
    """Run the cluster until Ctrl-C or SIGTERM; return the exit status."""
    options = _parse()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _end(ended))
    try:
        with tempfile.TemporaryDirectory(prefix="hadoop-") as scratch:
            _run(options, options.directory or Path(scratch), ended)
    except HadoopError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hadoop", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, help="an empty directory to live in (default: a temporary one)"
    )
    parser.add_argument("--namenode-port", type=int, default=9870, help="default: %(default)s")
    parser.add_argument("--httpfs-port", type=int, default=14000, help="default: %(default)s")
    parser.add_argument("--datanodes", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="NAME",
        help="a user to make a home directory for; repeatable",
    )
    return parser.parse_args()


def _end(ended: threading.Event) -> None:
    if ended.is_set():
        raise KeyboardInterrupt
    ended.set()


def _run(options: argparse.Namespace, directory: Path, ended: threading.Event) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    print("starting Hadoop; the first time its jars are fetched through Maven …", flush=True)
    with Cluster(
        directory,
        datanodes=options.datanodes,
        namenode_port=options.namenode_port,
        httpfs_port=options.httpfs_port,
    ) as cluster:
        for user in options.user:
            cluster.make_user(user)
        _tell(cluster, (*options.user, cluster.superuser)[0])
        ended.wait()
        print("stopping", flush=True)


def _tell(cluster: Cluster, user: str) -> None:
    lines = [
        f"NameNode  {cluster.namenode_url}",
        f"HttpFS    {cluster.httpfs_url}",
        f"files     {cluster.directory}",
        f"superuser {cluster.superuser}",
        f"try       curl '{cluster.namenode_url}/webhdfs/v1/?op=LISTSTATUS&user.name={user}'",
        "Ctrl-C stops it",
    ]
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main())
