from sluice_contract.pause_sources import (
    ORDER,
    cluster_pause_source,
    file_source,
    kind_of_source,
    pause_source,
    position_of_source,
)

SOURCES = [
    "deleted",
    "start",
    "unreadable",
    "clusterpause:incident",
    "pause:us-x7k2p",
    "spec.enabled",
    "spec.pause",
    "quota",
    "autoStop",
    "api",
    "file:/etc/sluice/switch",
    "env:INGEST_ENABLED",
]


def test_the_sources_have_the_order_of_authority() -> None:
    assert [position_of_source(each) for each in SOURCES] == list(range(len(ORDER)))


def test_the_source_of_another_version_is_last() -> None:
    for source in ("somethingNew", "pause", "apis", "cr:acme/us"):
        assert position_of_source(source) == len(ORDER)


def test_a_source_names_its_object_or_file() -> None:
    assert cluster_pause_source("incident") == "clusterpause:incident"
    assert pause_source("us-x7k2p") == "pause:us-x7k2p"
    assert file_source("/etc/sluice/switch") == "file:/etc/sluice/switch"


def test_the_kind_of_a_source_has_no_name_of_an_object() -> None:
    assert [kind_of_source(each) for each in ("pause:x", "clusterpause:x", "file:/x", "spec.enabled", "new")] == [
        *("pause", "clusterpause", "file", "spec.enabled", "other")
    ]
