import json

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import UsageError
from sluice_cli.commands.resume import run_resume
from support.fake_kubectl import Console, FakeKubectl, Object, acknowledge, job, pause, paused_job

NAMED = pause("us-x", jobs=["us-equities"])
ALL = pause("all-x", jobSelector={})


def run(words: str, *objects: Object, denied: tuple[str, ...] = ()) -> tuple[int, Console, FakeKubectl]:
    kubectl = FakeKubectl(*objects, denied=denied)
    kubectl.on_change = acknowledge
    console = Console(kubectl)
    given = ["resume", *words.split()]
    return run_resume(argument_parser(given).parse_args(given), console.context), console, kubectl


def names(kubectl: FakeKubectl) -> list[str]:
    return [each["metadata"]["name"] for each in kubectl.objects if "Pause" in each["kind"]]


def test_the_pause_of_the_named_job_is_deleted_and_the_job_streams() -> None:
    code, console, kubectl = run("us-equities", paused_job("pause:us-x"), NAMED)
    assert (code, names(kubectl)) == (0, [])
    assert console.lines == ["deleted pause/us-x", "● acme/us-equities: streaming"]


def test_a_pause_that_covers_more_stays_and_is_named_with_its_command() -> None:
    both = pause("both-x", jobs=["us-equities", "crypto"])
    code, console, kubectl = run("us-equities", paused_job("pause:both-x"), job("crypto"), both, ALL)
    assert (code, names(kubectl)) == (1, ["both-x", "all-x"])
    assert "‖ acme/us-equities: still paused by" in console.lines
    assert "    → kubectl sluice resume --pause both-x -n acme" in console.lines
    assert sum("it covers more than what you named" in each for each in console.lines) == 2
    code, _, kubectl = run("us-equities crypto", paused_job("pause:both-x"), job("crypto"), both)
    assert (code, names(kubectl)) == (0, [])


def test_each_switch_that_still_holds_is_named_with_its_command() -> None:
    held = paused_job("pause:us-x", "api")
    held["spec"]["enabled"] = False
    code, console, _ = run("us-equities", held, NAMED, pause("c", ""), pause("s", jobs=["us-equities"], symbols=["ON"]))
    assert code == 1
    arrows = [each.strip() for each in console.lines if "→" in each]
    assert arrows[0] == "→ kubectl sluice resume --fleet --pause c"
    assert arrows[1].startswith("→ kubectl patch ij us-equities -n acme")
    assert arrows[-1] == "→ kubectl sluice resume --pause s -n acme"
    assert "  symbols ON stay paused by pause:s" in "\n".join(console.lines)


def test_all_and_labels_end_the_pauses_that_were_made_with_them() -> None:
    labelled = pause("l-x", jobSelector={"matchLabels": {"desk": "us-equities"}})
    assert names(run("--all", job(), NAMED, ALL, labelled)[2]) == []
    assert names(run("-l desk=us-equities", job(), NAMED, ALL, labelled)[2]) == ["all-x"]
    assert names(run("us-equities", job(), NAMED, labelled)[2]) == ["l-x"]


def test_a_pause_is_ended_by_its_name() -> None:
    code, console, kubectl = run("--pause all-x", paused_job("pause:all-x"), ALL)
    assert (code, names(kubectl)) == (0, [])
    assert console.lines[0] == "deleted pause/all-x"
    code, console, _ = run("--fleet --pause c", paused_job("clusterpause:c"), pause("c", ""))
    assert (code, console.lines[0]) == (0, "deleted clusterpause/c")
    code, console, _ = run("--pause gone", job())
    assert (code, console.errors) == (1, "There is no IngestPause gone in this namespace.\n")


def test_a_pause_can_be_ended_without_access_to_jobs() -> None:
    code, console, kubectl = run("--pause all-x", job(), ALL, denied=("list ingestjobs",))
    assert (code, names(kubectl)) == (1, [])
    assert console.lines[1] == "Not visible: the jobs (you may not list ingestjobs)"


def test_a_job_that_does_not_stream_afterwards_is_not_reached() -> None:
    code, console, _ = run("us-equities", job(state="BackingOff"))
    assert code == 1
    assert console.lines[0].startswith("▲ acme/us-equities: not streaming yet (Running)")
    assert console.lines[1] == "  → kubectl sluice status us-equities -n acme"


def test_an_unknown_job_is_not_resumed() -> None:
    code, console, _ = run("us-equites", job())
    assert code == 1
    assert "Did you mean us-equities?" in console.errors


def test_pauses_of_the_fleet_that_may_not_be_read_are_said() -> None:
    _, console, _ = run("us-equities", job(), denied=("list clusteringestpauses",))
    assert "Not visible: ClusterIngestPauses" in console.errors


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "say what to resume"),
        ("us --all", "say what to resume"),
        ("us --fleet", "name the ClusterIngestPause"),
        ("--fleet --pause c -n a", "leave -n out"),
    ],
)
def test_what_does_not_fit_together_is_refused(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(words)


def test_json_and_names_say_what_was_deleted() -> None:
    _, console, _ = run("us-equities -o json", paused_job("pause:us-x"), NAMED)
    found = json.loads("\n".join(console.lines))
    assert (found["kind"], found["deleted"], len(found["items"])) == ("ResumeResult", ["pause:us-x"], 1)
    assert run("us-equities -o name", job(), NAMED)[1].lines == ["ingestpause.sluice.dev/us-x"]
