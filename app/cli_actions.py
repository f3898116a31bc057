"""How a command of the console script gets its actions: `httpfs-proxy users add`, `… keys list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Callable


class Actions:
    """The actions of one command; `config` is the parser of the common options."""

    def __init__(
        self, commands: _SubParsersAction[ArgumentParser], config: ArgumentParser, name: str,
        summary: str, description: str,
    ) -> None:
        self._config = config
        command = commands.add_parser(name, parents=[config], allow_abbrev=False, help=summary,
                                      description=description)
        self._actions = command.add_subparsers(title="actions", required=True, metavar="ACTION")

    def add(
        self, name: str, run: Callable[[Namespace], int], summary: str, note: str = "",
    ) -> ArgumentParser:
        """Return the parser of a new action, which `run` carries out."""
        made = self._actions.add_parser(
            name, parents=[self._config], allow_abbrev=False, help=summary,
            description=f"{summary[0].upper()}{summary[1:]}. {note}")
        made.set_defaults(run=run)
        return made
