"""The bounds of spec.pod that the platform sets: PriorityClasses, and the keys of metadata, node labels and taints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from sluice_contract.pod import PodOptions

from .denials import Denial, allowed_entries_text, entries_of_setting, request_text

PRIORITY_CLASSES_VARIABLE: Final = "SLUICE_POD_PRIORITY_CLASSES"
METADATA_VARIABLE: Final = "SLUICE_POD_METADATA_DOMAINS"
NODE_KEY_VARIABLE: Final = "SLUICE_POD_NODE_KEY_DOMAINS"
ANY: Final = "*"

_ENTRY = re.compile(r"\*|!?[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?")


class KeyBounds(msgspec.Struct, frozen=True):
    """The keys that one setting allows. An entry is a domain, which stands for all keys DOMAIN/NAME, or a whole key."""

    allowed: tuple[str, ...]  # *: every key
    denied: tuple[str, ...] = ()  # takes precedence

    def allows(self, key: str) -> bool:
        """Return whether the setting allows the key."""
        return not self.denies(key) and (ANY in self.allowed or _matches(key, self.allowed))

    def denies(self, key: str) -> bool:
        """Return whether an entry with an exclamation mark excludes the key."""
        return _matches(key, self.denied)

    @property
    def allows_every_key(self) -> bool:
        """Whether there is no key that the setting does not allow."""
        return ANY in self.allowed and not self.denied


def parse_key_bounds(text: str, variable: str) -> KeyBounds:
    """Return the bounds from the text of a variable, whose entries are separated by commas or spaces.

    Raises:
        ValueError: an entry is malformed. The message names it and says how to write it.
    """
    entries = entries_of_setting(text)
    for entry in entries:
        if not _ENTRY.fullmatch(entry):
            raise ValueError(
                f"{variable} has the entry {entry!r}: write a domain or a key, such as example.com, * for every key, "
                "or !example.com to exclude a domain"
            )
    return KeyBounds(
        allowed=tuple(each for each in entries if not each.startswith("!")),
        denied=tuple(each[1:] for each in entries if each.startswith("!")),
    )


class PodBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a job may set in spec.pod."""

    priority_classes: tuple[str, ...] = ()
    metadata_keys: KeyBounds = KeyBounds(("prometheus.io", "cluster-autoscaler.kubernetes.io"))
    node_keys: KeyBounds = KeyBounds((ANY,), ("node-role.kubernetes.io", "node.kubernetes.io"))


def denied_pod_fields(pod: PodOptions, bounds: PodBounds) -> Iterator[Denial]:
    """Yield each value of spec.pod that the bounds do not allow."""
    chosen, classes = pod.priority_class_name, bounds.priority_classes
    if chosen is not None and chosen not in classes and ANY not in classes:
        yield _denied_priority_class(chosen, classes)
    for field, keys in (("labels", pod.labels), ("annotations", pod.annotations)):
        for key in keys:
            if not _allows_metadata_key(key, bounds.metadata_keys):
                yield _denied_key(field, key, METADATA_VARIABLE, bounds.metadata_keys)
    for key in pod.node_selector:
        if not bounds.node_keys.allows(key):
            yield _denied_key("nodeSelector", key, NODE_KEY_VARIABLE, bounds.node_keys)
    yield from _denied_tolerations(pod, bounds.node_keys)


def _denied_tolerations(pod: PodOptions, bounds: KeyBounds) -> Iterator[Denial]:
    for number, toleration in enumerate(pod.tolerations):
        if toleration.key is None:
            if not bounds.allows_every_key:
                yield _denied_toleration_without_key(number)
        elif not bounds.allows(toleration.key):
            yield _denied_key("tolerations", toleration.key, NODE_KEY_VARIABLE, bounds)


def _allows_metadata_key(key: str, bounds: KeyBounds) -> bool:
    """Return whether a job may set this label or annotation. A key without a domain belongs to the user."""
    return bounds.allows(key) or ("/" not in key and not bounds.denies(key))


def _matches(key: str, entries: tuple[str, ...]) -> bool:
    domain, separator, _ = key.partition("/")
    return key in entries or bool(separator and domain in entries)


def _denied_priority_class(name: str, allowed: tuple[str, ...]) -> Denial:
    field = "spec.pod.priorityClassName"
    return Denial(
        field,
        f"{field} is {name}, which the platform does not allow. Use an allowed PriorityClass "
        f"({allowed_entries_text(allowed)}), remove the field, or {request_text(name, PRIORITY_CLASSES_VARIABLE)}.",
    )


def _denied_key(name: str, key: str, variable: str, bounds: KeyBounds) -> Denial:
    field = f"spec.pod.{name}"
    if bounds.denies(key):
        way = f"Remove it: the platform excludes it in {variable}."
    else:
        way = f"Remove it, or {request_text(key.partition('/')[0], variable)}."
    return Denial(field, f"{field} has the key {key}, which the platform does not allow. {way}")


def _denied_toleration_without_key(number: int) -> Denial:
    return Denial(
        "spec.pod.tolerations",
        f"spec.pod.tolerations[{number}] has no key, so it tolerates every taint, which the platform does not allow. "
        "Set its key to that of the taint.",
    )
