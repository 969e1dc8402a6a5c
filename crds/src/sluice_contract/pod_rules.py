"""Rules across the fields of spec.pod."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .pod import QUALIFIED_NAME, RESERVED_DOMAINS, SWITCHED_OFF, SWITCHED_ON, EnvironmentVariable, PodOptions
from .resource import IngestJob
from .rule import ValidationRule

_ON_OFF = f"^({'|'.join((*SWITCHED_ON, *SWITCHED_OFF))})$"
_LEVELS = ("debug", "info", "warning", "error")
_SECONDS = r"^[0-9]{1,6}([.][0-9]{1,3})?$"


def _predicate_on_pod_if_declared(holds: Callable[[PodOptions], bool]) -> Callable[[IngestJob], bool]:
    """Return a predicate that is true for a job without spec.pod, and otherwise the result of `holds`."""
    return lambda job: job.spec.pod is None or holds(job.spec.pod)


def _map_key_rules(
    field: str, map_of_pod: Callable[[PodOptions], Mapping[str, str]], reserved: tuple[str, ...]
) -> tuple[ValidationRule, ...]:
    named = ValidationRule(
        path=("spec", "pod", field),
        rule=f"self.all(key, key.size() <= 317 && key.matches(r'{QUALIFIED_NAME}'))",
        message=f"a key of spec.pod.{field} is not a qualified name: write it like example.com/name",
        holds=_predicate_on_pod_if_declared(
            lambda pod: all(re.fullmatch(QUALIFIED_NAME, key) for key in map_of_pod(pod))
        ),
    )
    starts = tuple(f"{domain}/" for domain in reserved)
    if not starts:
        return (named,)
    free = ValidationRule(
        path=("spec", "pod", field),
        rule="self.all(key, " + " && ".join(f"!key.startsWith('{start}')" for start in starts) + ")",
        message=f"spec.pod.{field} cannot have keys of {' and '.join(reserved)}: remove them (the operator sets them)",
        holds=_predicate_on_pod_if_declared(lambda pod: not any(key.startswith(starts) for key in map_of_pod(pod))),
    )
    return named, free


def _environment_value_rule(
    names: tuple[str, ...], cel: str, message: str, holds: Callable[[str], bool]
) -> ValidationRule:
    def each_holds(each: EnvironmentVariable) -> bool:
        return each.name not in names or holds(each.value)

    listed = ", ".join(f"'{name}'" for name in names)
    return ValidationRule(
        path=("spec", "pod", "env"),
        rule=f"self.all(each, !(each.name in [{listed}]) || {cel})",
        message=message,
        holds=_predicate_on_pod_if_declared(lambda pod: all(map(each_holds, pod.env))),
    )


POD_RULES = (
    *_map_key_rules("nodeSelector", lambda pod: pod.node_selector, ()),
    *_map_key_rules("labels", lambda pod: pod.labels, RESERVED_DOMAINS),
    *_map_key_rules("annotations", lambda pod: pod.annotations, RESERVED_DOMAINS),
    ValidationRule(
        path=("spec", "pod", "tolerations"),
        rule="self.all(each, has(each.key) || each.operator == 'Exists')",
        message="a toleration without a key tolerates every taint: set key, or set operator to Exists",
        holds=_predicate_on_pod_if_declared(
            lambda pod: all(each.key or each.operator == "Exists" for each in pod.tolerations)
        ),
    ),
    ValidationRule(
        path=("spec", "pod", "tolerations"),
        rule="self.all(each, !has(each.tolerationSeconds) || (has(each.effect) && each.effect == 'NoExecute'))",
        message="tolerationSeconds applies only to the effect NoExecute: set effect to NoExecute, or "
        "remove tolerationSeconds",
        holds=_predicate_on_pod_if_declared(
            lambda pod: all(each.toleration_seconds is None or each.effect == "NoExecute" for each in pod.tolerations)
        ),
    ),
    _environment_value_rule(
        ("INGEST_ENABLED",),
        f"each.value.lowerAscii().matches(r'{_ON_OFF}')",
        "INGEST_ENABLED must be one of these: on, off (or 1, true, yes, enabled, 0, false, no, disabled)",
        lambda value: re.fullmatch(_ON_OFF, value.lower()) is not None,
    ),
    _environment_value_rule(
        ("LOG_LEVEL",),
        "each.value in [" + ", ".join(f"'{level}'" for level in _LEVELS) + "]",
        f"LOG_LEVEL must be one of these: {', '.join(_LEVELS)}",
        lambda value: value in _LEVELS,
    ),
    _environment_value_rule(
        ("LOG_QUOTES",),
        "each.value in ['sampled', 'all']",
        "LOG_QUOTES must be one of these: sampled, all",
        lambda value: value in ("sampled", "all"),
    ),
    _environment_value_rule(
        ("RECONNECT_BACKOFF_BASE_S", "RECONNECT_BACKOFF_MAX_S"),
        f"each.value.matches(r'{_SECONDS}') && double(each.value) > 0.0",
        "RECONNECT_BACKOFF_BASE_S and RECONNECT_BACKOFF_MAX_S must be seconds above 0: write them like 0.5 or 60",
        lambda value: re.fullmatch(_SECONDS, value) is not None and float(value) > 0,
    ),
)
