"""`python -m chaos`: break everything under load, in rounds, and count what was lost."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from chaos.faults import FAULTS
from chaos.run import Plan, run

LONGEST_MINUTES = 15.0


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; 1 where a promise was broken."""
    options = _options(arguments)
    plan = Plan(options.seed, options.minutes, options.clients, options.only, options.rounds)
    print(f"seed {plan.seed}", file=sys.stderr, flush=True)
    directory = Path(tempfile.mkdtemp(prefix="chaos-", dir=options.directory))
    right = False
    try:
        result = run(plan, directory)
        print(result.text)
        right = result.is_right
    except AssertionError as error:
        print(f"seed {plan.seed}: {error}", file=sys.stderr)
    finally:
        if right:
            shutil.rmtree(directory)
        else:
            print(f"logs and data: {directory}", file=sys.stderr)
    return 0 if right else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0,
                        help=f"how long, {LONGEST_MINUTES:g} at most (default %(default)s)")
    parser.add_argument("--seed", default=secrets.token_hex(4),
                        help="what chance comes from (default: another each time)")
    parser.add_argument("--clients", type=int, default=32, help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=10_000,
                        help="so many faults at most (default: as many as there is time for)")
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS), metavar="FAULT",
                        help=f"these faults alone: {', '.join(FAULTS)}")
    parser.add_argument("--directory", type=Path, default=None,
                        help="where the data lies meanwhile (default: the temporary directory)")
    options = parser.parse_args(arguments)
    if not 0 < options.minutes <= LONGEST_MINUTES:
        parser.error(f"--minutes {options.minutes:g}: allowed is up to {LONGEST_MINUTES:g}")
    for name in ("clients", "rounds"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} {getattr(options, name)}: allowed is 1 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
