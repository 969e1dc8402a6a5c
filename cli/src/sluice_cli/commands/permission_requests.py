"""What the user is permitted to do, as the API server answers."""

from __future__ import annotations

import json
from typing import Any

from ..model.fields import flag
from ..model.findings import Finding
from ..model.fleet import Unseen
from ..model.rights import Right, Rules, right_findings, rights_of_cluster, rules_of_review
from ..transport import Kubectl, Request, TransportError, output_of

_REVIEWS = "/apis/authorization.k8s.io/v1"


class PermissionRequests:
    """The processes that ask for the user's rights in one namespace, and for single rights in the cluster."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._namespace = namespace
        self._rules = _start(kubectl, "SelfSubjectRulesReview", {"namespace": namespace})
        self._cluster = {
            right: _start(kubectl, "SelfSubjectAccessReview", {"resourceAttributes": _attributes(right)})
            for right in rights_of_cluster()
        }

    def findings(self) -> tuple[list[Finding], list[Unseen]]:
        """Wait for the answers. Return the commands that would fail, and whether rights are not known."""
        review = _answer(self._rules)
        rules = rules_of_review(review) if review is not None else None
        answers = {right: _answer(request) for right, request in self._cluster.items()}
        missing = [right for right, answer in answers.items() if answer is not None and not _is_allowed(answer)]
        return list(right_findings(self._namespace, rules, missing)), _unseen(rules)

    def discard(self) -> None:
        """End the processes that nothing has waited for."""
        for each in (self._rules, *self._cluster.values()):
            each.discard()


def _unseen(rules: Rules | None) -> list[Unseen]:
    if rules is not None and rules.is_complete:
        return []
    return [Unseen("your permissions", "the API server does not list all of them; see kubectl auth can-i --list")]


def _start(kubectl: Kubectl, kind: str, spec: dict[str, Any]) -> Request:
    document = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    return kubectl.start("create", "--raw", f"{_REVIEWS}/{kind.lower()}s", "-f", "-", text=json.dumps(document))


def _attributes(right: Right) -> dict[str, str]:
    return {"verb": right.verb, "group": right.group, "resource": right.resource}


def _answer(request: Request) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(output_of(request.result()))
    except (TransportError, ValueError):
        return None
    return found


def _is_allowed(review: dict[str, Any]) -> bool:
    return bool(flag(review, "status", "allowed"))
