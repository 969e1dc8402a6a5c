"""The outer parts of the operator: kopf's settings and handlers, the environment, events, health."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_contract.status import Condition
from sluice_operator import handlers, watchdog
from sluice_operator.adapters import events
from sluice_operator.domain.actions import ConditionTransition
from sluice_operator.domain.pod_bounds import KeyBounds
from sluice_operator.domain.provider_hosts import parse_provider_hosts
from sluice_operator.domain.rollout import MaxUnavailable
from sluice_operator.domain.workload import ProxyVariable
from sluice_operator.informer_cache import ClusterState
from sluice_operator.ports import EventReport
from sluice_operator.settings import Settings, settings_from_environment
from support.every_key import EveryKey

from .world import KEY, NOW


def report(uid: str = "job-1") -> EventReport:
    """Return the report of a job that became not ready."""
    condition = Condition(
        type=c.STALLED, status="True", reason=c.POD_REJECTED, message="quota", last_transition_time=NOW,
        observed_generation=1,
    )  # fmt: skip
    return EventReport(KEY, uid, ConditionTransition(condition, warning=True))


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from_environment({}) == Settings()


def test_every_variable_takes_effect() -> None:
    environment = {
        "SLUICE_RUNTIME_IMAGE": "registry/runtime:2",
        "SLUICE_FIRESTORE_PROJECT": "prod",
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
        "SLUICE_WORKERS": "4",
        "SLUICE_WATCH_NAMESPACES": "acme, beta,",
        "POD_IP": "127.0.0.9",
        "POD_NAME": "sluice-operator-1",
        "POD_UID": "6a3c9c1e-0000-4000-8000-000000000001",
        "POD_NAMESPACE": "ingest-system",
        "SLUICE_LEASE_SECONDS": "3",
        "SLUICE_LEASE_RENEW_SECONDS": "2",
        "SLUICE_LEASE_RETRY_SECONDS": "0.5",
        "SLUICE_INGEST_PRIORITY_CLASS": "feeds",
        "SLUICE_POD_HTTPS_PROXY": "http://me:secret@proxy:3128",
        "SLUICE_POD_NO_PROXY": "10.0.0.0/8",
        "SLUICE_POD_USER_ID": "platform",
        "SLUICE_REQUIRE_POLICIES": "false",
        "SLUICE_PROVIDER_HOSTS": "a.example, ws://127.0.0.1:*",
        "SLUICE_POD_PRIORITY_CLASSES": "batch, urgent",
        "SLUICE_POD_METADATA_DOMAINS": "example.com",
        "SLUICE_POD_NODE_KEY_DOMAINS": "*,!example.com",
        "SLUICE_ROLLOUT_MAX_UNAVAILABLE": "5",
        "SLUICE_ROLLOUT_DEADLINE_SECONDS": "60",
        "SLUICE_HTTP_PORT": "9000",
        "SLUICE_LOG_LEVEL": "DEBUG",
    }
    assert msgspec.structs.asdict(settings_from_environment(environment)) == {
        "image": "registry/runtime:2",
        "project_id": "prod",
        "firestore_emulator_host": "127.0.0.1:1",
        "workers": 4,
        "namespaces": ("acme", "beta"),
        "host": "127.0.0.9",
        "replica": "sluice-operator-1",
        "pod_uid": "6a3c9c1e-0000-4000-8000-000000000001",
        "namespace": "ingest-system",
        "lease_seconds": 3.0,
        "lease_renew_seconds": 2.0,
        "lease_retry_seconds": 0.5,
        "priority_class": "feeds",
        "pod_proxies": (
            ProxyVariable("HTTPS_PROXY", "http://me:secret@proxy:3128"),
            ProxyVariable("NO_PROXY", "10.0.0.0/8"),
        ),
        "pod_user_id": "platform",
        "require_policies": False,
        "provider_hosts": parse_provider_hosts("a.example,ws://127.0.0.1:*"),
        "pod_priority_classes": ("batch", "urgent"),
        "pod_metadata_domains": KeyBounds(("example.com",)),
        "pod_node_key_domains": KeyBounds(("*",), ("example.com",)),
        "rollout_max_unavailable": MaxUnavailable(5, False),
        "rollout_deadline_seconds": 60.0,
        "port": 9000,
        "log_level": "DEBUG",
    }


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SLUICE_WORKERS", "0", "SLUICE_WORKERS is '0': write a whole number from 1 to 64"),
        (
            "SLUICE_ROLLOUT_MAX_UNAVAILABLE",
            "0%",
            "SLUICE_ROLLOUT_MAX_UNAVAILABLE is '0%': write a number of jobs from 1 to 100000, or a percentage from 1% "
            "to 100%",
        ),
        (
            "SLUICE_ROLLOUT_DEADLINE_SECONDS",
            "0",
            "SLUICE_ROLLOUT_DEADLINE_SECONDS is '0': write a number of seconds from 1 to 86400",
        ),
        ("SLUICE_HTTP_PORT", "x", "SLUICE_HTTP_PORT is 'x': write a whole number from 1 to 65535"),
        ("SLUICE_LOG_LEVEL", "LOUD", "SLUICE_LOG_LEVEL is 'LOUD': write DEBUG, INFO, WARNING or ERROR"),
        ("SLUICE_REQUIRE_POLICIES", "never", "SLUICE_REQUIRE_POLICIES is 'never': write true or false"),
        ("SLUICE_LEASE_SECONDS", "x", "SLUICE_LEASE_SECONDS is 'x': write a number of seconds from 0.1 to 3600"),
    ],
)
def test_a_value_that_is_not_accepted_is_named_with_what_to_write(name: str, value: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=name) as error:
        settings_from_environment({name: value})
    assert str(error.value) == sentence


def test_lease_timings_that_contradict_each_other_are_named() -> None:
    with pytest.raises(ValueError, match="SLUICE_LEASE_SECONDS, SLUICE_LEASE_RENEW_SECONDS"):
        settings_from_environment({"SLUICE_LEASE_SECONDS": "10"})


@pytest.mark.parametrize("value", ["1000", "Platform"])
def test_a_wrong_user_id_is_refused_with_the_values_that_are_possible(value: str) -> None:
    with pytest.raises(ValueError, match=f"'{value}': set it to platform, or leave it empty for user ID 65532"):
        settings_from_environment({"SLUICE_POD_USER_ID": value})


def test_a_wrong_proxy_is_named_and_no_password_is_shown() -> None:
    with pytest.raises(ValueError, match="SLUICE_POD_HTTPS_PROXY is not the URL of an HTTP proxy") as error:
        settings_from_environment({"SLUICE_POD_HTTPS_PROXY": "socks5://me:secret@proxy"})
    assert "secret" not in str(error.value)
    assert "secret" not in repr(settings_from_environment({"SLUICE_POD_HTTP_PROXY": "http://me:secret@proxy"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLUICE_PROVIDER_HOSTS", "https:/a"),
        ("SLUICE_POD_METADATA_DOMAINS", "!"),
        ("SLUICE_POD_NODE_KEY_DOMAINS", "a,/b"),
    ],
)
def test_a_malformed_entry_of_the_platform_s_bounds_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has the entry"):
        settings_from_environment({name: value})


@pytest.mark.parametrize("value", ["", " ", ","])
def test_bounds_without_an_entry_are_the_default(value: str) -> None:
    names = ("SLUICE_PROVIDER_HOSTS", "SLUICE_POD_METADATA_DOMAINS", "SLUICE_POD_NODE_KEY_DOMAINS")
    assert settings_from_environment(dict.fromkeys((*names, "SLUICE_POD_PRIORITY_CLASSES"), value)) == Settings()


def test_a_job_may_name_the_priority_class_of_all_ingest_pods() -> None:
    chosen = settings_from_environment(
        {"SLUICE_INGEST_PRIORITY_CLASS": "feeds", "SLUICE_POD_PRIORITY_CLASSES": "batch"}
    )
    assert chosen.pod_settings.bounds.pod.priority_classes == ("batch", "feeds")


def test_kopf_only_reflects() -> None:
    registry = handlers.kopf_registry(ClusterState(EveryKey()), login=None)  # type: ignore[arg-type]
    assert len(registry._watching.get_all_handlers()) == 4  # jobs, pods, and both kinds of pauses
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()
    assert not registry._indexing.get_all_handlers()
    assert not registry._webhooks.get_all_handlers()


def test_kopf_never_gives_up_and_always_has_timeouts() -> None:
    chosen = handlers.kopf_settings()
    assert list(itertools.islice(handlers.EndlessBackoff(), 12))[-2:] == [30, 30]
    assert isinstance(chosen.networking.error_backoffs, handlers.EndlessBackoff)
    assert chosen.watching.inactivity_timeout == 70
    assert (chosen.posting.enabled, chosen.peering.standalone, chosen.scanning.disabled) == (False, True, True)
    assert dict(chosen.watching.label_selectors) != {}


def test_a_missing_watcher_is_named() -> None:
    running = ["watcher for pods.v1@None", "worker 1"]
    assert watchdog.missing_kopf_watchers(running) == ["watcher for ingestjobs."]


def test_the_same_transition_has_the_same_event_name() -> None:
    event = events.event_manifest(report())
    assert event == events.event_manifest(report())
    assert (event["metadata"]["name"], event["type"]) == (
        f"us-equities.podrejected.{int(NOW.timestamp()):x}",
        "Warning",
    )


class Posted:
    """Implements `events.EventPoster`."""

    def __init__(self) -> None:
        self.dropped = 0

    async def create_event(self, manifest: dict[str, object]) -> None:
        raise AssertionError(manifest)

    def drop(self) -> None:
        """Count one event that exceeded the rate limit."""
        self.dropped += 1


async def test_a_job_that_flaps_does_not_fill_the_events() -> None:
    posted, seconds = Posted(), [0.0]
    recorder = events.EventRecorder(posted, posted.drop, lambda: seconds[0])
    for _ in range(12):
        recorder.queue_or_drop(report())
    recorder.queue_or_drop(report("job-2"))
    assert posted.dropped == 2
    seconds[0] = 31.0
    recorder.queue_or_drop(report())
    assert posted.dropped == 2
