import json

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.pause import run_pause
from sluice_cli.transport import NoAccessError, NotServedError
from support.fake_kubectl import Console, FakeKubectl, acknowledge, job


def run(kubectl: FakeKubectl, words: str, typed: str = "") -> tuple[int, Console]:
    console = Console(kubectl, typed)
    given = ["pause", *words.split(), "--reason", "vendor incident"]
    return run_pause(argument_parser(given).parse_args(given), console.context), console


def cluster(*objects: dict[str, object], **options: tuple[str, ...]) -> FakeKubectl:
    kubectl = FakeKubectl(*objects, **options)
    kubectl.on_change = acknowledge
    return kubectl


def test_a_job_is_paused_by_an_object_with_its_author_and_its_steps_are_shown() -> None:
    kubectl = cluster(job())
    code, console = run(kubectl, "us-equities --for 30m")
    assert code == 0
    [created] = kubectl.of_kind("IngestPause")
    assert created["spec"]["by"] == "alice"
    assert created["spec"]["jobs"] == ["us-equities"]
    assert console.lines[0].startswith("acme/us-equities: pausing until 14:30:00Z")
    assert "socket closed" in console.lines[1]
    assert console.lines[2] == (
        "  pause/us-equities-x7k2p holds whatever reconciles the job; end it: kubectl sluice resume us-equities -n acme"
    )


def test_a_pause_that_no_pod_confirms_is_not_reached() -> None:
    code, console = run(FakeKubectl(job()), "us-equities")
    assert code == 1
    assert "✗ not acknowledged: acme/us-equities may still be connected." in console.lines


def test_a_pause_without_a_wait_is_done_when_it_is_created() -> None:
    kubectl = FakeKubectl(job())
    code, console = run(kubectl, "us-equities --timeout 0s")
    assert (code, len(kubectl.of_kind("IngestPause"))) == (0, 1)
    assert len(console.lines) == 2


def test_a_misspelt_name_does_not_prevent_the_stop_of_the_other_job() -> None:
    kubectl = cluster(job(), job("crypto"))
    code, console = run(kubectl, "us-equities cripto")
    assert code == 1
    assert "Job cripto does not exist in namespace acme. Did you mean crypto?" in console.errors
    assert kubectl.of_kind("IngestPause")[0]["spec"]["jobs"] == ["us-equities"]


@pytest.mark.parametrize("words", ["nothing", "-l desk=none", "us-equities --symbols TSLA", "--fleet --provider ibkr"])
def test_a_pause_that_would_cover_nothing_is_refused(words: str) -> None:
    kubectl = cluster(job())
    code, console = run(kubectl, words)
    assert code == 1
    assert console.errors.endswith("Nothing was paused.\n")
    assert len(kubectl.objects) == 1


def test_symbols_that_no_job_has_are_named_and_the_others_paused() -> None:
    kubectl = cluster(job())
    code, console = run(kubectl, "us-equities --symbols ON,TSLA")
    assert code == 1
    assert "None of these jobs has TSLA." in console.errors
    assert kubectl.of_kind("IngestPause")[0]["spec"]["symbols"] == ["ON"]
    assert "  acknowledged: no quote of these symbols is written any more" in console.lines


def test_the_fleet_is_paused_after_its_number_was_typed() -> None:
    kubectl = cluster(job(), job("crypto"), job("sip", "beta"))
    code, console = run(kubectl, "--fleet", typed="3\n")
    assert code == 0
    assert "This pauses 3 feeds in 2 namespaces. Type 3 to continue: " in console.errors
    assert len(kubectl.of_kind("ClusterIngestPause")) == 1
    assert "  acknowledged: 3/3 after" in "\n".join(console.lines)


@pytest.mark.parametrize("typed", ["", "2\n", "yes\n"])
def test_another_number_pauses_nothing(typed: str) -> None:
    kubectl = cluster(job())
    code, console = run(kubectl, "--fleet", typed)
    assert code == 1
    assert kubectl.of_kind("ClusterIngestPause") == []
    assert "was typed, not 1." in console.errors


def test_who_may_not_list_jobs_can_still_stop_them() -> None:
    kubectl = cluster(job(), denied=("list ingestjobs",))
    code, console = run(kubectl, "us-equities")
    assert code == 1  # whether the pod has confirmed it cannot be seen
    assert len(kubectl.of_kind("IngestPause")) == 1
    assert "their names are not checked" in console.errors
    assert "  you may not list ingestjobs, so only the operator's count can be seen" in console.lines


def test_the_fleet_can_be_stopped_without_its_number() -> None:
    kubectl = cluster(job(), denied=("list ingestjobs",))
    _, console = run(kubectl, "--fleet", typed="all\n")
    assert "This pauses all feeds. Type all to continue: " in console.errors
    assert len(kubectl.of_kind("ClusterIngestPause")) == 1


def test_a_user_who_may_not_create_pauses_gets_the_words_of_the_api_server() -> None:
    with pytest.raises(NoAccessError, match="cannot create"):
        run(cluster(job(), denied=("create ingestpauses",)), "us-equities")


def test_a_stop_does_not_wait_for_its_signature() -> None:
    kubectl = cluster(job())
    kubectl.user = ""
    assert run(kubectl, "us-equities")[0] == 0
    assert "by" not in kubectl.of_kind("IngestPause")[0]["spec"]


def test_a_cluster_without_pauses_gets_the_field_of_the_job() -> None:
    kubectl = cluster(job(), unserved=("IngestPause", "ClusterIngestPause"))
    code, console = run(kubectl, "us-equities --for 30m")
    assert code == 0
    assert kubectl.objects[0]["spec"]["pause"] == {"reason": "vendor incident", "until": "2026-11-27T14:30:00Z"}
    assert any("--field-manager=sluice" in each for each in kubectl.commands)
    assert "Setting spec.pause of the jobs instead" in console.errors
    with pytest.raises(NotServedError):
        run(cluster(job(), unserved=("IngestPause",)), "--all")


def test_json_says_what_was_created_and_whether_it_is_acknowledged() -> None:
    _, console = run(cluster(job()), "us-equities -o json")
    found = json.loads("\n".join(console.lines))
    assert (found["pause"]["name"], found["acknowledged"], found["by"]) == ("us-equities-x7k2p", True, "alice")
