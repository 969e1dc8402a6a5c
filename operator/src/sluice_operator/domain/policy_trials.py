"""The trials of the admission policies that limit the operator's account: the pods, and what a response proves.

A trial is a dry run: the API server checks the creation of a pod and stores nothing. Each pod breaks the rule of one
policy. While dry runs are refused, the policy works for this account; a pod that passes shows that it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

from .observation import PolicyProblem

# Each has to refuse its trial pod in every namespace in which the operator may create pods.
POD_POLICIES: Final = ("sluice-operator", "sluice-pod-shape")
# Has to refuse its trial pod in a namespace that serves no tenant. This one exists on each cluster.
TENANT_POLICY: Final = "sluice-tenant-required"
NAMESPACE_WITHOUT_TENANT: Final = "kube-system"

# The other policies ignore a dry run of a pod with this prefix, so that a refusal proves the policy in its name.
NAME_PREFIX: Final = "sluice-trial-"

# RBAC refuses the request, or no pod can be created in the namespace at all.
_HAS_NO_RIGHT: Final = re.compile(r'cannot create resource "pods"|because it is being terminated')


class Trial(msgspec.Struct, frozen=True):
    """A pod that a policy has to refuse in a namespace."""

    policy: str
    namespace: str

    @property
    def pod_name(self) -> str:
        """The name of the pod, which says to the policies whose trial it is."""
        return NAME_PREFIX + self.policy.removeprefix("sluice-")


class TrialOutcome(Enum):
    """What the response to a trial proves."""

    REFUSED_BY_POLICY = 1
    HAS_NO_RIGHT = 2  # the account cannot create pods in the namespace, so the policy has nothing to refuse there
    ADMITTED = 3
    REFUSED_BY_OTHER = 4  # a quota or a webhook refused the pod, so nothing is known about the policy
    NO_ANSWER = 5


_INCONCLUSIVE: Final = frozenset({TrialOutcome.REFUSED_BY_OTHER, TrialOutcome.NO_ANSWER})


class TrialResult(msgspec.Struct, frozen=True):
    """The result of a trial. `message` is that of the API server, or says why there is no answer."""

    trial: Trial
    outcome: TrialOutcome
    message: str = ""

    @property
    def is_proof(self) -> bool:
        """Whether the account cannot create such a pod in the namespace of the trial."""
        return self.outcome in (TrialOutcome.REFUSED_BY_POLICY, TrialOutcome.HAS_NO_RIGHT)

    @property
    def is_conclusive(self) -> bool:
        """Whether the result says anything about the policy."""
        return self.outcome not in _INCONCLUSIVE


def trials_of_operator(own_namespace: str, watched_namespaces: Iterable[str]) -> tuple[Trial, ...]:
    """Return the trials of an operator that runs in `own_namespace`. No watched namespaces means all."""
    places = tuple(dict.fromkeys((own_namespace, *watched_namespaces)))
    in_each = tuple(Trial(policy, namespace) for policy in POD_POLICIES for namespace in places)
    return (*in_each, Trial(TENANT_POLICY, NAMESPACE_WITHOUT_TENANT))


def trial_pod_manifest(trial: Trial, image: str) -> dict[str, Any]:
    """Return the pod of a trial. Pod Security's level `restricted` admits it, so that the policy is what refuses it.

    It has the image of the ingest pods, which a policy about images has to admit anyway.
    """
    container = {
        "name": "trial",
        "image": image,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": trial.pod_name, "namespace": trial.namespace},
        "spec": {
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }


def result_of_refusal(trial: Trial, message: str) -> TrialResult:
    """Return the result of a trial that the API server refused with `message`.

    A quota or a webhook that refuses the pod proves nothing: it may admit the pod of an intruder.
    """
    if f"ValidatingAdmissionPolicy '{trial.policy}'" in message:
        return TrialResult(trial, TrialOutcome.REFUSED_BY_POLICY, message)
    if _HAS_NO_RIGHT.search(message):
        return TrialResult(trial, TrialOutcome.HAS_NO_RIGHT, message)
    return TrialResult(trial, TrialOutcome.REFUSED_BY_OTHER, message)


def merged_results(earlier: Sequence[TrialResult], new: Sequence[TrialResult]) -> tuple[TrialResult, ...]:
    """Return the new result of each trial, or its earlier result if the new one is not conclusive."""
    known = {each.trial: each for each in earlier if each.is_conclusive}
    return tuple(each if each.is_conclusive else known.get(each.trial, each) for each in new)


def problem_of_results(results: Sequence[TrialResult]) -> PolicyProblem | None:
    """Return why the policies are not proven to limit the operator's account; None if they are."""
    if not results:
        return PolicyProblem("The operator has not yet checked that the policies limit its account; it does so now.")
    admitted = next((each for each in results if each.outcome is TrialOutcome.ADMITTED), None)
    if admitted is not None:
        return PolicyProblem(_sentence_if_admitted(admitted.trial), needs_action=True)
    unknown = next((each for each in results if not each.is_conclusive), None)
    if unknown is None:
        return None
    return PolicyProblem(_sentence_if_unknown(unknown), unknown.outcome is TrialOutcome.REFUSED_BY_OTHER)


def _sentence_if_admitted(trial: Trial) -> str:
    return (
        f"Policy {trial.policy} does not limit the operator's account: the API server admits the pod {trial.pod_name} "
        f"in namespace {trial.namespace} (a dry run), which the policy has to refuse. Apply the policies of "
        "manifests/base with their bindings, and run the operator as a ServiceAccount with the name sluice-operator, "
        "without kustomize's namePrefix or nameSuffix."
    )


def _sentence_if_unknown(result: TrialResult) -> str:
    trial = result.trial
    return (
        f"It is not known whether policy {trial.policy} limits the operator's account: the dry run of the pod "
        f"{trial.pod_name} in namespace {trial.namespace} failed for another reason: {result.message.rstrip('.')}. "
        "Correct the cause; the operator retries every few seconds."
    )
