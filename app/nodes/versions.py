"""Numbers that grow with what they tell of: clients see by them that something changed."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from app.state.store import Store, Value

_SPACE = "node-versions"


class Version(NamedTuple):
    """The `number` of changes so far, who counts them (`uuid`), and since when (epoch ms)."""

    number: int
    uuid: str
    created: int


def version_of(store: Store, name: str, content: Any) -> Version:
    """Return the version of what is called `name`, a new one if `content` (JSON) is another.

    Raises StorageFault.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = store.get(_SPACE, name)
    if known is None or known["digest"] != digest:
        known = store.update(_SPACE, name, lambda record: _next(record, digest))
    assert known is not None  # `_next` never deletes
    return Version(int(known["number"]), known["uuid"], int(known["created"]))


def _next(record: Value | None, digest: str) -> Value:
    if record is None:
        return {"number": 1, "uuid": secrets.token_urlsafe(6), "digest": digest,
                "created": int(time.time() * 1000)}
    changed = record["digest"] != digest
    return {**record, "number": record["number"] + changed, "digest": digest}
