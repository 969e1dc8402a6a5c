from sluice_cli.model.redacted_objects import redacted, secret_values
from sluice_cli.text.redaction import REDACTED, Redactor
from support.fake_kubectl import job

POD = {
    "metadata": {
        "annotations": {"sluice.dev/epoch": "7", "kubectl.kubernetes.io/last-applied-configuration": "planted"},
        "managedFields": [{"manager": "kubectl"}],
    },
    "spec": {
        "containers": [
            {
                "name": "ingest",
                "env": [
                    {"name": "SLUICE_JOB", "value": "{long document}"},
                    {"name": "DESK_LOGIN", "value": "planted value"},
                    {"name": "SLUICE_HTTP_TOKEN", "value": "planted token"},
                    {"name": "SHORT", "value": "on"},
                    {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
            }
        ]
    },
}


def test_environment_annotations_and_managed_fields_have_no_values() -> None:
    found = redacted(POD, Redactor())
    assert found["metadata"] == {
        "annotations": {"sluice.dev/epoch": "7", "kubectl.kubernetes.io/last-applied-configuration": REDACTED}
    }
    env = found["spec"]["containers"][0]["env"]
    assert [each.get("value") for each in env] == [REDACTED] * 4 + [None]
    assert env[-1]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}


def test_a_field_with_a_secret_name_has_no_value_and_a_reference_stays() -> None:
    value = {"token": "planted", "tokenSecretRef": {"name": "http"}, "keys": ["a"], "count": 1, "password": ""}
    assert redacted(value, Redactor()) == {**value, "token": REDACTED}


def test_the_values_of_variables_of_users_are_secrets_elsewhere() -> None:
    document = job()
    document["spec"]["pod"] = {"env": [{"name": "DESK", "value": "one long\nplanted line"}]}
    assert set(secret_values([POD, document])) == {
        "planted value",
        "planted token",
        "one long\nplanted line",
        "one long",
        "planted line",
    }


def test_the_word_after_an_argument_for_a_password_is_a_secret() -> None:
    assert redacted(["run", "--http-password", "planted", "--verbose", "on"], Redactor()) == [
        "run",
        "--http-password",
        REDACTED,
        "--verbose",
        "on",
    ]
