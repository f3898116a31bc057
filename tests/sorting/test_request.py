"""A sort's request: by the names of both years, strictly read; its templates; its record."""

from __future__ import annotations

from typing import Any

import pytest

from app.aistore.fields import Fields
from app.aistore.sort_spec import sort_request
from app.core.errors import InvalidParameter, MissingParameter
from app.sorting.names import names_of_groups, parse_input, parse_output
from app.sorting.request import from_data, memory, size

URL = "http://gateway:8080"
LEAST = {"bucket": "b", "extension": ".tar", "input_format": "in-{0..9}",
         "output_format": "out-{00..99}", "output_shard_size": "10KB"}
OF_2020 = LEAST | {
    "bprovider": "ais", "output_bprovider": "ais", "order_file_sep": "\t",
    "extract_concurrency_limit": 0, "create_concurrency_limit": 3}
OF_2021 = {**LEAST, "bck": {"name": "b2", "provider": "ais"}, "output_bck": {"name": "o"},
           "extract_concurrency_max_limit": 2, "stream_multiplier": 0, "dsorter_type": "",
           "dry_run": False, "compression": "never", "description": "mine",
           "algorithm": {"kind": "content", "extension": ".cls", "format_type": "int",
                         "decreasing": True, "seed": ""}}


def parsed(**changes: Any) -> Any:
    return sort_request(Fields(LEAST | changes), URL)


def test_the_names_of_both_years() -> None:
    request = sort_request(Fields(OF_2020), URL)
    assert (request.bucket, request.output_bucket, request.shard_size) == ("b", "b", 10240)
    assert (request.extract_limit, request.create_limit) == (0, 3)
    assert request.algorithm.kind == "alphanumeric"
    assert request.reactions == {"missing_shards": "ignore", "duplicated_records": "ignore",
                                 "ekm_malformed_line": "abort", "ekm_missing_key": "abort"}
    request = sort_request(Fields(OF_2021), URL)
    assert (request.bucket, request.output_bucket, request.extract_limit) == ("b2", "o", 2)
    assert request.algorithm == ("content", True, "", ".cls", "int")
    assert request.description == "mine"


def test_a_request_comes_back_from_its_record() -> None:
    for fields in (OF_2020, OF_2021):
        request = sort_request(Fields(fields), URL)
        assert from_data(request.to_data()) == request


def test_a_shuffle_always_has_a_seed_and_is_never_decreasing() -> None:
    algorithm = parsed(algorithm={"kind": "shuffle", "decreasing": True}).algorithm
    assert algorithm.seed.isdecimal()
    assert not algorithm.decreasing
    assert parsed(algorithm={"kind": "shuffle", "seed": "42"}).algorithm.seed == "42"


@pytest.mark.parametrize(("changes", "name"), [
    ({"extension": ".rar"}, "extension"),
    ({"input_format": "no range"}, "input_format"),
    ({"input_format": "{9..1}"}, "input_format"),
    ({"input_format": "a{1..2}}"}, "input_format"),
    ({"input_format": "{0..1000000}"}, "input_format"),
    ({"output_format": "%s"}, "output_format"),
    ({"output_format": "shard-%06d", "output_shard_size": ""}, "output_shard_size"),
    ({"output_shard_size": "many"}, "output_shard_size"),
    ({"output_shard_size": "-1"}, "output_shard_size"),
    ({"algorithm": {"kind": "bogo"}}, "algorithm.kind"),
    ({"algorithm": {"kind": "shuffle", "seed": "-1"}}, "algorithm.seed"),
    ({"algorithm": {"kind": "content"}}, "algorithm.extension"),
    ({"algorithm": {"kind": "content", "extension": "cls"}}, "algorithm.extension"),
    ({"algorithm": {"kind": "content", "extension": ".a", "format_type": "x"}},
     "algorithm.format_type"),
    ({"missing_shards": "panic"}, "missing_shards"),
    ({"max_mem_usage": "120%"}, "max_mem_usage"),
    ({"max_mem_usage": "80"}, "max_mem_usage"),
    ({"max_mem_usage": "-1 GB"}, "max_mem_usage"),
    ({"extract_concurrency_limit": -1}, "extract_concurrency_limit"),
    ({"input_format": "x" * 200 + "-{0..999999}"}, "input_format"),
    ({"order_file": "file:///etc/passwd"}, "order_file"),
    ({"order_file": "ais://bucket"}, "order_file"),
    ({"order_file": "ais://b/o", "output_shard_size": ""}, "output_shard_size"),
    ({"dsorter_type": "dsort_mem"}, "dsorter_type"),
    ({"stream_multiplier": 4}, "stream_multiplier"),
    ({"compression": "always"}, "compression"),
    ({"description": "x" * 1001}, "description"),
])
def test_what_cannot_be_sorted_is_refused_by_name(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        parsed(**changes)
    assert refused.value.name == name


@pytest.mark.parametrize("name", ["bucket", "extension", "input_format", "output_format"])
def test_what_must_be_there(name: str) -> None:
    with pytest.raises(MissingParameter, match=name):
        parsed(**{name: ""})


def test_an_order_file_may_be_an_object_of_this_gateway() -> None:
    for place in ("ais://b/dir/order.txt", f"{URL}/v1/objects/b/dir/order.txt"):
        request = parsed(order_file=place, output_format="", order_file_sep="|")
        assert (request.order, request.order_separator) == ("ais://b/dir/order.txt", "|")
    assert parsed(order_file="https://else.example/o").order == "https://else.example/o"


@pytest.mark.parametrize(("text", "expected"), [
    ("10240", 10240), ("10KB", 10240), ("10 kib", 10240), ("1MB", 2**20), ("2G", 2**31),
    ("1TiB", 2**40), ("0", 0), ("7B", 7),
])
def test_sizes(text: str, expected: int) -> None:
    assert size("x", text) == expected


def test_memory_is_a_share_or_a_size() -> None:
    assert memory("x", "50%", 1000) == 500
    assert memory("x", "10GB", 1000) == 10 * 2**30


def test_templates_of_names() -> None:
    assert list(parse_input("p@003-s").names()) == ["p000-s", "p001-s", "p002-s", "p003-s"]
    assert list(parse_input(" a{08..10..2}b ").names()) == ["a08b", "a10b"]
    output = parse_output("s-%03d.x")
    assert (output.total, output.name(7), output.name(1234)) == (None, "s-007.x", "s-1234.x")
    assert parse_output("{0..3}").total == 4


def test_names_of_planned_shards() -> None:
    assert list(names_of_groups([("", 3)], parse_output("o{5..9}"))) == ["o5", "o6", "o7"]
    assert list(names_of_groups([("a-%d", 2), ("%02d-b", 2), ("plain", 2)], None)) == [
        "a-0", "a-1", "00-b", "01-b", "plain", "plain-1"]
