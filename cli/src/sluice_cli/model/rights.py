"""What each command must be permitted to do, and which commands would fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .fields import objects, texts
from .findings import NOTE, Finding

GROUP = "sluice.dev"
NAMESPACE, CLUSTER, SYSTEM = "the namespace", "the cluster", "sluice-system"


class Right(NamedTuple):
    """A permission: a verb for a resource of a group, in the namespace of the jobs, the cluster, or sluice-system."""

    verb: str
    group: str
    resource: str
    where: str = NAMESPACE


# Only what a command cannot do without. docs/kubectl-sluice.md has the whole table, and a test compares them.
NEEDS: dict[str, tuple[Right, ...]] = {
    "status": (Right("list", GROUP, "ingestjobs"),),
    "pause JOB": (Right("create", GROUP, "ingestpauses"),),
    "pause --fleet": (
        Right("create", GROUP, "clusteringestpauses", CLUSTER),
        Right("list", GROUP, "ingestjobs", CLUSTER),
    ),
    "resume JOB": (
        Right("list", GROUP, "ingestpauses"),
        Right("delete", GROUP, "ingestpauses"),
        Right("list", GROUP, "ingestjobs"),
    ),
    "purge JOB": (
        Right("get", GROUP, "ingestjobs"),
        Right("get", "", "pods"),
        Right("create", "", "pods"),
        Right("create", GROUP, "ingestjobs/pods"),
    ),
}


class Rules(NamedTuple):
    """The rules that the API server lists for the user in one namespace. It may not know all of them."""

    rules: tuple[dict[str, Any], ...]
    is_complete: bool

    def permits(self, right: Right) -> bool:
        """Return whether a rule permits this, or whether that is not known."""
        return not self.is_complete or any(_permits(each, right) for each in self.rules)


def rules_of_review(review: dict[str, Any]) -> Rules:
    """Return the rules of a SelfSubjectRulesReview."""
    status = review.get("status") if isinstance(review.get("status"), dict) else {}
    return Rules(tuple(objects(review, "status", "resourceRules")), not (status or {}).get("incomplete"))


def rights_of_cluster() -> tuple[Right, ...]:
    """Return the rights in the whole cluster that commands need; each has to be asked for by itself."""
    return tuple(dict.fromkeys(right for needs in NEEDS.values() for right in needs if right.where == CLUSTER))


def right_findings(namespace: str, rules: Rules | None, missing_in_cluster: Iterable[Right]) -> Iterator[Finding]:
    """Yield a finding for each command that would fail. `rules` are those in `namespace`; None: not known."""
    absent = set(missing_in_cluster)
    for command, needs in NEEDS.items():
        lacking = [each for each in needs if _is_missing(each, rules, absent)]
        if lacking:
            said = " and ".join(f"{each.verb} {each.resource} in {_place(each, namespace)}" for each in lacking)
            message = f"kubectl sluice {command} would fail: you may not {said}"
            remedy = "Ask an administrator for it, if you need the command: the roles are in docs/kubectl-sluice.md."
            yield Finding(NOTE, "permissions", "you", message, remedy)


def _is_missing(right: Right, rules: Rules | None, absent: set[Right]) -> bool:
    if right.where == CLUSTER:
        return right in absent
    return rules is not None and not rules.permits(right)


def _place(right: Right, namespace: str) -> str:
    return {NAMESPACE: f"namespace {namespace}", CLUSTER: "the cluster"}.get(right.where, f"namespace {right.where}")


def _permits(rule: dict[str, Any], right: Right) -> bool:
    if rule.get("resourceNames"):
        return False
    _, has_part, part = right.resource.partition("/")
    names = (right.resource, f"*/{part}") if has_part else (right.resource,)
    wanted = ((right.verb,), (right.group,), names)
    given = (texts(rule, "verbs"), texts(rule, "apiGroups"), texts(rule, "resources"))
    return all("*" in each or set(each) & set(values) for each, values in zip(given, wanted))
