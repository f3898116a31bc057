"""Generated packages, imported beside others of the same name."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def load(folder: Path, package: str) -> ModuleType:
    """Import a package from a folder, and leave its name free for the next.

    What it is made of has imported each other by then, so nothing is looked for by name later.
    """
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings():
            # Its source is the generator's, some of it older than this Python.
            warnings.simplefilter("ignore")
            module = importlib.import_module(package)
            importlib.import_module(f"{package}.api")
            importlib.import_module(f"{package}.models")
        return module
    finally:
        sys.path.remove(str(folder))
        for name in [one for one in sys.modules if one.partition(".")[0] == package]:
            del sys.modules[name]
