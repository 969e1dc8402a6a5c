"""The spelling of Python fields in Kubernetes documents.

Kubernetes API conventions: lowerCamelCase, initialisms in capitals (`pod_uid` is `podUID`).
"""

import msgspec

_INITIALISMS = {"id": "ID", "uid": "UID", "url": "URL"}


def camel_case_field_name(python_name: str) -> str:
    """Return the name that a Python field has in a Kubernetes document: `stream_url` becomes `streamURL`."""
    first, *rest = python_name.split("_")
    return first + "".join(_INITIALISMS.get(word, word.capitalize()) for word in rest)


class CamelStruct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=camel_case_field_name):
    """The base class of the parts of a Kubernetes document.

    They are immutable, their fields are spelled in lowerCamelCase, and a field at its default is not encoded.
    """
