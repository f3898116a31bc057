"""What the modules of the dialect declare: one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from werkzeug import Response

    from app.aistore.call import AIStoreCall

View = Callable[["AIStoreCall"], "Response"]


class Operation(NamedTuple):
    """One operation below `/v1`.

    `place` are the parts of its URL, `*` for a variable one, `**` for all the rest (an object's
    name). Where `actions` are given, the body is a message whose `action` is one of them ("": no
    message). `json`: the body is JSON without an action. `admin`: for users with the role admin
    alone. `harmless`: it changes nothing that anybody sees. `open_to_all`: nobody is asked who
    they are.
    """

    name: str
    methods: tuple[str, ...]
    place: tuple[str, ...]
    view: View
    actions: tuple[str, ...] = ()
    json: bool = False
    admin: bool = False
    harmless: bool = False
    open_to_all: bool = False
