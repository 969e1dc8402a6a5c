"""Build the data that `kubectl sluice` has of the contract: it imports nothing outside the standard library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from . import conditions, identity, pause_conditions, policy_conditions
from .condition_types import ConditionType, Reason
from .hot_fields import hot_field_paths
from .kinds import KINDS
from .pattern_words import WORDS_BY_PATTERN
from .pause_switches import SWITCHES
from .provider_block import ProviderBlock
from .providers import BLOCK_TYPES
from .remedies import REMEDIES
from .schema import field_rows, open_api_schema
from .spec import IngestJobSpec
from .stream_states import STREAM_STATES
from .yaml_words import BOOLEAN_WORDS, reading_of_boolean, reading_of_text

_BOUNDS: Final = (
    "enum", "default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern",
)  # fmt: skip


def plugin_data_text() -> str:
    """Return the text of the plugin's data file, in JSON."""
    return msgspec.json.format(msgspec.json.encode(plugin_data()), indent=1).decode() + "\n"


def field_texts_text() -> str:
    """Return the text of the plugin's file about fields, in JSON. Only `kubectl sluice schema` reads it."""
    return msgspec.json.format(msgspec.json.encode(field_texts()), indent=1).decode() + "\n"


def field_texts() -> dict[str, dict[str, Any]]:
    """Return the description of each field of the spec of a job by its path, and the bounds of the items of a list."""
    rows = field_rows(open_api_schema()["properties"]["spec"])
    return {
        path: {
            "description": field.get("description", ""),
            **({"items": _item_bounds(field["items"])} if field["type"] == "array" else {}),
        }
        for path, field, _ in rows
    }


def _item_bounds(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": items["type"], **{name: items[name] for name in _BOUNDS if name in items}}


def plugin_data() -> dict[str, Any]:
    """Return the names, fields, conditions, reasons and switches, as JSON can represent them."""
    return {
        "generated": "by make crds",
        "group": identity.GROUP,
        "apiVersion": identity.API_VERSION,
        "kinds": {kind.name: kind.plural for kind in KINDS},
        "podSuffix": identity.POD_SUFFIX,
        "container": identity.CONTAINER,
        "serviceAccount": identity.SERVICE_ACCOUNT,
        "defaultProject": identity.DEFAULT_PROJECT,
        "firestoreDirectory": identity.FIRESTORE_CREDENTIALS_DIR,
        "firestoreKey": identity.FIRESTORE_CREDENTIALS_KEY,
        "tenantLabel": identity.TENANT_LABEL,
        "httpPort": identity.HTTP_PORT,
        "operatorVersionAnnotation": identity.OPERATOR_VERSION_ANNOTATION,
        "fields": _fields(),
        "secrets": _secrets(),
        "conditions": {
            "IngestJob": _conditions(conditions.TYPES, conditions.REASONS),
            "IngestPause": _conditions(pause_conditions.TYPES, pause_conditions.REASONS),
            "IngestPolicy": _conditions(policy_conditions.TYPES, policy_conditions.REASONS),
        },
        "failures": dict(REMEDIES),
        "streamStates": dict(STREAM_STATES),
        "switches": [msgspec.to_builtins(each) for each in SWITCHES],
        "providers": {name: _provider(block) for name, block in BLOCK_TYPES.items()},
        "patternWords": dict(WORDS_BY_PATTERN),
        "yamlWords": {
            "booleans": list(BOOLEAN_WORDS),
            "oneWord": reading_of_text("{word}", True),
            "true": reading_of_boolean(True),
            "false": reading_of_boolean(False),
        },
    }


def _provider(block: type[ProviderBlock]) -> dict[str, Any]:
    """Return the fields of a provider's block that identify its connection, and those that name its servers.

    `urls` are the servers that get the credentials of a job which names none, each with its field. A job whose first
    field is present uses only the other servers that it names. `gateway` is the field of a server without a login.
    """
    example = msgspec.convert({**block.example}, block)
    gateway = example.gateway
    return {
        "connection": [list(each) for each in block.connection_fields],
        "urls": [{"field": each.field, "url": each.url} for each in example.credentials_urls()],
        "gateway": gateway.field if gateway is not None else "",
    }


def _fields() -> dict[str, dict[str, Any]]:
    """Return each field of the spec of a job by its path: its type, its bounds, and whether the pod applies changes."""
    hot = hot_field_paths(IngestJobSpec)
    rows = field_rows(open_api_schema()["properties"]["spec"])
    return {
        path: {
            "type": field["type"],
            "required": is_required,
            "hot": _is_hot(path, hot),
            **{name: field[name] for name in _BOUNDS if name in field},
        }
        for path, field, is_required in rows
    }


def _secrets() -> list[dict[str, Any]]:
    """Return the fields of the spec that name a Secret, each with the keys that the Secret needs."""
    credentials = {
        f"{provider}.credentialsSecretRef": keys
        for provider, block_type in BLOCK_TYPES.items()
        if (keys := _credentials_keys(block_type))
    }
    found = {
        **credentials,
        "firestore.credentialsSecretRef": (identity.FIRESTORE_CREDENTIALS_KEY,),
        "http.tokenSecretRef": (identity.TOKEN_KEY,),
    }
    return [{"field": field, "keys": list(keys)} for field, keys in found.items()]


def _credentials_keys(block_type: type[ProviderBlock]) -> tuple[str, ...]:
    """Return the keys of the Secret with the credentials of a provider; none if it has no such Secret."""
    if not any(each.encode_name == "credentialsSecretRef" for each in msgspec.structs.fields(block_type)):
        return ()
    mount = msgspec.convert({**block_type.example, "credentialsSecretRef": {"name": "any"}}, block_type).credentials
    return mount.keys if mount is not None else ()


def _is_hot(path: str, hot: frozenset[str]) -> bool:
    """Return whether a field is marked as hot, or is below such a field."""
    parts = path.replace("[]", "").split(".")
    return any(".".join(parts[:count]) in hot for count in range(1, len(parts) + 1))


def _conditions(types: Mapping[str, ConditionType], reasons: Mapping[str, Reason]) -> dict[str, Any]:
    return {
        "types": {each.name: {"polarity": each.polarity, "meaning": each.meaning} for each in types.values()},
        "reasons": {
            each.name: {"types": list(each.types), "meaning": each.meaning, "remedy": each.remedy}
            for each in reasons.values()
        },
    }
