"""JSON schemas that values of the chart have in common."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
DIGEST: Schema = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
TAG: Schema = {"type": "string", "pattern": "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"}
REPOSITORY: Schema = {"type": "string", "minLength": 1, "pattern": "^[^@\\s]*[^@:\\s]$"}
NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
CLASS_NAME: Schema = {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"}
# An address of IPv6 is in brackets, and http:// is accepted.
EMULATOR_PATTERN = r"^((http://)?([^:/\s\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]+/?)?$"
PROXY: Schema = {"type": "string", "pattern": r"^(https?://[^\s]+)?$"}
# Without a slash at the end, and without a quotation mark.
ADDRESS: Schema = {"type": "string", "pattern": r"""^(https?://[^\s'"]*[^\s'"/])?$"""}
# The patterns of projects, quantities and labels are those of an IngestJob's fields of the same meaning.
PROJECT: Schema = {"type": "string", "pattern": "^([a-z][-a-z0-9]{4,28}[a-z0-9])?$"}
QUANTITY: Schema = {
    "type": ["string", "number"],
    "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$",
    "minimum": 0,
}
QUANTITIES: Schema = {"type": "object", "additionalProperties": QUANTITY}
TEXT_LIST: Schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": r"^[^,\s]+$"}}
SHARE: Schema = {
    "type": ["string", "integer"],
    "pattern": "^([1-9][0-9]{0,4}|100000|([1-9][0-9]?|100)%)?$",
    "minimum": 1,
    "maximum": 100_000,
}
# Of whole seconds; an empty text is the operator's default.
SECONDS: Schema = {"type": ["string", "integer"], "pattern": "^$", "minimum": 1, "maximum": 86_400}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
LABELS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"},
}
OBJECT: Schema = {"type": "object"}
OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
