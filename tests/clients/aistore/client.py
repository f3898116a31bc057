"""The generated clients of AIStore as its documentation uses them, both years' by the same names.

`Ais(year, url, …)` has the groups `bucket`, `object`, `cluster`, `daemon`, `download` and `sort`.
Their methods are called by the names of 2020, which the documentation uses; the client of 2021 gets
its own. Everything else is the generated code.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.clients.aistore.description import describe, told
from tests.clients.aistore.loading import load
from tests.clients.tools import generated

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

VERSION, PACKAGE = "4.2.3", "ais_client"
ACTIONS_2021 = {
    "LISTOBJECTS": "LISTOBJ", "CREATELB": "CREATE_BCK", "DESTROYLB": "DESTROY_BCK",
    "SETPROPS": "SETBPROPS", "EVICTOBJECTS": "EVICTOBJ", "RENAME": "RENAMEOBJ"}
NO_MODEL = re.compile(r"module 'ais_client.models' has no attribute '(OneOf|AnyOf)")


class Seen(NamedTuple):
    """What the server answered, as it came."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        """The body, decoded."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body, from JSON."""
        return json.loads(self.body)


class Group:
    """The operations of one tag, by their names of 2020."""

    def __init__(self, api: Any, names: dict[str, str]) -> None:
        self._api = api
        self._names = names

    def __getattr__(self, name: str) -> Any:
        """Return a method that calls as the documentation does."""
        method = getattr(self._api, self._name(name))

        def call(*arguments: Any, **options: Any) -> Any:
            try:
                return method(*arguments, **options)
            except AttributeError as error:
                # The generator has no models for oneOf and anyOf: the request was answered, and
                # its answer cannot be shown. It is so with AIStore, too.
                if not NO_MODEL.match(str(error)):
                    raise
                return None

        return call

    def seen(self, name: str, *arguments: Any, **options: Any) -> Seen:
        """Call a method and return the answer as it came; ApiException where it is an error."""
        answer = getattr(self._api, self._name(name))(
            *arguments, **options, _preload_content=False)
        return Seen(answer.status, answer.headers, answer.data)

    def _name(self, name: str) -> str:
        base, info, _ = name.partition("_with_http_info")
        return self._names[base] + info


class Ais:
    """The client of one year for a gateway's user."""

    def __init__(self, year: int, url: str, user: str, password: str) -> None:
        self.year = year
        self.package = client_of(year)
        configuration = self.package.Configuration()
        configuration.host = f"{url}/v1/"
        configuration.username, configuration.password = user, password
        self.api = self.package.ApiClient(configuration)
        # AIStore's description knows no credentials, so the client sends none by itself.
        self.api.set_default_header("Authorization", configuration.get_basic_auth_token())
        self.models, self.error = self.package.models, self.package.rest.ApiException
        self.bucket, self.object = self._group("Bucket"), self._group("Object")
        self.cluster, self.daemon = self._group("Cluster"), self._group("Daemon")
        self.download, self.sort = self._group("Download"), self._group("Sort")

    def message(self, action: str, name: Any = None, **more: Any) -> Any:
        """Return InputParameters with an action, named as in 2020."""
        constant = ACTIONS_2021.get(action, action) if self.year == 2021 else action
        named = {} if name is None else {"name": name}
        return self.models.InputParameters(
            getattr(self.models.Actions, constant), **named, **more)

    def listed(self, *names: str) -> Any:
        """Return the model of a list of objects."""
        return self.models.ListParameters(objnames=list(names))

    def ranged(self, prefix: str, first: int, last: int) -> Any:
        """Return the model of a range of objects: prefix and range, in 2021 a template."""
        if self.year == 2020:
            return self.models.RangeParameters(
                prefix=prefix, regex="\\d+", range=f"{first}:{last}")
        return self.models.RangeParameters(template=f"{prefix}{{{first}..{last}}}")

    def status_of(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> int:
        """Return the status that a `..._with_http_info` was answered, an error's too."""
        try:
            return int(call(*arguments, **options)[1])
        except self.error as error:
            return int(error.status)

    def _group(self, tag: str) -> Group:
        names = {snake(one.names[0]): snake(one.names[self.year - 2020])
                 for one in told(self.year) if one.tag == tag}
        return Group(getattr(self.package, f"{tag}Api")(self.api), names)


def client_of(year: int) -> ModuleType:
    """Return the package that openapi-generator made of a year's description."""
    description = json.dumps(describe(year)).encode()
    return load(generated(f"ais-{year}", description, VERSION, PACKAGE), PACKAGE)


def snake(name: str) -> str:
    """Return the name that the generator gives a method."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
