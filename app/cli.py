"""The console script `httpfs-proxy`: what an administrator does beside the running gateway."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app import cli_check, cli_keys, cli_tokens, cli_users
from app.core.errors import GatewayError
from app.settings_docs import example_yaml
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code. Errors of usage exit with 2 (argparse)."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except (ConfigError, GatewayError, OSError, ValueError) as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("httpfs-proxy: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


def _fail(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        # The reader (`| head`) has seen enough; nothing more can or need be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    print("httpfs-proxy: " + " ".join(str(error).split()), file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS,
        help="the configuration file (default: GATEWAY_CONFIG, then config/gateway.yaml)")
    parser = argparse.ArgumentParser(
        prog="httpfs-proxy", parents=[config], allow_abbrev=False,
        description="Administers the gateway to a Hadoop cluster's files.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    cli_users.add_commands(commands, config)
    cli_keys.add_commands(commands, config)
    cli_tokens.add_commands(commands, config)
    cli_check.add_command(commands, config)
    settings = commands.add_parser(
        "settings", parents=[config], allow_abbrev=False,
        help="print every setting at its default, explained",
        description="Prints a configuration file with every setting at its default, explained.")
    settings.set_defaults(run=_print_settings)
    return parser


def _print_settings(_: argparse.Namespace) -> int:
    print(example_yaml(), end="")
    return 0
