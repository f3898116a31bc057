"""SIGHUP with a configuration that no worker could start with: refused, told, and nothing ends."""

from __future__ import annotations

import os
import signal as signals
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from app.web.reloading import refusal
from tests.gateway import TUNED, Gateway, default_users, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gunicorn
STATUS = "/f/file/status?path=/"
OWN = "own.conf.py"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("reloaded")
    own = directory / OWN
    own.write_text(TUNED.read_text())
    with Gateway(
        directory, gunicorn_args=["--config", str(own), "--keep-alive", "2"],
    ) as running:
        # The second worker reads the files, too.
        wait_for("both workers", lambda: running.logged().count("serving embedded") >= 2)
        yield running


def refused(gateway: Gateway, why: str) -> None:
    """Reload, and see that it is refused for this reason and nothing else happens."""
    before, workers = len(gateway.logged()), gateway.workers()
    os.kill(gateway.master, signals.SIGHUP)
    wait_for(f"a refusal for {why!r}", lambda: "RELOAD REFUSED" in gateway.logged()[before:])
    assert why in gateway.logged()[before:]
    assert gateway.workers() == workers
    assert gateway.request("GET", STATUS).status_code == 200


def test_broken_files_are_refused_and_the_workers_go_on(gateway: Gateway) -> None:
    good = gateway.config_file.read_text()
    changed = yaml.safe_load(good)
    for text, why in (
        (good + "\nbackend: [", f"{gateway.config_file.name}:"),
        (good + "\nno_such_setting: 1\n", "unknown setting 'no_such_setting'"),
        (yaml.safe_dump({**changed, "auth": {**changed["auth"], "ways": ["jwt"]}}), "jwt."),
    ):
        gateway.config_file.write_text(text)
        refused(gateway, why)
    changed["auth"]["realm"] = "mended"
    gateway.config_file.write_text(yaml.safe_dump(changed))
    gateway.reload()
    assert 'realm="mended"' in gateway.request("GET", STATUS, user=None).headers["WWW-Authenticate"]


def test_a_broken_users_file_is_refused_too(gateway: Gateway) -> None:
    gateway.users_file.write_text("users: {someone: {hadoop_usr: alice}}")
    refused(gateway, "hadoop_usr")
    gateway.write_users(default_users())


def test_a_broken_configuration_of_gunicorn_is_refused_too(gateway: Gateway) -> None:
    own = gateway.directory / OWN
    good = own.read_text()
    for text, why in (
        (good + "\nworkers = (\n", "'(' was never closed"),
        (good + "\nimport no_such_module\n", "no_such_module"),
        (good + "\nkeepalive = 'long'\n", "'long'"),
    ):
        own.write_text(text)
        refused(gateway, why)
    own.write_text(good)
    gateway.reload()


def test_a_worker_that_cannot_be_replaced_is_so_once_the_files_are_mended(
    gateway: Gateway,
) -> None:
    """The others serve on meanwhile: gunicorn itself would end with them."""
    good, before = gateway.config_file.read_text(), len(gateway.logged())
    gateway.config_file.write_text(good + "\nno_such_setting: 1\n")
    dead, left = gateway.workers()
    gateway.kill_worker(dead)
    wait_for("the failure in the log", lambda: "WORKER NOT STARTED" in gateway.logged()[before:])
    assert "unknown setting 'no_such_setting'" in gateway.logged()[before:]
    assert gateway.request("GET", STATUS).status_code == 200
    gateway.config_file.write_text(good)
    wait_for("a second worker that serves", lambda: (
        "serving embedded" in gateway.logged()[before:] and len(gateway.workers()) == 2))
    assert left in gateway.workers()


def test_a_trial_that_does_not_end_or_say_a_word_is_a_refusal() -> None:
    def said(code: str, seconds: float = 60.0) -> str:
        return refusal((sys.executable, "-c", code), seconds)

    assert "within 0.5 seconds" in said("import time; time.sleep(60)", 0.5)
    assert "without a word" in said("")
    assert "no_such_module" in said("import no_such_module")
