"""Changes of a spec: each place of it that a user may write, with other values that the types accept there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec

from sluice_contract.hot_fields import hot_field_paths
from sluice_contract.schema import open_api_schema
from sluice_contract.spec import IngestJobSpec

from .schema_values import TIME, Path, Schema, places, values

SECRET = {"name": "secret"}
# Every field is set, also those that rules across fields do not accept together, so that each place exists.
EVERY_FIELD: dict[str, Any] = {
    "tenant": "acme",
    "provider": "alpaca",
    "symbols": ["SPY", "AAPL"],
    "channels": ["quotes"],
    "sessions": ["regular"],
    "enabled": True,
    "pause": {"reason": "incident", "until": TIME},
    "pausedSymbols": [{"symbol": "SPY", "reason": "bad prints", "until": TIME}],
    "dryRun": False,
    "alpaca": {
        "feed": "sip",
        "credentialsSecretRef": SECRET,
        "streamURL": "wss://stream.example",
        "dataURL": "https://data.example",
        "tradingURL": "https://trading.example",
        "engine": "native",
        "caConfigMapRef": {"name": "ca"},
    },
    "ibkr": {"host": "gateway", "port": 4001, "clientID": 12},
    "synthetic": {
        "seed": 3,
        "quotesPerSecond": 12,
        "faults": [{"kind": "gap", "afterSeconds": 5, "forSeconds": 2}],
    },
    "replay": {
        "tape": {
            "configMapRef": {"name": "tape", "key": "monday.csv"},
            "claimRef": {"name": "tapes", "path": "us.csv"},
        },
        "speed": 12.0,
    },
    "limits": {
        "minIntervalMilliseconds": 12,
        "writesPerSecond": 12,
        "burst": 12,
        "flushIntervalMilliseconds": 120,
        "maxSpreadPercent": 12,
    },
    "heartbeat": {"intervalSeconds": 12, "document": "other_ingest"},
    "firestore": {
        "projectID": "acme-prod",
        "database": "quotes",
        "liveQuotesCollection": "latest",
        "credentialsSecretRef": SECRET,
    },
    "autoStop": {"afterSeconds": 12, "afterConsecutiveErrors": 12},
    "http": {"tokenSecretRef": SECRET, "public": False},
    "pod": {
        "resources": {"requests": {"cpu": "12", "memory": "12Mi"}, "limits": {"cpu": "24", "memory": "24Mi"}},
        "nodeSelector": {"a": "b"},
        "tolerations": [
            {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 12}
        ],
        "priorityClassName": "feeds",
        "imagePullSecrets": [SECRET],
        "env": [{"name": "LOG_LEVEL", "value": "debug"}],
        "labels": {"a": "b"},
        "annotations": {"a": "b"},
    },
}
# Values for places that accept none of the values that are tried in every place.
_MORE_VALUES: tuple[Any, ...] = (
    *("wss://other.example", "https://other.example", "other-project", "other", False),
    *(["MSFT"], ["quotes", "trades"]),
)


def spec_places() -> list[tuple[Path, Schema]]:
    """Return each place of the spec, with its schema: the fields of all structs, and the items of lists and maps.

    An item that is a struct is not a place itself, but its fields are.
    """
    found = places(open_api_schema()["properties"]["spec"])
    return [(place, schema) for place, schema in found if place[-1] != 0 or "properties" not in schema]


def is_hot(place: Path) -> bool:
    """Return whether the place is a marked field, or is below one."""
    names = [str(step) for step in place]
    return any(".".join(names[:length]) in hot_field_paths(IngestJobSpec) for length in range(1, len(names) + 1))


def changed_specs(place: Path, schema: Schema) -> Iterator[dict[str, Any]]:
    """Yield EVERY_FIELD with each other value at the place that the types accept."""
    before = msgspec.convert(EVERY_FIELD, IngestJobSpec)
    for value in (*values(schema), *_MORE_VALUES):
        changed = copy.deepcopy(EVERY_FIELD)
        part: Any = changed
        for step in place[:-1]:
            part = part[step]
        part[place[-1]] = value
        try:
            if msgspec.convert(changed, IngestJobSpec) != before:
                yield changed
        except msgspec.ValidationError:
            continue
