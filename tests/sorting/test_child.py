"""Spark's process from the gateway's side: heard, logged within bounds, and never left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.core.job_errors import JobAborted
from app.core.sort_errors import NoSpark, SortFailed
from app.settings import SortSettings
from app.sorting import engine
from app.sorting.child import Child
from tests.gateway import alive, wait_for

HEARD = "import sys, json; task = json.loads(sys.stdin.readline());"
SAY = "print(json.dumps({}), flush=True);"


def child(code: str, directory: Path, **task: Any) -> Child:
    return Child("test", [sys.executable, "-c", code], task, directory, dict(os.environ))


def nothing() -> None:
    """Have nothing against it."""


def test_what_a_child_tells_is_heard_until_it_is_done(tmp_path: Path) -> None:
    code = f"{HEARD} print(json.dumps(task)); print('{{\"a\": 1}}'); print('{{\"done\": true}}')"
    with child(code, tmp_path, number=7) as running:
        assert list(running.events(nothing)) == [{"number": 7}, {"a": 1}]


def test_a_failure_is_told_in_its_own_words(tmp_path: Path) -> None:
    with child(f"{HEARD} print('{{\"error\": \"no such luck\"}}')", tmp_path) as running, \
            pytest.raises(SortFailed, match="no such luck"):
        list(running.events(nothing))
    with child(f"{HEARD} sys.stderr.write('out of luck\\n'); sys.exit(5)", tmp_path) as running, \
            pytest.raises(SortFailed, match="ended early with status 5: out of luck"):
        list(running.events(nothing))
    with child("print('no event')", tmp_path) as running, pytest.raises(SortFailed):
        list(running.events(nothing))


def test_what_a_child_logs_is_bounded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    code = (f"{HEARD} [sys.stderr.write('line %d %s\\n' % (n, 'x' * 2000)) for n in range(3000)];"
            "print('{\"done\": true}')")
    with caplog.at_level(logging.INFO), child(code, tmp_path) as running:
        list(running.events(nothing))
    assert "line 0 xxx" in caplog.text
    assert len(caplog.text) < 250_000


def test_an_abort_ends_the_child_and_all_that_it_started(tmp_path: Path) -> None:
    code = (f"{HEARD} import subprocess, time;"
            "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
            "print(json.dumps({'pid': p.pid}), flush=True); time.sleep(600)")
    pids: list[int] = []

    def beat() -> None:
        if pids:
            raise JobAborted("aborted")

    with pytest.raises(JobAborted), child(code, tmp_path) as running:
        pids.extend(event["pid"] for event in running.events(beat))
    wait_for("the grandchild is gone", lambda: not alive(pids[0]))


def test_spark_ends_when_the_gateways_worker_does(tmp_path: Path) -> None:
    code = tmp_path / "code.zip"
    engine.pack(code)
    hold = ("import sys; sys.modules['pyspark'] = None; import os, time, threading;"
            "from app.sorting import spark_job; sys.stdin.readline();"
            "threading.Thread(target=spark_job._end_with_input, daemon=True).start();"
            "print('ready', flush=True); time.sleep(600)")
    process = subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=tmp_path, env={"PYTHONPATH": str(code)})
    try:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        process.stdin.close()
        assert process.wait(60) == 3
    finally:
        process.stdout.close()
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)


def test_what_spark_gets_needs_nothing_of_the_gateway(tmp_path: Path) -> None:
    code = tmp_path / "code.zip"
    engine.pack(code)
    script = (f"import sys; sys.path.insert(0, {str(code)!r});"
              "import app.sorting.spark_job, app.sorting.spark_flow, app.sorting.spark_workers;"
              "print(sorted(n for n in sys.modules if n.split('.')[0] in"
              " ('flask', 'gevent', 'requests', 'hdfs', 'pyspark') or n.startswith('app.')))")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted([
        "app.sorting", *(f"app.sorting.spark_{name}" for name in (
            "errors", "flow", "gateway", "job", "order", "shards", "workers"))]))


def test_spark_gets_nothing_of_the_gateways_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_STATE_URL", "redis://user:password@host")
    monkeypatch.setenv("SPARK_CONF_DIR", "/etc/spark")
    found = engine.environment(Path("/code.zip"), "/python", local=True)
    assert not [name for name in found if name.startswith("GATEWAY_")]
    assert found["SPARK_CONF_DIR"] == "/etc/spark"
    assert found["SPARK_LOCAL_IP"] == "127.0.0.1"
    assert "PYSPARK_PYTHON" not in engine.environment(Path("/code.zip"), "/python", local=False)


def test_without_spark_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    with pytest.raises(NoSpark, match=r"-m pip install 'pyspark>=4'.*sort\.python"):
        engine.require_spark(SortSettings(python=str(bare)))
    with pytest.raises(NoSpark, match="pip install"):
        engine.require_spark(SortSettings(python=str(tmp_path / "missing")))
    bare.write_text("#!/bin/sh\nexit 0\n")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NoSpark, match="Java 17"):
        engine.require_spark(SortSettings(python=str(bare)))
