"""Tours of the pages in docs/: commands of a shell after `$ `, each with what it prints."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gateway import Gateway


def follow(tour: str, gateway: Gateway) -> None:
    """Run the commands as they stand, and assert that each prints what the page says."""
    environment = {**os.environ, "GATEWAY": gateway.url, "ME": "someone:secret"}
    steps = [step.partition("\n") for step in ("\n" + tour).split("\n$ ")[1:]]
    assert len(steps) > 5
    # One shell for all: later steps use the variables of earlier ones.
    script = "".join(f"{command}\nprintf '\\0'\n" for command, _, _ in steps)
    done = subprocess.run(["bash", "-ec", script], env=environment, check=True,
                          capture_output=True, text=True, timeout=60)
    printed = done.stdout.split("\0")
    assert [(command, shown.strip()) for command, _, shown in steps] == [
        (command, text.strip()) for (command, _, _), text in zip(steps, printed, strict=False)]
