import msgspec
import pytest

from sluice_contract.base import CamelStruct, camel_case_field_name


@pytest.mark.parametrize(
    ("python", "document"),
    [
        ("symbols", "symbols"),
        ("paused_symbols", "pausedSymbols"),
        ("stream_url", "streamURL"),
        ("pod_uid", "podUID"),
        ("project_id", "projectID"),
        ("session_id", "sessionID"),
        ("min_interval_milliseconds", "minIntervalMilliseconds"),
    ],
)
def test_fields_are_spelled_as_kubernetes_does(python: str, document: str) -> None:
    assert camel_case_field_name(python) == document


class Sample(CamelStruct, frozen=True):
    stream_url: str | None = None
    at: int = 0


def test_unset_fields_are_absent() -> None:
    assert msgspec.to_builtins(Sample()) == {}
    assert msgspec.to_builtins(Sample(stream_url="x")) == {"streamURL": "x"}


def test_a_document_is_unchanged_by_decoding_and_encoding() -> None:
    with pytest.raises(AttributeError):
        Sample().at = 1  # type: ignore[misc]
