"""The comparison of the pod that the API server has created with the pod that the operator requested.

Mutating webhooks and policies change pods when they are created. Only what Sluice itself reads is compared: its labels
and annotations, the owner, the account, and its container. Added containers, volumes, variables, labels, tolerations
and defaults change nothing for Sluice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from sluice_contract import identity

Manifest = dict[str, Any]

_ABSENT: Final = object()
_VALUE_LENGTH: Final = 120
_LABELS: Final = (
    identity.MANAGED_BY_LABEL,  # the operator lists and watches pods by it
    identity.JOB_LABEL,
    identity.TENANT_LABEL,
    identity.PROVIDER_LABEL,
)
_ANNOTATIONS: Final = (identity.EPOCH_ANNOTATION, identity.COLD_HASH_ANNOTATION, identity.SPEC_HASH_ANNOTATION)
_HIDDEN_VARIABLE_SUFFIX: Final = "_PROXY"  # the address of a proxy may contain a password, so it is never shown
_IMAGE: Final = re.compile(r"(?:.*/)?(?P<name>[^/:@]+)(?::(?P<tag>[^/@]+))?(?:@.+)?")
_encode = msgspec.json.Encoder(order="deterministic").encode


class FieldDifference(msgspec.Struct, frozen=True):
    """A field of a pod that differs from the request. The values are texts to show; empty if they must not be shown."""

    field: str
    requested: str = ""
    actual: str = ""

    def sentence(self) -> str:
        """Return a sentence that names the field and both values."""
        if not self.requested:
            return f"{self.field} has another value than requested (not shown, because it may contain a password)."
        return f"{self.field} is {self.actual} instead of {self.requested}."


def first_difference(requested: Manifest, created: Manifest) -> FieldDifference | None:
    """Return the first field that Sluice reads and that differs in the created pod; None if there is none."""
    for differences in (_metadata_differences, _account_differences, _container_differences):
        found = next(differences(requested, created), None)
        if found is not None:
            return found
    return None


def _metadata_differences(requested: Manifest, created: Manifest) -> Iterator[FieldDifference]:
    wanted, found = requested["metadata"], created["metadata"]
    for field, names in (("labels", _LABELS), ("annotations", _ANNOTATIONS)):
        for name in names:
            path = f"metadata.{field}[{name}]"
            yield from _difference(path, wanted[field].get(name, _ABSENT), _entry(found, field).get(name, _ABSENT))
    [owner] = wanted["ownerReferences"]
    owners = {each.get("uid"): each for each in found.get("ownerReferences") or []}
    yield from _difference("metadata.ownerReferences", owner, owners.get(owner["uid"], _ABSENT))


def _account_differences(requested: Manifest, created: Manifest) -> Iterator[FieldDifference]:
    for name in ("serviceAccountName", "automountServiceAccountToken"):
        yield from _difference(f"spec.{name}", requested["spec"][name], created["spec"].get(name, _ABSENT))


def _container_differences(requested: Manifest, created: Manifest) -> Iterator[FieldDifference]:
    [wanted] = requested["spec"]["containers"]
    found = next((each for each in created["spec"]["containers"] if each["name"] == wanted["name"]), None)
    path = f"spec.containers[{wanted['name']}]"
    if found is None:
        yield FieldDifference(path, "present", "absent")
        return
    if not _is_same_image(wanted["image"], found.get("image", "")):
        yield from _difference(f"{path}.image", wanted["image"], found.get("image", _ABSENT))
    for name in ("command", "args"):
        yield from _difference(f"{path}.{name}", wanted[name], found.get(name, _ABSENT))
    yield from _variable_differences(path, wanted["env"], found.get("env") or [])
    for field, key in (("ports", "name"), ("volumeMounts", "mountPath")):
        by_key = {each.get(key): each for each in found.get(field) or []}
        for each in wanted[field]:
            yield from _difference(f"{path}.{field}[{each[key]}]", each, by_key.get(each[key], _ABSENT))


def _variable_differences(path: str, wanted: list[Manifest], found: list[Manifest]) -> Iterator[FieldDifference]:
    """Yield the variables that differ. Of several entries with one name, the last one counts, as in Kubernetes."""
    requested = {each["name"]: each for each in wanted}
    actual = {each["name"]: each for each in found}
    for name, entry in requested.items():
        field = f"{path}.env[{name}]"
        if not _contains(actual.get(name, _ABSENT), entry):
            if name.upper().endswith(_HIDDEN_VARIABLE_SUFFIX):
                yield FieldDifference(field)
                continue
            yield from _difference(field, _value_of(entry), _value_of(actual.get(name, {})))


def _value_of(entry: Manifest) -> object:
    return entry.get("value", entry.get("valueFrom", _ABSENT))


def _entry(metadata: Manifest, field: str) -> Manifest:
    found: Manifest = metadata.get(field) or {}
    return found


def _difference(field: str, wanted: object, found: object) -> Iterator[FieldDifference]:
    """Yield the difference, unless the created pod has everything that was requested."""
    if _contains(found, wanted):
        return
    first, second = _text(wanted), _text(found)
    start = next((at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), 0)
    yield FieldDifference(field, _excerpt(first, start), _excerpt(second, start))


def _contains(found: object, wanted: object) -> bool:
    """Return whether `found` has the wanted value. The API server may add fields to an object (defaults)."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _contains(found.get(name, _ABSENT), value) or (name not in found and value in (False, ""))
            for name, value in wanted.items()
        )
    return found == wanted


def _is_same_image(wanted: str, found: str) -> bool:
    """Return whether both are the same image. It may come from a mirror, or be pinned to a digest."""
    first, second = _IMAGE.fullmatch(wanted), _IMAGE.fullmatch(found)
    if first is None or second is None or first["name"] != second["name"]:
        return wanted == found
    return first["tag"] == second["tag"] or "@" in found or "@" in wanted


def _text(value: object) -> str:
    if value is _ABSENT:
        return "absent"
    return _encode(value).decode()


def _excerpt(text: str, start: int) -> str:
    """Return at most 120 characters of a text, from shortly before the position where it differs."""
    first = max(0, start - _VALUE_LENGTH // 4) if len(text) > _VALUE_LENGTH else 0
    shown = text[first : first + _VALUE_LENGTH]
    return f"{'…' if first else ''}{shown}{'…' if first + _VALUE_LENGTH < len(text) else ''}"
