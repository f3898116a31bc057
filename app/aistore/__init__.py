"""AIStore's REST API: buckets and objects, the cluster of gateways, downloads, sorting.

Every operation stands in `table.py`; what the names mean in AIStore of 2020 and of 2021 is told in
docs/aistore.md. Like every dialect it reads a request, calls what stands below it once, and writes
the answer.
"""

from app.aistore.errors import AISTORE as DIALECT
from app.aistore.errors import PREFIX
from app.aistore.openapi import described
from app.aistore.routing import AIStore

__all__ = ["DIALECT", "PREFIX", "AIStore", "described"]
