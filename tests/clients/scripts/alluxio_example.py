"""A small program as the Alluxio client's users write it; run by a Python that has alluxio 0.1.4.

Arguments: host, port. It makes a directory, writes this file behind a line of greeting, looks at
it, moves it, reads it, lists `/` and cleans up. What it is told is printed as one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import alluxio
from alluxio import option

host, port = sys.argv[1:]
client = alluxio.Client(host, int(port))
told = {}

top = "/example"
below = f"{top}/below"
written, moved = f"{below}/greeting", f"{top}/moved"

client.create_directory(below, option.CreateDirectory(recursive=True))
with client.open(written, "w") as out:
    told["writes"] = [out.write("Greetings from Python.\n")]
    with Path(__file__).open() as source:
        told["writes"].append(out.write(source))

told["status"] = client.get_status(written).json()
client.rename(written, moved)
told["moved"] = client.get_status(moved).json()
with client.open(moved, "r") as into:
    told["content"] = into.read().decode()
told["listing"] = [info.json() for info in client.list_status("/")]
client.delete(top, option.Delete(recursive=True))
told["exists"] = client.exists(top)
print(json.dumps(told))
