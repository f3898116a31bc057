"""`python -m app.trial` tells whether workers could start with the configuration as it is now.

The server's main process asks it before a reload (`app.web.reloading`): a process of its own, for
what a worker loads and opens is nothing for the one that the workers are forked from.
"""

from __future__ import annotations

import logging
import sys

from app import factory
from app.web.reloading import USABLE


def main() -> int:
    """Print USABLE, or why workers would not start; return the exit code."""
    logging.disable()
    said, code = USABLE, 0
    try:
        factory.try_out()
    except Exception as error:  # noqa: BLE001 - whatever it is, a worker would end by it
        said, code = " ".join(str(error).split()) or type(error).__name__, 1
    sys.stdout.write(f"{said}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
