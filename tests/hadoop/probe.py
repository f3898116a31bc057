"""Questions to the daemons over HTTP: their JMX beans, and WebHDFS calls without a body."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.hadoop.jars import HadoopError

PROBE_SECONDS = 5.0
CALL_SECONDS = 60.0
# The daemons are on loopback: a proxy of the environment must not be asked for them.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_by_url: dict[str, urllib.request.OpenerDirector] = {}


def trust(base_url: str, context: ssl.SSLContext) -> None:
    """Have the daemon at `base_url`, an https one, asked by this context from now on."""
    _by_url[base_url] = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def bean(base_url: str, service: str, name: str) -> dict[str, Any]:
    """Return the first JMX bean of that name, or nothing where the daemon does not answer yet."""
    query = urllib.parse.urlencode({"qry": f"Hadoop:service={service},name={name}"})
    try:
        with _opener(base_url).open(f"{base_url}/jmx?{query}", timeout=PROBE_SECONDS) as answer:
            beans: list[dict[str, Any]] = json.load(answer)["beans"]
    except (OSError, ValueError):
        return {}
    return beans[0] if beans else {}


def webhdfs(base_url: str, method: str, path: str, **parameters: str) -> dict[str, Any]:
    """Make one WebHDFS call and return its JSON, which may be empty."""
    query = urllib.parse.urlencode(parameters)
    url = f"{base_url}/webhdfs/v1{urllib.parse.quote(path)}?{query}"
    request = urllib.request.Request(url, method=method)
    try:
        with _opener(base_url).open(request, timeout=CALL_SECONDS) as answer:
            return dict(json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        raise HadoopError(f"{method} {url} answered {error.code}: {said}") from None
    except OSError as error:
        raise HadoopError(f"{method} {url}: {error}") from None


def _opener(base_url: str) -> urllib.request.OpenerDirector:
    return _by_url.get(base_url, _OPENER)
