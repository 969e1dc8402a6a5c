"""The other decisions of the node agent: restarts, probes, logs, addresses, scheduling, unsupported fields."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice_devcluster.node import addresses, kubelet_api, logs, probes, restarts, scheduler
from sluice_devcluster.node.containers import unsupported_container_reason
from sluice_devcluster.node.logs import LogSelection

LINES = [b"2026-01-01T00:00:0%d.000000000Z line %d" % (number, number) for number in range(3)]
NOW = dt.datetime(2026, 1, 1, 0, 0, 2, 500000, tzinfo=dt.UTC)


def delays(*ran_for: float, base: float = 10.0) -> list[float]:
    backoff, found = restarts.RestartBackoff(base), []
    for seconds in ran_for:
        delay, backoff = backoff.after_run(seconds)
        found.append(delay)
    return found


def test_the_first_restart_is_at_once_and_the_next_ones_wait_longer_each_time() -> None:
    assert delays(*[1.0] * 8) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_run_of_ten_minutes_resets_the_backoff() -> None:
    assert delays(1, 1, 1, 600, 1) == [0, 10, 20, 0, 10]


def test_the_base_of_the_backoff_can_be_set() -> None:
    assert delays(1, 1, 1, base=0.5) == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_decides(policy: str, code: int, again: bool) -> None:
    assert restarts.is_restarted(policy, code) is again


def judged(*outcomes: bool, healthy: bool, probe: dict[str, Any]) -> probes.ProbeState:
    verdict = probes.ProbeState(healthy)
    for outcome in outcomes:
        verdict = verdict.after_attempt(outcome, probe)
    return verdict


def test_a_probe_changes_its_result_only_at_its_thresholds() -> None:
    probe = {"successThreshold": 2, "failureThreshold": 2}
    assert not judged(True, healthy=False, probe=probe).healthy
    assert judged(True, True, healthy=False, probe=probe).healthy
    assert judged(False, healthy=True, probe=probe).healthy
    assert not judged(False, False, healthy=True, probe=probe).healthy
    assert not judged(True, False, True, healthy=False, probe=probe).healthy


def test_a_success_resets_the_failures_of_a_probe() -> None:
    assert not judged(False, False, True, False, healthy=True, probe={}).has_reached_failure_threshold({})
    assert judged(False, False, False, healthy=True, probe={}).has_reached_failure_threshold({})


def test_a_probe_finds_its_port_by_number_or_name() -> None:
    container = {"ports": [{"name": "web", "containerPort": 80}]}
    ports = [probes.probe_port_number(port, container) for port in (8080, "8081", "web", "none")]
    assert ports == [8080, 8081, 80, None]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [b"line 0", b"line 1", b"line 2"]),
        ({"tailLines": "1"}, [b"line 2"]),
        ({"tailLines": "0"}, []),
        ({"sinceSeconds": "1"}, [b"line 2"]),
        ({"sinceTime": "2026-01-01T00:00:01Z"}, [b"line 1", b"line 2"]),
        ({"tailLines": "1", "timestamps": "true"}, [LINES[2]]),
    ],
)
def test_log_lines_are_chosen_as_kubectl_asks(query: dict[str, str], expected: list[bytes]) -> None:
    assert logs.select_lines(LINES, kubelet_api.parse_log_query(query, NOW)) == expected


def test_choosing_everything_is_the_default() -> None:
    assert kubelet_api.parse_log_query({}, NOW) == LogSelection()


def test_a_pods_address_is_stable_and_its_own() -> None:
    first = addresses.pod_address("uid")
    assert first == addresses.pod_address("uid")
    assert first.startswith("127.")
    assert 64 <= int(first.split(".")[1]) < 128
    assert addresses.pod_address("uid", [first]) != first


def test_a_pod_goes_only_where_its_selector_allows() -> None:
    pod = {"spec": {"nodeSelector": {"disk": "ssd"}}}
    assert scheduler.unschedulable_reason(pod, {"disk": "ssd", "os": "linux"}) is None
    assert "didn't match" in str(scheduler.unschedulable_reason(pod, {"os": "linux"}))
    assert scheduler.unschedulable_reason({"spec": {}}, {}) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"command": None}, "explicit command"),
        ({"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "x"}]}, "subPath"),
        ({"livenessProbe": {"exec": {"command": ["true"]}}}, "livenessProbe"),
        ({"lifecycle": {"preStop": {}}}, "lifecycle"),
        ({"restartPolicy": "Never"}, "restart rules"),
        ({"restartPolicy": "Always", "restartPolicyRules": [{"action": "Restart"}]}, "restart rules"),
    ],
)
def test_the_node_reports_what_it_does_not_support(fields: dict[str, Any], words: str) -> None:
    assert words in str(unsupported_container_reason({"name": "main", "command": ["true"], **fields}))


@pytest.mark.parametrize("fields", [{"readinessProbe": {"tcpSocket": {}}}, {"restartPolicy": "Always"}])
def test_an_ordinary_container_and_a_sidecar_are_accepted(fields: dict[str, Any]) -> None:
    assert unsupported_container_reason({"name": "main", "command": ["true"], **fields}) is None
