"""AIStore's sorting by its generated clients: one sort to its end, one aborted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clients.aistore.client import Ais
from tests.clients.aistore.place import USER
from tests.gateway import PASSWORD, wait_for
from tests.sorting.shards import files_of, make_shard

if TYPE_CHECKING:
    from tests.clients.aistore.place import AisPlace

PATIENCE = 300.0
SHARDS = {"in-0.tar": ["d", "b"], "in-1.tar": ["c", "a"]}


def furnished(place: AisPlace, year: int, bucket: str) -> Ais:
    """Return a year's client, with unsorted shards in a bucket."""
    ais = Ais(year, place.gateway.url, USER, PASSWORD)
    ais.bucket.perform_operation(bucket, ais.message("CREATELB"))
    for name, records in SHARDS.items():
        ais.object.put(bucket, name, body=make_shard(
            ".tar", [(f"{record}.txt", record.encode()) for record in records]))
    return ais


def request(ais: Ais, bucket: str) -> Any:
    """Return the request of a sort by name."""
    return ais.models.SortSpec(
        bucket=bucket, extension=".tar", input_format="in-{0..1}", output_format="out-{00..99}",
        output_shard_size="10KB", algorithm=ais.models.SortSpecAlgorithm(kind="alphanumeric"))


def test_a_sort_from_its_start_to_its_figures(ais_place: AisPlace) -> None:
    ais = furnished(ais_place, 2020, "shards-2020")
    job = ais.sort.start_sort(request(ais, "shards-2020"))

    def figures() -> Any:
        (told,) = ais.sort.get_sort_metrics(job).values()
        assert told["aborted"] is False, told
        return told if told["shard_creation"]["finished"] else None

    told = wait_for("the end of the sort", figures, seconds=PATIENCE)
    assert told["local_extraction"]["extracted_record_count"] == 4
    assert told["shard_creation"]["created_count"] == 1
    made = ais_place.stored("/shards-2020/out-00.tar")
    assert made
    assert files_of(".tar", made) == [(f"{name}.txt", name.encode()) for name in "abcd"]


def test_a_sort_that_is_aborted(ais_place: AisPlace) -> None:
    ais = furnished(ais_place, 2021, "shards-2021")
    job = ais.sort.start_sort(request(ais, "shards-2021"))
    assert ais.sort.abort_sort(job) is None

    def aborted() -> bool:
        (told,) = ais.sort.get_sort_metrics(job).values()
        return bool(told["aborted"])

    wait_for("the end of the sort", aborted, seconds=PATIENCE)
    assert ais_place.stored("/shards-2021/out-00.tar") is None
    assert ais.status_of(ais.sort.get_sort_metrics_with_http_info, "nosuch") == 404
