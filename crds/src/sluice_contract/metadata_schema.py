"""The schema of an object's metadata, which Kubernetes checks itself, as far as users write it."""

from __future__ import annotations

from typing import Any, Final

from .pod import QUALIFIED_NAME

_LABEL_PART: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE: Final = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"


def _in_words(message: str) -> list[dict[str, str]]:
    """Return what a pattern means for people, where the schema of the CRD has a rule with a message."""
    return [{"message": message}]


_KEYS: Final = {
    "pattern": QUALIFIED_NAME,
    "maxLength": 317,
    "x-kubernetes-validations": _in_words("write the key like example.com/name"),
}

METADATA_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": rf"^{_LABEL_PART}(\.{_LABEL_PART})*$",
            "minLength": 1,
            "maxLength": 253,
            "description": "The name of the job.",
            "x-kubernetes-validations": _in_words("use lower-case letters, digits, and - and . between them"),
        },
        "namespace": {
            "type": "string",
            "pattern": f"^({_LABEL_PART})?$",
            "maxLength": 63,
            "x-kubernetes-validations": _in_words("use lower-case letters, digits, and - between them"),
        },
        "labels": {
            "type": "object",
            "propertyNames": _KEYS,
            "additionalProperties": {
                "type": "string",
                "pattern": _LABEL_VALUE,
                "maxLength": 63,
                "x-kubernetes-validations": _in_words("use letters, digits, and -, _ and . between them"),
            },
        },
        "annotations": {
            "type": "object",
            "propertyNames": _KEYS,
            "additionalProperties": {"type": "string"},
        },
        "finalizers": {"type": "array", "items": {"type": "string"}},
        # The API server sets these, and kubectl get -o yaml shows them.
        **{
            name: {}
            for name in (
                "creationTimestamp",
                "deletionGracePeriodSeconds",
                "deletionTimestamp",
                "generateName",
                "generation",
                "managedFields",
                "ownerReferences",
                "resourceVersion",
                "selfLink",
                "uid",
            )
        },
    },
}
