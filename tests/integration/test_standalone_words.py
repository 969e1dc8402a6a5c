"""What a user without a cluster reads after each type of failure has no terms of Kubernetes.

The runtime runs as a process against the simulated vendor and the real emulator. Also looked for: the sentences of an
invalid document, the remedies in the heartbeat, and the errors of each command.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import AuthError, HttpError, NoWelcome
from sluice_simulators.alpaca.stream_faults import Close, SlowClient
from support.certificates import self_signed
from support.site import eventually
from support.standalone import Machine
from support.upstream import Upstream

CLUSTER_TERMS = re.compile(r"\b(Secrets?|[Pp]ods?|kubectl|[Nn]amespaces?|ConfigMaps?|\w*MapRef|IngestJob status)\b")


@pytest.fixture
def machine(tmp_path: Path, emulator: str) -> Machine:
    made = Machine(tmp_path, emulator, f"words-{uuid.uuid4().hex[:8]}")
    made.environment |= {"ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": "secret"}
    return made


def streaming_from(url: str) -> dict[str, Any]:
    return {
        "provider": "alpaca",
        "synthetic": None,
        "alpaca": {"streamURL": url, "credentialsSecretRef": {"name": "k"}},
    }


def failure_in_heartbeat(machine: Machine) -> dict[str, str]:
    """Return the texts of the failure in the heartbeat document; empty if there is none."""
    try:
        failure = machine.heartbeat().get("failure") or {}
    except ValueError:  # no heartbeat has been written
        return {}
    return {name: str(value) for name, value in failure.items()}


def texts_after_failure(machine: Machine, kind: str, *, lasts: bool = True) -> list[str]:
    """Run the document until a failure of this type is reported, and return the texts of the log and the reports.

    The last two texts are the message and the remedy in the heartbeat of a failure that lasts.
    """
    with machine.running():
        eventually(lambda: any(line.get("failure") == kind for line in machine.log_lines()), seconds=60)
        lines = [line["message"] for line in machine.log_lines()]
        if not lasts:
            return lines
        eventually(lambda: machine.status().get("failure", {}).get("type") == kind, seconds=60)
        eventually(lambda: failure_in_heartbeat(machine).get("type") == kind, seconds=60)
        failure = failure_in_heartbeat(machine)
        return [*lines, machine.status()["failure"]["message"], failure["message"], failure["remedy"]]


def check_words(texts: list[str]) -> None:
    assert texts
    assert [each for each in texts if CLUSTER_TERMS.search(each)] == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (HttpError(status=401), "auth"),
        (AuthError(409), "entitlement"),
        (AuthError(406), "connectionLimit"),
        (HttpError(status=503), "network"),
        (NoWelcome(), "stall"),
        (Close(code=1011), "upstreamClosed"),
        (SlowClient(), "slowClient"),
    ],
    ids=str,
)
def test_each_failure_of_the_provider_has_no_terms_of_a_cluster(machine: Machine, fault: Fault, kind: str) -> None:
    with Upstream() as upstream:
        upstream.script(fault)
        machine.declare(**streaming_from(upstream.url))
        check_words(texts_after_failure(machine, kind, lasts=False))


def test_a_refused_key_pair_has_no_terms_of_a_cluster(machine: Machine) -> None:
    machine.environment["ALPACA_SECRET_KEY"] = "another"
    with Upstream() as upstream:
        machine.declare(**streaming_from(upstream.url))
        texts = texts_after_failure(machine, "auth")
    check_words(texts)
    assert "check the key pair in the environment" in texts[-2]


def test_an_untrusted_certificate_has_no_terms_of_a_cluster(machine: Machine, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with Upstream("--tls-cert", str(certificate), "--tls-key", str(key)) as upstream:
        machine.declare(**streaming_from(upstream.url))
        texts = texts_after_failure(machine, "certificate")
    check_words(texts)
    assert "SSL_CERT_FILE" in texts[-2]


def test_a_missing_tape_has_no_terms_of_a_cluster(machine: Machine) -> None:
    machine.declare(provider="replay", synthetic=None, replay={"tape": {"configMapRef": {"name": "t", "key": "a.csv"}}})
    texts = texts_after_failure(machine, "configuration")
    check_words([each.replace("spec.replay.tape.configMapRef", "") for each in texts])
    assert "the tape a.csv does not exist; copy it to " in texts[-2]


@pytest.mark.parametrize(
    "spec",
    [
        {"provider": "replay", "synthetic": None},
        {"provider": "alpaca", "synthetic": None},
        {"provider": "alpaca", "synthetic": None, "alpaca": {"credentialsSecretRef": {}}},
        {"tenant": "A B"},
        {"firestore": {"projectID": "x"}},
        {"firestore": {"credentialsSecretRef": {"name": "A B"}}},
        {"http": {"public": 1}},
        {"http": {"tokenSecretRef": {}}},
        {"limits": {"burst": 0}},
        {"symbols": []},
    ],
    ids=str,
)
def test_an_invalid_document_is_explained_without_terms_of_a_cluster(machine: Machine, spec: dict[str, Any]) -> None:
    machine.declare(**spec)
    code, text = machine.complaint("run", "-f", str(machine.document))
    assert code == 2
    check_words([text.replace("credentialsSecretRef", "").replace("tokenSecretRef", "")])
    assert "\n" not in text.strip()


@pytest.mark.parametrize("missing", ["ALPACA_KEY_ID", "ALPACA_SECRET_KEY"])
@pytest.mark.parametrize("command", ["run", "smoke", "preflight"])
def test_each_command_names_the_missing_one_of_two_keys(machine: Machine, command: str, missing: str) -> None:
    machine.declare(**streaming_from("ws://127.0.0.1:9"))
    del machine.environment[missing]
    code, text = machine.complaint(command, "-f", str(machine.document))
    if command == "preflight":  # nothing is asked at another server than Alpaca's
        machine.environment["APCA_API_BASE_URL"] = "http://127.0.0.1:9"
        code, text = machine.complaint(command, "-f", str(machine.document))
    assert code == 2
    assert text.startswith(f"sluice-runtime: {missing} is not set, although ")
    check_words([text])


def test_a_key_pair_that_leaves_the_machine_without_encryption_causes_one_warning(machine: Machine) -> None:
    machine.declare(**streaming_from("ws://stream.invalid/v2/iex"))
    texts = texts_after_failure(machine, "network")
    warnings = [each for each in texts if each.startswith("the key pair is sent without encryption")]
    assert warnings == [
        "the key pair is sent without encryption to ws://stream.invalid, and everyone on the way can read it; use a "
        "URL with wss:// or https://"
    ]
    check_words(texts)
