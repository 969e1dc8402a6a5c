"""The spelling of Python fields in Kubernetes documents.

Kubernetes API conventions: lowerCamelCase, initialisms in capitals (`pod_uid` is `podUID`).
"""

import msgspec

_INITIALISMS = {"id": "ID", "uid": "UID", "url": "URL"}


def camel_case_field_name(python_name: str) -> str:
    """Return the spelling of a Python field in a document: `stream_url` is `streamURL`."""
    first, *rest = python_name.split("_")
    return first + "".join(_INITIALISMS.get(word, word.capitalize()) for word in rest)


class CamelStruct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=camel_case_field_name):
    """A part of a Kubernetes document. It is immutable, and a field that is unset is absent, never null."""
