"""Every error of the gateway in every dialect: a status, a body, and nothing of the inside."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from app.aistore.batch_jobs import DeadlinePassed
from app.aistore.batches import BatchFailed
from app.aistore.bucket_props import OperationNotAllowed
from app.auth.delegation import BadToken
from app.core import (
    auth_errors,
    cache_errors,
    download_errors,
    errors,
    job_errors,
    limit_errors,
    mounts,
    node_errors,
    object_errors,
    path_rules,
    sort_errors,
    sources,
    stream_errors,
    token_errors,
)
from app.core.identity import Principal
from app.core.paths import HdfsPath
from app.factory import DIALECTS
from app.s3 import PREFIX as S3
from app.s3.codes import CODES
from app.s3.errors import S3Error
from app.streams import PREFIX as ALLUXIO
from app.streams.errors import AlluxioError, NotAcceptable
from app.web import dialects
from app.web.exchange import begin, current
from app.webhdfs.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from app.web.dialects import Dialect

SPECIAL: dict[type[errors.GatewayError], tuple[Any, ...]] = {
    errors.InvalidPath: ("a:b", "HDFS names have no ':'"),
    errors.InvalidParameter: ("overwrite", "maybe", "true or false"),
    errors.InvalidParameters: ([errors.InvalidParameter("a", "b", "c"),
                                errors.MissingParameter("d", "e")],),
    errors.MissingParameter: ("path", "a path"),
    errors.DigestMismatch: ("Content-MD5", "md5", "AAAA", "BBBB"),
    errors.BodyTooLarge: (100,),
    errors.TooManyAttempts: (7,),
    errors.PreconditionFailed: ("If-Match",),
    errors.RangeNotSatisfiable: (10, "offset 11 lies past the end"),
    errors.RouteNotFound: ("/nowhere",),
    errors.MethodNotAllowed: ("PATCH", ["GET", "PUT"]),
    object_errors.NoSuchAttribute: ("/data/secret-room/dir/file", "tags"),
    object_errors.InvalidBucketName: ("A_b", "lower-case letters"),
    object_errors.InvalidKey: ("a\0b", "it has a NUL"),
    object_errors.KeyTooLong: ("k" * 2000, 2000, 1024),
    object_errors.PartTooSmall: (1, "d41d8cd98f00b204e9800998ecf8427e", 10, 5242880),
    object_errors.WrongRegion: ("the region is wrong", "us-east-1"),
    mounts.ReadOnlyMount: ("/data/secret-room/dir/file", "/data/secret-room/dir"),
    mounts.CrossMount: ("/data/secret-room/dir/file", "/data/secret-room/elsewhere"),
    stream_errors.NoSuchStream: (7,),
    cache_errors.CacheDisabled: (),
    sources.SourceRefused: (),
    token_errors.NoSuchToken: ("0a1b2c",),
    token_errors.TooManyTokens: (100,),
    token_errors.TooManyDelegationTokens: (100,),
    job_errors.JobTooLarge: (100,),
    job_errors.TooManyJobs: (10,),
    limit_errors.LimitReached: ("requests", 7),
    limit_errors.UserLimitReached: ("requests", 7),
    limit_errors.GatewayLimitReached: ("transfers", 0.1),
    limit_errors.BodyExpands: (200,),
    node_errors.NotElectable: ("host-1", "it is withdrawn"),
    node_errors.UnknownSetting: ("backend.url", ["stats_time", "log.level"]),
    S3Error: ("InvalidArgument",),
    AlluxioError: ("ABORTED", "what went wrong"),
    Refused: ("java.io.IOException", "what went wrong"),
}
ROOT = HdfsPath("/data/secret-room")
STATUSES = {
    errors.InvalidPath: 400, errors.NotAuthenticated: 401, errors.InsecureTransport: 403,
    errors.ReadOnlyPrincipal: 403, errors.QuotaExceeded: 403, errors.PathNotFound: 404,
    errors.NotAFile: 404, errors.RouteNotFound: 404, errors.MethodNotAllowed: 405,
    errors.AlreadyExists: 409, errors.DirectoryNotEmpty: 409, errors.LengthRequired: 411,
    errors.PreconditionFailed: 412, errors.BodyTooLarge: 413, errors.UnsupportedMedia: 415,
    errors.RangeNotSatisfiable: 416, errors.TooManyAttempts: 429, errors.Unsupported: 501,
    limit_errors.UserLimitReached: 429, limit_errors.GatewayLimitReached: 503,
    errors.UpstreamFault: 502, errors.UpstreamUnavailable: 503, errors.UpstreamTimeout: 504,
}


def every_class(cls: type[errors.GatewayError] = errors.GatewayError) -> Iterator[
        type[errors.GatewayError]]:
    """Yield a class and all that come from it; each may be raised."""
    yield cls
    for below in cls.__subclasses__():
        yield from every_class(below)


def made(cls: type[errors.GatewayError]) -> errors.GatewayError:
    """Return an error of this very class."""
    if cls in SPECIAL:
        return cls(*SPECIAL[cls])
    if issubclass(cls, errors.PathError):
        return cls(f"{ROOT}/dir/file", "a detail")
    return cls("what went wrong")


CLASSES = sorted(set(every_class()), key=lambda cls: cls.__name__)
BY_PREFIX = [pytest.param(prefix, dialect, id=prefix) for prefix, dialect in DIALECTS]

OF_NO_PATH = {sources.SourceRefused, token_errors.NoSuchToken, token_errors.TooManyTokens,
              token_errors.TooManyDelegationTokens}
"""Errors in the tree of those about paths, for their statuses, that are about no path."""


def answer(prefix: str, error: Exception, principal: Principal | None = None) -> TestResponse:
    """Return what a client gets under a prefix when a view raises this error."""
    app = Flask("test", static_folder=None)
    dialects.install(app, dialects.handler(
        DIALECTS, lambda _: ['Basic realm="a realm", charset="UTF-8"']))

    def view(rest: str) -> str:
        raise error

    app.add_url_rule("/<path:rest>", view_func=view, methods=["GET", "PUT"])
    flask_wsgi = app.wsgi_app

    def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
        begin(environ, ())
        current(environ).principal = principal
        return flask_wsgi(environ, start_response)

    app.wsgi_app = wsgi  # type: ignore[method-assign]
    return app.test_client().get(f"{prefix.rstrip('/')}/anything")


def test_every_class_of_the_module_is_tried() -> None:
    declared = {cls for module in (
                    errors, object_errors, mounts, stream_errors, job_errors, node_errors,
                    download_errors, cache_errors, sort_errors, auth_errors, limit_errors,
                    path_rules, sources, token_errors)
                for _, cls in inspect.getmembers(module, inspect.isclass)
                if issubclass(cls, errors.GatewayError)}
    assert declared | {S3Error, AlluxioError, NotAcceptable, BatchFailed, DeadlinePassed,
                       OperationNotAllowed, BadToken, Refused} == set(CLASSES)


@pytest.mark.parametrize(("prefix", "dialect"), BY_PREFIX)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_in_every_dialect(
    cls: type[errors.GatewayError], prefix: str, dialect: Dialect,
) -> None:
    error = made(cls)
    told = answer(prefix, error)
    assert told.status_code == dialect.row(error).status
    assert 400 <= told.status_code < 600
    assert told.data
    assert b"Traceback" not in told.data
    for message in error.messages:
        assert message
        assert "\n" not in message


@pytest.mark.parametrize("cls", STATUSES, ids=lambda cls: cls.__name__)
def test_the_statuses_of_the_file_api(cls: type[errors.GatewayError]) -> None:
    error = made(cls)
    told = answer("/f", error)
    assert told.status_code == STATUSES[cls]
    assert told.get_json() == {"status": "FAILURE", "result": None, "error": error.messages}


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in DIALECTS])
def test_an_error_that_nobody_expected_says_nothing(prefix: str) -> None:
    told = answer(prefix, ZeroDivisionError("the secret of /data/secret-room"))
    assert told.status_code == 500
    assert b"secret" not in told.data
    assert b"ZeroDivision" not in told.data


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in DIALECTS])
def test_where_the_state_lies_is_for_the_log_alone(
    prefix: str, caplog: pytest.LogCaptureFixture,
) -> None:
    fault = "the state store postgresql://db.inside:5432/secret cannot be reached"
    told = answer(prefix, errors.StorageFault(fault))
    assert told.status_code in (500, 503)
    assert b"inside" not in told.data
    assert fault in caplog.text


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in DIALECTS])
@pytest.mark.parametrize("cls", [cls for cls in CLASSES if issubclass(cls, errors.PathError)
                                 and cls not in OF_NO_PATH], ids=lambda cls: cls.__name__)
def test_paths_are_shown_as_the_caller_knows_them(
    cls: type[errors.GatewayError], prefix: str,
) -> None:
    confined = Principal("someone", "alice", root=ROOT)
    told = answer(prefix, made(cls), confined)
    assert b"secret-room" not in told.data
    # Where S3 says an error in AWS's words the resource is named, which is what was asked for.
    assert b"/dir/file" in told.data or (prefix == S3 and b"<Resource>/anything<" in told.data)


def test_what_http_asks_of_a_status() -> None:
    def headers(cls: type[errors.GatewayError]) -> Any:
        return answer("/f", made(cls)).headers

    assert headers(errors.NotAuthenticated)["WWW-Authenticate"] == (
        'Basic realm="a realm", charset="UTF-8"')
    assert headers(errors.MethodNotAllowed)["Allow"] == "GET, PUT"
    assert headers(errors.TooManyAttempts)["Retry-After"] == "7"
    assert headers(errors.RangeNotSatisfiable)["Content-Range"] == "bytes */10"
    assert int(headers(errors.UpstreamUnavailable)["Retry-After"]) > 0


def test_every_error_of_s3_has_a_code_that_aws_has_too() -> None:
    rows = dict(DIALECTS)[S3].rows
    assert all(row.code in CODES for row in rows.values())
    for code, known in CODES.items():
        told = answer(S3, S3Error(code, Detail="of <this>"))
        assert told.status_code == known.status
        assert f"<Code>{code}</Code>".encode() in told.data
        assert b"<Detail>of &lt;this&gt;</Detail>" in told.data
        assert b"<Resource>/anything</Resource><RequestId>" in told.data
        assert known.message.isprintable()


CODES_OF_GRPC = {
    "CANCELED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_of_alluxio_is_read_by_both_generations_of_clients(
    cls: type[errors.GatewayError],
) -> None:
    told = answer(ALLUXIO, made(cls))
    if cls is stream_errors.MalformedOptions:
        assert (told.status_code, told.content_type) == (400, "text/plain")
        return
    assert told.content_type == "application/json"
    body = told.get_json()
    assert set(body) == {"message", "statusCode", "status"}
    assert body["statusCode"] == body["status"]
    assert body["status"] in CODES_OF_GRPC
    assert body["message"]
    assert told.status_code != 401 or "WWW-Authenticate" in told.headers
