"""`httpfs-proxy check`: what is wrong with what the gateway needs, and what to do about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.checks.checking import check
from app.checks.report import Report, State
from app.setting_types import Seconds

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction

    from app.checks.report import Finding

SECONDS = 10.0


def add_command(commands: _SubParsersAction[ArgumentParser], config: ArgumentParser) -> None:
    """Add `check`; `config` is the parser of the common options."""
    parser = commands.add_parser(
        "check", parents=[config], allow_abbrev=False,
        help="look whether everything is right that the gateway needs",
        description="Looks at configuration, users, keys, certificates, state store and clusters,"
        " says what is right and what is wrong and how to mend it, and changes nothing. Run it as"
        " the gateway's user with the gateway's environment. Exits with 1 if anything is wrong.")
    parser.add_argument("--seconds", type=Seconds(0.1).parse, default=SECONDS, metavar="N",
                        help="the longest that one question to a server may take (default: 10)")
    parser.add_argument("--quiet", action="store_true", help="leave out what is right")
    parser.set_defaults(run=_check)


def _check(arguments: Namespace) -> int:
    report = Report(_print_bad if arguments.quiet else _print)
    check(getattr(arguments, "config", None), os.environ, report, seconds=arguments.seconds)
    wrong, notes = report.count(State.WRONG), report.count(State.NOTE)
    print(f"{wrong or 'nothing'} wrong, {notes or 'nothing'} to look at,"
          f" {report.count(State.RIGHT)} right")
    return 1 if wrong else 0


def _print_bad(finding: Finding) -> None:
    if finding.state is not State.RIGHT:
        _print(finding)


def _print(finding: Finding) -> None:
    print("\n".join(shown(finding)), flush=True)


def shown(finding: Finding) -> list[str]:
    """Return the lines that tell of a finding."""
    return [f"{finding.state.value:5}  {finding.about}: {finding.said}",
            *(f"       {line}" for line in finding.mend.splitlines())]
