"""The short form of `make chaos`: one of each kill, and nothing promised is broken."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest

from chaos.__main__ import main
from chaos.content import Piece, data
from chaos.faults import FAULTS
from chaos.judge import torn, unexpected
from chaos.ledger import Ledger, Move
from chaos.run import Plan, run
from tests.gateway import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

KILLS = ("namenode-kill", "datanode-kill", "worker-kill")
OLD, NEW = (Piece("old", 3000),), (Piece("new", 500),)


@pytest.mark.hadoop
@pytest.mark.gunicorn
def test_kills_under_load_break_no_promise(tmp_path: Path) -> None:
    plan = Plan(secrets.token_hex(4), minutes=10, clients=4, kinds=KILLS, rounds=len(KILLS))
    try:
        result = run(plan, tmp_path)
    except AssertionError as error:
        raise AssertionError(f"--seed {plan.seed}: {error}") from error
    assert result.is_right, result.text
    assert sorted(one.fault for one in result.rounds) == sorted(KILLS)
    assert result.tally.acknowledged > 0
    for line in ("rounds 3", "wrong answers 0", "lost 0", "half-written 0", "leftovers 0"):
        assert line in result.text.splitlines()


def test_the_page_names_every_fault() -> None:
    page = (REPOSITORY / "docs" / "high-availability.md").read_text()
    table = page[page.index("| fault | what is done |"):]
    named = re.findall(r"`([a-z-]+)`", "".join(
        row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()))
    assert sorted(named) == sorted(FAULTS)


@pytest.mark.parametrize("words", [["--minutes", "15.1"], ["--minutes", "0"], ["--clients", "0"]])
def test_a_run_is_bounded(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert "allowed is" in capsys.readouterr().err


# --- the judge sees what it is for


@pytest.fixture
def ledger() -> Ledger:
    """Return what a client knows of a file that was written twice."""
    made = Ledger()
    made.settle("f", OLD)
    made.settle("f", NEW)
    return made


def test_what_was_acknowledged_must_be_there(ledger: Ledger) -> None:
    assert ledger.judge("f", data(NEW)) is None
    for found, verdict in ((None, "lost"), (data(OLD), "lost"), (b"", "half-written"),
                           (data(NEW)[:-1], "half-written"), (data(NEW) * 2, "half-written"),
                           (data((*OLD, *NEW)), "half-written")):
        finding = ledger.judge("f", found)
        assert finding is not None
        assert finding.verdict == verdict


def test_what_was_deleted_must_be_gone(ledger: Ledger) -> None:
    ledger.settle("f", None)
    assert ledger.judge("f", None) is None
    assert ledger.judge("f", data(NEW)) is not None


def test_a_call_without_an_answer_leaves_both_and_nothing_else(ledger: Ledger) -> None:
    ledger.loosen("f", [(*NEW, *OLD)])
    assert ledger.settled() == {}
    assert ledger.judge("f", data(NEW)) is None
    assert ledger.judge("f", data((*NEW, *OLD))) is None
    for found in (None, data(OLD), data((*NEW, *OLD))[:-1], data((*NEW, *OLD, *OLD))):
        assert ledger.judge("f", found) is not None


def test_a_traceback_in_the_log_is_unexpected() -> None:
    log = "all well\nTraceback (most recent call last):\n  File x\nKeyError: 'y'\nall well\n"
    assert unexpected(log) == ["KeyError: 'y'"]
    assert unexpected("all well\n") == []


@pytest.mark.parametrize(("there", "verdicts"), [
    ({"f"}, []), ({"g"}, []), ({"f", "g"}, ["half-written"]), (set(), ["lost"])])
def test_a_rename_is_one_step(there: set[str], verdicts: list[str]) -> None:
    found = torn([Move("f", "g")], lambda name: name in there)
    assert [one.verdict for one in found] == verdicts
