"""`make audit`: what is known is told, and what could not be asked is no good news."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway import REPOSITORY

if TYPE_CHECKING:
    from types import ModuleType

FLAW = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
CLEAN = [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}]
FLAWED = [{"name": "a", "version": "1", "vulns": [FLAW]}]
UNKNOWN = [{"name": "a", "skip_reason": "not found"}]


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", REPOSITORY / "scripts" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("answers", "soft", "code", "told"), [
    ({"pypi": CLEAN}, False, 0, "1 packages looked up at pypi, 0 vulnerabilities; not known"),
    ({"pypi": FLAWED}, True, 1, "a 1: PYSEC-1, fixed in 2.0"),
    ({"osv": FLAWED}, False, 1, "looked up at osv"),
    ({"pypi": UNKNOWN}, False, 3, "NOT AUDITED"),
    ({"pypi": UNKNOWN}, True, 0, "NOT AUDITED"),
    ({}, True, 0, "NOT AUDITED"),
])
def test_outcomes(  # noqa: PLR0917 - four of them are the case
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answers: dict[str, Any], soft: bool, code: int, told: str,
) -> None:
    monkeypatch.setattr(audit, "asked", lambda service, _lock: answers.get(service, []))
    assert audit.main([*(["--if-reachable"] if soft else []), "run.txt"]) == code
    assert told in capsys.readouterr().out


def test_ci_audits_and_does_not_need_the_internet() -> None:
    assert "make audit AUDIT=--if-reachable" in (REPOSITORY / ".ci" / "run").read_text()
