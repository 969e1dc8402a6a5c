"""The message about a pod that the API server refuses."""

from __future__ import annotations

import pytest

from sluice_operator.domain.refusals import failure_message, refusal_message

OPENSHIFT = (
    'pods "feed-ingest" is forbidden: unable to validate against any security context constraint: [provider '
    '"restricted-v2": .spec.securityContext.fsGroup: Invalid value: []int64{65532}: 65532 is not an allowed group'
)
REMEDY = "set the operator's podUserID to platform"


@pytest.mark.parametrize(
    "refusal",
    [
        OPENSHIFT,
        "ValidatingAdmissionPolicy 'ids' denied request: runAsUser must be in the ranges: [1000570000, 1000579999]",
        "validation failure: spec.securityContext.supplementalGroups must be between 1 and 65535",
    ],
)
def test_a_refused_user_id_has_the_remedy_before_the_api_server_s_words(refusal: str) -> None:
    message = refusal_message(refusal)
    assert message.index(REMEDY) < message.index(refusal)


def test_a_refusal_that_ends_with_a_period_gets_no_second_one() -> None:
    assert "request: Add the label. Correct the cause" in refusal_message("'x' denied request: Add the label.")


def test_any_other_refusal_has_the_api_server_s_words_only() -> None:
    message = refusal_message('pods "feed-ingest" is forbidden: exceeded quota: pods')
    assert message == (
        'The API server refuses the pod: pods "feed-ingest" is forbidden: exceeded quota: pods. Correct the cause; the '
        "operator retries once a minute."
    )


def test_a_webhook_that_does_not_answer_is_named_with_its_words() -> None:
    text = 'Internal error occurred: failed calling webhook "pods.example.com": dial tcp 10.0.0.1:443: refused'
    message = failure_message(text)
    assert text in message
    assert "Restore the admission webhook pods.example.com, or exempt the pods" in message


def test_the_quoted_words_of_a_failure_are_bounded() -> None:
    assert len(failure_message("x" * 10_000)) < 1024
