"""`python -m bench`: start Hadoop, HttpFS and the gateway, measure them in turn, and tell."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import accel, cache, listings, s3, slow, small_files, status_calls, streams, transfers
from bench.report import Results, table
from bench.results_file import assembled, sections_in
from bench.targets import TARGETS
from bench.world import QUICK, WORKERS, Sizes, World
from tests.hadoop.jars import java

if TYPE_CHECKING:
    from types import ModuleType

RESULTS = Path(__file__).with_name("RESULTS.md")
BENCHES: dict[str, tuple[str, ModuleType]] = {
    "status": ("status calls, 16 connections", status_calls),
    "transfers": ("one big file", transfers),
    "pairs": ("4 KiB up and down", small_files),
    "listing": ("listing of a big directory", listings),
    "slow": ("slow downloads", slow),
    "streams": ("Alluxio's paths and streams", streams),
    "cache": ("one hot file from the read cache", cache),
    "accel": ("downloads through nginx", accel),
    "s3": ("S3, 4 KiB on 16 connections", s3),
}
HEAD = """\
# Measured

Made by `make bench`: the gateway beside its peers (HttpFS; WebHDFS itself, that is NameNode and
DataNode: "direct"; rclone's S3 server), one after the other in each round, all on one machine's
loopback. `make bench ARGS='--only status --write'` measures one section anew and leaves the others.

- The cores are shared by the load generator, the party that is measured, NameNode and DataNode:
  absolute figures say little, ratios more.
- Hadoop 3.4.2 with heaps as Java chooses, and its own configuration but for what
  `tests/hadoop/configuration.py` sets and `bench/world.py` does not set back; "tuned" is with the
  setting of deploy/README.md for many small files.
- The gateway runs by `deploy/gunicorn.conf.py`, checks HTTP Basic on each call, writes its audit
  line and counts its metrics.
- Medians of the rounds, least and greatest in brackets; ratios are taken round by round.
"""
RUN = """\
{rounds} round(s) on {cores} cores ({machine}); Java {java}, {datanodes} DataNode(s), replication
{replication}{tuned}; Python {python}, {packages}, {workers} workers. {sizes}
"""
TAIL = """\
## What the figures do not show

- Where the gateway downloads faster than WebHDFS itself, it is the measuring client that pays: the
  DataNode writes small pieces, which the gateway gathers.
- The gateway asks the NameNode by RPC and moves bytes by the DataNodes' transfer protocol where it
  finds them, as here, and as HttpFS and rclone do. `--rpc off` measures it by WebHDFS alone, where
  a status call costs the NameNode several times as much.
- The kernel writes gigabytes of uploads to the disk while the next are measured: their speeds vary
  by a factor of two within one run, for all parties.
- The slow clients take small segments of files of 1 MiB, part of which lies in kernel buffers:
  with 1,000 files of 16 MiB on one loopback the send buffers of the DataNode alone filled the
  memory that the kernel had for TCP, and everything on the machine stood still.
- Status, transfers, pairs, slow downloads and S3 are measured with Hadoop's own protocols, the
  other sections with WebHDFS alone, from before.
- Of the pairs of 4 KiB: half of the single writes by WebHDFS, and most by HttpFS, wait 400 ms for
  the NameNode to hear of their last block; the gateway asks it again after milliseconds.
- Of streams: Alluxio's status of a file is three calls of HDFS (status, attributes, where its
  blocks lie) where the others make two, that of a directory two as theirs.
- Of the read cache: the hot file is in the kernel's memory for all parties, so that no disk is
  measured; the cached gateway verifies the checksums of all that it hands out.
- Of downloads through nginx: nginx serves plain HTTP here, so that no encryption is in the
  figures; "gateway" is nginx with X-Accel-Redirect, "plain" the same nginx with the bytes through
  the gateway, "no nginx" the gateway alone. The machine had much other work meanwhile, so speeds
  are low and vary; the CPU of gateway and nginx varies less.
- Of S3: the listed files are empty and made by others: their ETags are asked of HDFS once and
  remembered, and rclone remembers whole directories for five minutes, so first pages and later
  rounds differ.
"""
PACKAGES = ("flask", "gevent", "gunicorn", "hdfs", "httptools")


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for."""
    options = _options(arguments)
    sizes = QUICK if options.quick else Sizes()
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=options.directory) as directory,
        World(Path(directory), sizes, options.datanodes, tuned=options.tuned,
              rpc=options.rpc) as world,
    ):
        measured = {name: _measure(world, name, options.rounds) for name in options.only}
    made = {" ".join((name, *_variant(options))): _section(name, results, options, sizes)
            for name, results in measured.items()}
    print(assembled(HEAD, made, TAIL))
    if options.write:
        kept = sections_in(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(assembled(HEAD, kept | made, TAIL))
    return 0


def _measure(world: World, name: str, rounds: int) -> Results:
    title, bench = BENCHES[name]
    print(f"preparing: {title}", file=sys.stderr)
    bench.prepare(world)
    results = Results(title)
    parties = bench.parties(world) if hasattr(bench, "parties") else world.parties
    for number in range(rounds):
        # Each round begins with another party, so that none always follows the same one.
        turn = number % len(parties)
        for party in (*parties[turn:], *parties[:turn]):
            figures = bench.measure(world, party)
            results.add(party.name, figures)
            print(f"{name} {number + 1}/{rounds} {party.name}: "
                  + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()),
                  file=sys.stderr, flush=True)
    return results


def _section(name: str, results: Results, options: argparse.Namespace, sizes: Sizes) -> str:
    """Return what is told of one measurement: how it was made, its targets, its figures."""
    title = ", ".join((f"## {results.title[0].upper()}{results.title[1:]}", *_variant(options)))
    verdicts = [target.verdict(results) for target in TARGETS if target.bench == name]
    if verdicts:
        verdicts = ["| the gateway's | wanted | measured | |", "| --- | --- | --- | --- |",
                    *verdicts, ""]
    return "\n".join([title, "", _run(options, sizes), *verdicts,
                      *table(results, list(results.rounds))])


def _variant(options: argparse.Namespace) -> tuple[str, ...]:
    """Return what tells this run from the usual one."""
    tuned = ("tuned",) if options.tuned else ()
    return (*tuned, "WebHDFS alone") if options.rpc == "off" else tuned


def _run(options: argparse.Namespace, sizes: Sizes) -> str:
    found = subprocess.run([java(), "-version"], capture_output=True, text=True, check=True)
    version = re.search(r'"(.+?)"', found.stderr)
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return RUN.format(
        cores=os.cpu_count(), machine=platform.machine(), java=version[1] if version else "?",
        datanodes=options.datanodes, replication=min(3, options.datanodes),
        tuned=", tuned" * options.tuned, python=platform.python_version(), packages=packages,
        workers=WORKERS, rounds=options.rounds, sizes=sizes)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=list(BENCHES),
                        metavar="NAME", help=f"measure these alone: {', '.join(BENCHES)}")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    parser.add_argument("--quick", action="store_true",
                        help="smaller files and shorter runs, to see that all works")
    parser.add_argument("--datanodes", type=int, default=1,
                        help="DataNodes; replication is as many, 3 at most (default 1)")
    parser.add_argument("--tuned", action="store_true",
                        help="Hadoop set as deploy/README.md advises for many small files")
    parser.add_argument("--rpc", choices=("auto", "off"), default="auto",
                        help="off: the gateway speaks WebHDFS alone, as `backend.rpc: off` has it")
    parser.add_argument("--directory", type=Path, default=None,
                        help="where the data lies meanwhile (default: the temporary directory)")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} too")
    options = parser.parse_args(arguments)
    for name in ("rounds", "datanodes"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} {getattr(options, name)}: allowed is 1 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
