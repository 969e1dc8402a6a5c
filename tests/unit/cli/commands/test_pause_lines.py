import json
from datetime import timedelta

from sluice_cli.commands.acknowledgement import Acknowledgement, Outcome, Wanted
from sluice_cli.commands.pause_lines import clock_sentence, end_line, formatted_result, head_line, outcome_lines
from sluice_cli.commands.pause_request import PauseRequest
from sluice_cli.commands.selection import Selection
from sluice_cli.model.pauses import pause_of
from support.fake_kubectl import NOW, pause, stamp

REQUEST = PauseRequest(Selection("acme", False, ("us",), None), False, (), (), "vendor incident", NOW)
FLEET = REQUEST._replace(is_fleet=True, providers=(("alpaca", ("sip",)),), until=None)
WANTED = Wanted("pause:us-x", ["-n", "acme"], pause_of(pause("us-x", jobs=["us"])), lambda _: True)
CLUSTER = WANTED._replace(source="clusterpause:f-x", scope=["-A"], pause=pause_of(pause("f-x", "")))
STEPS = (("socket closed", NOW + timedelta(seconds=0.03)), ("acknowledged", NOW + timedelta(seconds=0.04)))
CLOSED = Acknowledgement("acme", "us", True, STEPS[1][1], STEPS)
OPEN = Acknowledgement("acme", "crypto", False, None, ())
TIMES = (NOW, NOW + timedelta(seconds=1))


def test_the_first_line_says_what_until_when_and_why() -> None:
    assert head_line(REQUEST, WANTED, NOW) == 'acme/us: pausing until 14:00:00Z ("vendor incident")'
    assert head_line(FLEET, CLUSTER, NOW) == 'alpaca:sip: pausing without an end ("vendor incident")'
    every = REQUEST._replace(selection=Selection("acme", False, (), None, True), symbols=("ON",))
    assert head_line(every, WANTED, NOW).startswith("every job of acme, symbols ON: pausing until")
    assert head_line(FLEET._replace(providers=()), CLUSTER, NOW).startswith("every job in every namespace: ")


def test_the_steps_are_seconds_after_the_request() -> None:
    found = outcome_lines(Outcome((CLOSED,), True), REQUEST, WANTED, TIMES)
    assert found == ["  0.03 s socket closed   0.04 s acknowledged"]


def test_clocks_that_differ_give_times_of_day() -> None:
    later = tuple((words, at + timedelta(seconds=40)) for words, at in STEPS)
    answer = CLOSED._replace(at=later[1][1], steps=later)
    found = outcome_lines(Outcome((answer,), True), REQUEST, WANTED, TIMES)
    assert found == ["  14:00:40.030Z socket closed   14:00:40.040Z acknowledged"]


def test_a_job_that_was_paused_before_or_has_no_pod_says_so() -> None:
    before = CLOSED._replace(at=NOW - timedelta(minutes=22))
    assert outcome_lines(Outcome((before,), True), REQUEST, WANTED, TIMES) == [
        "  was paused before, 22m ago; this pause holds too"
    ]
    without_pod = CLOSED._replace(at=None, steps=())
    assert outcome_lines(Outcome((without_pod,), True), REQUEST, WANTED, TIMES) == [
        "  no pod runs, so nothing is connected"
    ]


def test_what_is_still_open_is_named_with_what_to_look_at() -> None:
    found = outcome_lines(Outcome((CLOSED, OPEN), False), REQUEST, WANTED, TIMES)
    assert found[1] == "  acknowledged: 1/2 after 1.0 s"
    assert found[2] == "✗ not acknowledged: acme/crypto may still be connected."
    assert found[-1] == "  kubectl sluice status --paused -n acme"


def test_many_jobs_are_summarized() -> None:
    found = outcome_lines(Outcome((CLOSED,) * 30, True), REQUEST, WANTED, TIMES)
    assert len(found) == 22
    assert found[-2:] == ["  and 10 more", "  acknowledged: 30/30 after 1.0 s"]


def test_the_operators_count_is_shown_without_access_to_jobs() -> None:
    found = outcome_lines(Outcome((), True, "you may not list ingestjobs", "3/3"), REQUEST, WANTED, TIMES)
    assert found == ["  acknowledged: 3/3 after 1.0 s", "  you may not list ingestjobs"]


def test_the_last_line_is_the_command_that_ends_the_pause() -> None:
    assert end_line(REQUEST, WANTED).endswith("end it: kubectl sluice resume us -n acme")
    assert end_line(REQUEST._replace(symbols=("ON",)), WANTED).endswith("resume --pause us-x -n acme")
    assert end_line(FLEET, CLUSTER).endswith("resume --fleet --pause f-x")
    assert "can undo this" in end_line(REQUEST, WANTED._replace(pause=None))


def test_a_clock_that_differs_from_the_api_servers_is_said() -> None:
    document = pause("us-x", until=stamp(60))
    document["metadata"]["creationTimestamp"] = stamp()
    assert clock_sentence(pause_of(document), NOW) == ""
    said = clock_sentence(pause_of(document), NOW + timedelta(seconds=40))
    assert said.startswith(
        "This machine's clock is 40 s ahead of the API server's: the pause ends at 2026-11-27T14:01:00Z"
    )
    assert clock_sentence(None, NOW) == ""


def test_the_result_has_a_versioned_form() -> None:
    [text] = formatted_result("json", REQUEST, WANTED, Outcome((CLOSED,), True))
    found = json.loads(text)
    assert (found["kind"], found["acknowledged"], found["pause"]["name"]) == ("PauseResult", True, "us-x")
    assert formatted_result("name", REQUEST, WANTED, Outcome((), True)) == ["ingestpause.sluice.dev/us-x"]
    assert formatted_result("name", REQUEST, CLUSTER, Outcome((), True)) == ["clusteringestpause.sluice.dev/f-x"]
    assert "kind: PauseResult" in formatted_result("yaml", REQUEST, WANTED, Outcome((), True))[0]
