"""Our encoding of documents, beside that of Google's client."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import Write

from sluice_runtime.adapters.firestore.writes import replacement

PATH = "projects/p/databases/(default)/documents/tenants/acme/live_quotes/AAPL"
AT = datetime(2026, 3, 2, 15, 0, 0, 123457, tzinfo=UTC)


def googles(fields: dict[str, object]) -> Write:
    [write] = _helpers.pbs_for_set_no_merge(PATH, fields)
    return write


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**63),
        2**63 - 1,
        0.0,
        -1.5,
        float("inf"),
        "",
        "ünïcode",
        b"\x00",
        AT,
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        AT.astimezone(timezone(timedelta(hours=-5))),
        [1, "a", None, [2.0]],
        {"a": {"b": AT}, "c": []},
    ],
)
def test_a_value_is_encoded_as_googles_client_does_it(value: object) -> None:
    assert replacement(PATH, {"field": value}) == googles({"field": value})


def test_a_value_that_firestore_has_no_type_for_is_refused() -> None:
    with pytest.raises(TypeError):
        replacement(PATH, {"field": object()})
