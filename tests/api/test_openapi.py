"""/openapi.json: a valid description, of exactly what is served."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.contract.client import check_form
from tests.gateway import REPOSITORY

if TYPE_CHECKING:
    from tests.gateway import Gateway

pytestmark = pytest.mark.gunicorn

PRINT_ROUTES = """
import json
from app import create_app
print(json.dumps([
    [rule.rule, method] for rule in create_app().url_map.iter_rules() for method in rule.methods]))
"""
DOCUMENTED = {
    ("/f/home-directory", "get"): set(),
    ("/f/file/status", "get"): {"path"},
    ("/f/file/checksum", "get"): {"path"},
    ("/f/listing", "get"): {"path", "limit", "start-after"},
    ("/f/file/summary", "get"): {"path"},
    ("/f/file/content", "get"): {"path", "offset", "length"},
    ("/f/file/content", "head"): {"path", "offset", "length"},
    ("/f/file/content", "put"): {"path", "overwrite", "replication", "permission"},
    ("/f/file/content", "post"): {"path", "sources"},
    ("/f/file/content", "delete"): {"path"},
    ("/f/directory", "put"): {"path", "permission"},
    ("/f/name", "put"): {"path", "destination"},
    ("/f/file", "delete"): {"path", "recursive", "skip-trash"},
    ("/f/file/permission", "put"): {"path", "permission"},
    ("/f/file/replication", "put"): {"path", "replication"},
    ("/f/archive", "get"): {"path", "format"},
}


@pytest.fixture(scope="module")
def description(embedded_gateway: Gateway) -> Any:
    """Return what is served as /openapi.json, to anybody."""
    answer = embedded_gateway.request("GET", "/openapi.json", user=None)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


def operations(description: Any) -> dict[tuple[str, str], Any]:
    """Return the operations by URL and method."""
    return {(url, method): operation for url, item in description["paths"].items()
            for method, operation in item.items()}


def test_it_is_valid(description: Any) -> None:
    assert re.fullmatch(r"3\.1\.\d+", description["openapi"])
    OpenAPIV31SpecValidator(description).validate()


def test_every_route_is_in_it_and_nothing_else(
    description: Any, embedded_gateway: Gateway, tmp_path: Any,
) -> None:
    env = {**os.environ, "GATEWAY_CONFIG": str(embedded_gateway.config_file),
           "GATEWAY_DATA_DIR": str(tmp_path / "data")}
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_ROUTES], env=env, cwd=REPOSITORY, check=True, timeout=60,
        capture_output=True, text=True).stdout
    # S3 is described by AWS, the dialect of Alluxio by Alluxio, WebHDFS by Hadoop; AIStore's has a
    # table of its own.
    served = {(url, method.lower()) for url, method in json.loads(printed)
              if not url.startswith(("/api/v1", "/v1", "/webhdfs/v1"))}
    described = {(url, method) for url, method in operations(description)
                 if not url.startswith("/v1/")}
    # Flask answers HEAD where GET is served.
    implied = {(url, "head") for url, method in served if method == "get"} - described
    assert served - implied == described


def test_the_documented_operations_with_their_parameters(description: Any) -> None:
    found = operations(description)
    for key, names in DOCUMENTED.items():
        parameters = {parameter["name"]: parameter for parameter in found[key]["parameters"]}
        assert set(parameters) == names, key
        if "path" in names:
            assert parameters["path"]["required"]
        assert all(parameter["description"] for parameter in parameters.values())


def test_operations_have_names_summaries_and_errors(description: Any) -> None:
    found = operations(description)
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    for operation in found.values():
        assert operation["summary"]
        assert operation["responses"]


def test_what_needs_credentials_says_so(description: Any, embedded_gateway: Gateway) -> None:
    for (url, method), operation in operations(description).items():
        answer = embedded_gateway.request(method.upper(), url, user=None)
        is_open = operation.get("security") == [] or url == "/metrics"
        assert (answer.status_code == 401) != is_open, (method, url)
        if not answer.ok and not url.startswith("/v1/"):
            check_form(answer, embedded_gateway.url)


def test_every_answer_that_an_operation_declares_has_a_description(description: Any) -> None:
    for key, operation in operations(description).items():
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", status), key
            assert response["description"], key
