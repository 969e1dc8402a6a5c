"""How a Python field is spelled in a Kubernetes document.

Kubernetes API conventions: lowerCamelCase, initialisms in capitals (`pod_uid` is `podUID`).
"""

import msgspec

_INITIALISMS = {"id": "ID", "uid": "UID", "url": "URL"}


def field_name(python_name: str) -> str:
    """The document's spelling of a Python field: `stream_url` is `streamURL`."""
    first, *rest = python_name.split("_")
    return first + "".join(_INITIALISMS.get(word, word.capitalize()) for word in rest)


class CamelStruct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=field_name):
    """Part of a Kubernetes document: immutable, and what is unset is absent, never null."""
