"""What deploy/ says in one file has to agree with what it says in another, and with gunicorn."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.sock import UnixSocket

from tests.deploy.front import Certificate
from tests.gateway import REPOSITORY, Gateway

TUNED = REPOSITORY / "deploy" / "gunicorn.conf.py"
UNIT = REPOSITORY / "deploy" / "httpfs-proxy.service"


def settings_of(file: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    """Return what gunicorn makes of a configuration file, by name."""
    from gunicorn.app.wsgiapp import WSGIApplication  # noqa: PLC0415 - it reads sys.argv at once

    for name in ("BIND", "WORKERS", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_CA", "TLS_CLIENT_CERT",
                 "GRACEFUL_TIMEOUT", "STALL_TIMEOUT"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["gunicorn", "--config", str(file), "app:create_app()"])
    application = WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]")
    return {name: setting.get() for name, setting in application.cfg.settings.items()}


def unit_values(key: str) -> list[str]:
    lines = UNIT.read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


def test_the_checkouts_configuration_is_the_tuned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = settings_of(TUNED, monkeypatch)
    plain = settings_of(REPOSITORY / "gunicorn.conf.py", monkeypatch)
    differing = {name for name, value in tuned.items()
                 if value != plain[name] and not callable(value)}
    assert differing == {"config"}
    assert plain["pre_request"] is tuned["pre_request"]
    assert plain["when_ready"].__name__ == tuned["when_ready"].__name__ == "when_ready"


def test_gunicorn_believes_no_proxy_and_opens_no_other_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tuned = settings_of(TUNED, monkeypatch)
    assert not tuned["forwarded_allow_ips"]
    assert not tuned["secure_scheme_headers"]
    assert not tuned["forwarder_headers"]
    assert tuned["control_socket_disable"] is True
    assert tuned["accesslog"] is None
    assert tuned["bind"] == ["127.0.0.1:8080"]


def test_a_unix_socket_is_not_for_everybody_on_the_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    """Who connects to it passes for a trusted proxy."""
    tuned = settings_of(TUNED, monkeypatch)
    where = tmp_path / "http.sock"
    UnixSocket(str(where), SimpleNamespace(
        umask=tuned["umask"], uid=os.geteuid(), gid=os.getegid(), backlog=1,
        reuse_port=False), None).sock.close()
    assert f"{where.stat().st_mode & 0o777:o}" == "770"


def test_the_environment_chooses_what_differs_between_hosts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    ours = Certificate(tmp_path)
    tuned = settings_of(
        TUNED, monkeypatch, GATEWAY_BIND="[::1]:8443,unix:/run/gateway.sock", GATEWAY_WORKERS="7",
        GATEWAY_TLS_CERT=str(ours.file), GATEWAY_TLS_KEY=str(ours.key),
        GATEWAY_TLS_CLIENT_CA=str(ours.file), GATEWAY_GRACEFUL_TIMEOUT="12")
    assert tuned["bind"] == ["[::1]:8443", "unix:/run/gateway.sock"]
    assert (tuned["workers"], tuned["graceful_timeout"]) == (7, 12)
    assert Path(tuned["certfile"]).read_bytes().startswith(ours.file.read_bytes())
    assert tuned["cert_reqs"] == ssl.CERT_OPTIONAL


@pytest.mark.parametrize(("environment", "message"), [
    ({"GATEWAY_STALL_TIMEOUT": "soon"}, "GATEWAY_STALL_TIMEOUT='soon'"),
    ({"GATEWAY_GRACEFUL_TIMEOUT": "0"}, "GATEWAY_GRACEFUL_TIMEOUT='0'"),
    ({"GATEWAY_TLS_KEY": "/some/key"}, "GATEWAY_TLS_CERT is not"),
    ({"GATEWAY_TLS_CLIENT_CA": "/some/ca"}, "GATEWAY_TLS_CERT is not"),
    ({"GATEWAY_TLS_CLIENT_CERT": "maybe"}, "'maybe' is not 'optional'"),
    ({"GATEWAY_TLS_CERT": "/some/where"}, "No such file"),
])
def test_what_cannot_be_used_is_named(environment: dict[str, str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--check-config", "--config", TUNED,
         "app:create_app()"],
        env={**os.environ, **environment}, cwd=REPOSITORY, capture_output=True, text=True,
        check=False)
    assert done.returncode != 0
    assert message in done.stderr


def test_connections_are_within_the_units_limit_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = settings_of(TUNED, monkeypatch)["worker_connections"]
    assert connections >= 1000
    assert int(unit_values("LimitNOFILE")[0]) > 2 * connections


def test_systemd_waits_longer_than_gunicorn_does(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = settings_of(TUNED, monkeypatch)["graceful_timeout"]
    assert int(unit_values("TimeoutStopSec")[0]) > patience


def test_nginx_closes_idle_connections_before_gunicorn_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upstream = (REPOSITORY / "deploy" / "nginx.conf").read_text().partition("server {")[0]
    idle = re.search(r"^\s+keepalive_timeout (\d+)s;", upstream, re.MULTILINE)
    assert idle
    assert int(idle[1]) < settings_of(TUNED, monkeypatch)["keepalive"]


def test_the_unit_runs_what_is_there() -> None:
    commands = [*unit_values("ExecStart"), *unit_values("ExecReload")]
    assert [command.split()[0] for command in commands] == [
        "/opt/httpfs-proxy/.venv/bin/gunicorn", "/opt/httpfs-proxy/.venv/bin/httpfs-proxy",
        "/bin/sh"]
    assert commands[-1].endswith('"kill -HUP $MAINPID"')
    assert "--config deploy/gunicorn.conf.py app:create_app()" in commands[0]
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(UNIT)
    assert parser.sections() == ["Unit", "Service", "Install"]


@pytest.mark.gunicorn
@pytest.mark.parametrize("options", [
    ("--worker-class", "sync", "--workers", "1"),
    ("--worker-class", "gthread", "--threads", "8"),
    ("--worker-class", "gevent"),
    (),
], ids=lambda options: "-".join(options[1:2]) or "plain")
def test_it_serves_with_every_kind_of_worker(tmp_path: Path, options: tuple[str, ...]) -> None:
    with Gateway(tmp_path, plain=True, gunicorn_args=options) as gateway:
        answer = gateway.request("GET", "/f/home-directory")
        assert answer.json()["result"]["path"] == "/user/alice"
        assert answer.headers["Server"] == "gunicorn", "a version, or something else, is shown"


def test_containers_get_all_that_their_file_copies() -> None:
    wanted = {
        source
        for line in (REPOSITORY / "deploy" / "Containerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]}
    ignored = (REPOSITORY / ".containerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert wanted == {line.removeprefix("!") for line in ignored[1:]}
    assert all((REPOSITORY / source).exists() for source in wanted), "a source is missing"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Where systemd-analyze is there; what it says otherwise is no matter of this project."""
    analyze = shutil.which("systemd-analyze")
    text = UNIT.read_text().replace("/opt/httpfs-proxy/.venv/bin", str(tmp_path))
    for name in ("gunicorn", "httpfs-proxy"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    unit = tmp_path / "httpfs-proxy.service"
    unit.write_text(text.replace("/opt/httpfs-proxy", str(tmp_path)))
    if analyze is None:
        assert "ExecStart=" in text
        return
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert "httpfs-proxy.service" not in done.stderr
