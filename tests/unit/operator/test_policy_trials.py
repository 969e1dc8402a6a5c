"""What the response to a dry run proves about a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_operator.domain import policy_trials
from sluice_operator.domain.policy_trials import Trial, TrialOutcome, TrialResult

BASE = Path(__file__).parents[3] / "manifests/base"
OWN = Trial("sluice-operator", "sluice-system")
SHAPE = Trial("sluice-pod-shape", "sluice-system")
TENANT = Trial("sluice-tenant-required", "kube-system")
USER = "system:serviceaccount:sluice-system:sluice-operator"
# The texts of a kube-apiserver 1.34.
BY_RBAC = f'pods is forbidden: User "{USER}" cannot create resource "pods" in API group "" in the namespace "other"'
BY_POLICY = (
    "pods \"sluice-trial-operator\" is forbidden: ValidatingAdmissionPolicy 'sluice-operator' with binding "
    "'sluice-operator' denied request: The operator may create and delete only ingest pods."
)
BY_ITS_END = (
    'pods "sluice-trial-operator" is forbidden: unable to create new content in namespace acme because it is being '
    "terminated"
)


def result(outcome: TrialOutcome, trial: Trial = OWN, message: str = "") -> TrialResult:
    return TrialResult(trial, outcome, message)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (BY_POLICY, TrialOutcome.REFUSED_BY_POLICY),
        (BY_RBAC, TrialOutcome.HAS_NO_RIGHT),
        (BY_ITS_END, TrialOutcome.HAS_NO_RIGHT),
        (BY_POLICY.replace("'sluice-operator'", "'platform-policy'"), TrialOutcome.REFUSED_BY_OTHER),
        (BY_POLICY.replace("'sluice-operator'", "'sluice-operator-2'"), TrialOutcome.REFUSED_BY_OTHER),
        ('pods "sluice-trial-operator" is forbidden: exceeded quota: pods', TrialOutcome.REFUSED_BY_OTHER),
        ('admission webhook "sluice-operator" denied the request', TrialOutcome.REFUSED_BY_OTHER),
        ("error looking up service account sluice-system/default", TrialOutcome.REFUSED_BY_OTHER),
    ],
)
def test_only_a_refusal_by_the_policy_or_by_rbac_is_a_proof(message: str, outcome: TrialOutcome) -> None:
    found = policy_trials.result_of_refusal(OWN, message)
    assert found == TrialResult(OWN, outcome, message)
    assert found.is_proof == (outcome in (TrialOutcome.REFUSED_BY_POLICY, TrialOutcome.HAS_NO_RIGHT))


def test_the_trials_are_in_the_operator_s_namespace_in_the_watched_ones_and_in_one_without_a_tenant() -> None:
    assert policy_trials.trials_of_operator("sluice-system", ()) == (OWN, SHAPE, TENANT)
    watched = policy_trials.trials_of_operator("acme", ("acme", "beta"))
    assert watched == (*(Trial(each.policy, place) for each in (OWN, SHAPE) for place in ("acme", "beta")), TENANT)


def test_each_trial_pod_is_named_after_its_policy() -> None:
    names = [
        policy_trials.trial_pod_manifest(trial, "sluice-runtime:1")["metadata"]["name"]
        for trial in (OWN, SHAPE, TENANT)
    ]
    assert names == ["sluice-trial-operator", "sluice-trial-pod-shape", "sluice-trial-tenant-required"]


def test_an_inconclusive_result_keeps_the_earlier_one() -> None:
    proven, lost = result(TrialOutcome.REFUSED_BY_POLICY), result(TrialOutcome.NO_ANSWER, message="no answer")
    assert policy_trials.merged_results((proven,), (lost,)) == (proven,)
    assert policy_trials.merged_results((), (lost,)) == (lost,)
    newer = result(TrialOutcome.NO_ANSWER, message="another error")
    assert policy_trials.merged_results((lost,), (newer,)) == (newer,)
    admitted = result(TrialOutcome.ADMITTED)
    assert policy_trials.merged_results((proven,), (admitted,)) == (admitted,)


def test_there_is_no_problem_once_each_trial_is_a_proof() -> None:
    other = result(TrialOutcome.HAS_NO_RIGHT, TENANT)
    assert policy_trials.problem_of_results((result(TrialOutcome.REFUSED_BY_POLICY), other)) is None


def test_before_the_first_trials_no_one_has_to_act() -> None:
    found = policy_trials.problem_of_results(())
    assert found is not None
    assert not found.needs_action


def test_an_admitted_pod_is_named_with_its_policy_and_what_to_do() -> None:
    found = policy_trials.problem_of_results(
        (result(TrialOutcome.REFUSED_BY_OTHER), result(TrialOutcome.ADMITTED, TENANT))
    )
    assert found is not None
    assert found.needs_action
    assert found.message == (
        "Policy sluice-tenant-required does not limit the operator's account: the API server admits the pod "
        "sluice-trial-tenant-required in namespace kube-system (a dry run), which the policy has to refuse. Apply the "
        "policies of manifests/base with their bindings, and run the operator as a ServiceAccount with the name "
        "sluice-operator, without kustomize's namePrefix or nameSuffix."
    )


@pytest.mark.parametrize("outcome", [TrialOutcome.REFUSED_BY_OTHER, TrialOutcome.NO_ANSWER])
def test_a_failed_dry_run_is_shown_with_the_api_server_s_text(outcome: TrialOutcome) -> None:
    found = policy_trials.problem_of_results((result(outcome, message="exceeded quota: pods."),))
    assert found is not None
    assert found.needs_action == (outcome is TrialOutcome.REFUSED_BY_OTHER)
    assert found.message == (
        "It is not known whether policy sluice-operator limits the operator's account: the dry run of the pod "
        "sluice-trial-operator in namespace sluice-system failed for another reason: exceeded quota: pods. Correct the "
        "cause; the operator retries every few seconds."
    )


def pod_policies_about_operator() -> dict[str, dict[str, str]]:
    """Return the match conditions, by name, of each policy of the base that the operator's creation of a pod meets."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(BASE.glob("policy-*.yaml")):
        policy: dict[str, Any] = next(yaml.safe_load_all(file.read_text()))
        conditions = {each["name"]: each["expression"] for each in policy["spec"].get("matchConditions", [])}
        rules = policy["spec"]["matchConstraints"]["resourceRules"]
        creates_pods = any("CREATE" in rule["operations"] and "pods" in rule["resources"] for rule in rules)
        if creates_pods and any(":sluice-operator$" in expression for expression in conditions.values()):
            found[policy["metadata"]["name"]] = conditions
    return found


def test_each_policy_about_the_operator_s_pods_has_a_trial_and_ignores_those_of_the_others() -> None:
    policies = pod_policies_about_operator()
    assert set(policies) == {*policy_trials.POD_POLICIES, policy_trials.TENANT_POLICY}
    for name, conditions in policies.items():
        expression = conditions["is-not-the-trial-of-another-policy"]
        assert f"startsWith('{policy_trials.NAME_PREFIX}')" in expression
        assert f"request.name != '{Trial(name, '').pod_name}'" in expression
