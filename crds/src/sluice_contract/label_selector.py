"""Selection of objects by their labels, with the fields and the semantics of metav1.LabelSelector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from .base import CamelStruct
from .pod import QUALIFIED_NAME, Key, LabelValue
from .rule import SchemaRule

LabelOperator = Literal["In", "NotIn", "Exists", "DoesNotExist"]

_KEY_RULE: Final = {
    "rule": f"self.matches(r'{QUALIFIED_NAME}')",
    "message": "write the key of a label like example.com/name, or like name without a prefix",
}
SelectorKey = Annotated[Key, Meta(extra_json_schema={"x-kubernetes-validations": [_KEY_RULE]})]

# A selector is replaced as a whole: with keyed parts, the apply of a second field manager would change what it selects.
ATOMIC_MAP: Final[dict[str, Any]] = {"x-kubernetes-map-type": "atomic"}


class LabelRequirement(CamelStruct, frozen=True):
    """A requirement on one label."""

    key: Annotated[SelectorKey, Meta(description="The key of the label.")]
    operator: Annotated[
        LabelOperator,
        Meta(
            description="In: the label has one of values. NotIn: it has none of them, or is absent. Exists: it is "
            "present. DoesNotExist: it is absent."
        ),
    ]
    values: Annotated[
        list[LabelValue], Meta(min_length=1, max_length=50, description="The values, with operators In and NotIn.")
    ] = []  # noqa: RUF012  msgspec copies an empty default

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels meet the requirement."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
        return self.key not in labels


class LabelSelector(CamelStruct, frozen=True):
    """A selection by labels. All requirements must be met, so the empty selector selects everything."""

    match_labels: Annotated[
        dict[Key, LabelValue], Meta(max_length=10, description="Labels that must be present with these values.")
    ] = {}  # noqa: RUF012
    match_expressions: Annotated[
        list[LabelRequirement], Meta(max_length=10, description="Requirements on single labels.")
    ] = []  # noqa: RUF012

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with these labels is selected."""
        has_all = all(labels.get(key) == value for key, value in self.match_labels.items())
        return has_all and all(each.matches(labels) for each in self.match_expressions)


def selector_rules(*path: str) -> tuple[SchemaRule, ...]:
    """Return the rules of a selector at this path below the root of the schema."""
    return (
        SchemaRule(
            path=(*path, "matchLabels"),
            rule=f"self.all(key, key.size() <= 317 && key.matches(r'{QUALIFIED_NAME}'))",
            message=_KEY_RULE["message"],
        ),
        SchemaRule(
            path=(*path, "matchExpressions", "[]"),
            rule="(self.operator in ['Exists', 'DoesNotExist']) != has(self.values)",
            message="values are needed with the operators In and NotIn, and only with these: add values, or remove "
            "them",
        ),
    )
