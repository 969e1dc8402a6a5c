from typing import Any

from sluice_cli.model.fleet import Operator, StatusList, Unseen, pause_view, sorted_by_urgency
from sluice_cli.model.job import status_of_job
from sluice_cli.text.printable import display_width
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.table import TableOptions, table_lines
from support.fake_kubectl import NOW, Object, condition, job, pause, paused_job, stamp

REFUSAL = "Alpaca refuses the key: replace Secret beta/alpaca."
REFUSED = job(
    "sip", "beta", condition("Ready", "False", "Refused", REFUSAL),
    condition("Stalled", "True", "Refused", REFUSAL),
    symbols={"live": "0/3"}, heartbeat={"at": stamp(-8)},
)  # fmt: skip
REFUSED["status"]["phase"] = "Blocked"
STALE = job("stale", "acme", freshness={"live": 2, "stale": 1}, symbols={"live": "3/3", "staleSymbols": ["ON"]})
PAUSE = pause("p", jobs=["crypto"], by="alice", until=stamp(1260))
CRYPTO = paused_job("pause:p", name="crypto")


def status(*documents: Object, pauses: tuple[Object, ...] = (), **changes: Any) -> StatusList:
    view = pause_view({"IngestPause": list(pauses), "ClusterIngestPause": []}, {})
    jobs = sorted_by_urgency(status_of_job(each, view, NOW) for each in documents)
    return StatusList(NOW, jobs, None, ())._replace(**changes)


def lines(found: StatusList, width: int = 80, **options: bool) -> list[str]:
    return table_lines(found, Terminal(width=width), TableOptions(**options))


def test_a_wide_terminal_shows_the_whole_table() -> None:
    leader = Operator("sluice-operator-7c9f", NOW, is_leading=True, version="0.2.0")
    found = lines(status(job(), CRYPTO, REFUSED, pauses=(PAUSE,), operator=leader), 140)
    assert found == [
        "   JOB               FEED        STATE                       LIVE  QUOTE  BEAT  DETAIL",
        f"✗  beta/sip          alpaca:iex  Blocked Refused             0/3   -      8s    {REFUSAL}",
        "   → Put valid credentials into the Secret; the pod uses them within about a minute, without a restart.",
        '‖  acme/crypto       alpaca:iex  Paused 22m, resumes in 21m  3/3   1s     4s    alice: "vendor incident"',
        "●  acme/us-equities  alpaca:iex  Running                     3/3   1s     4s    2 live · 1 quiet",
        "3 jobs: 1 needs you, 1 paused, 1 running" + " " * 57 + "operator 0.2.0 leads (sluice-operator-7c9f)",
        "Next: kubectl sluice status sip -n beta",
    ]  # fmt: skip


def test_80_columns_leave_the_feed_out_and_lose_no_word() -> None:
    found = lines(status(job(), CRYPTO, REFUSED, pauses=(PAUSE,)))
    assert all(display_width(each) <= 80 for each in found)
    assert "alpaca:iex" not in "".join(found)
    assert f"   {REFUSAL}" in found
    assert "   → Put valid credentials into the Secret; the pod uses them within about a" in found


def test_only_paused_jobs_have_each_switch_with_its_command() -> None:
    found = lines(
        status(job(), CRYPTO, pauses=(PAUSE, pause("s", jobs=["us-equities"], symbols=["ON"]))), only_paused=True
    )
    assert "     → kubectl sluice resume --pause p -n acme" in found
    assert '   ON: pause:s ("vendor incident"), without an end' in found
    assert "     → kubectl sluice resume --pause s -n acme" in found
    assert lines(status(job()), only_paused=True)[0] == "No job is paused."


def test_only_stale_jobs_have_the_names_of_their_symbols() -> None:
    found = lines(status(job(), STALE), only_stale=True)
    assert [each for each in found if "stale: ON" in each]
    assert not [each for each in found if "us-equities" in each]
    assert lines(status(job()), only_stale=True)[0] == "No symbol is stale, and each pod reports."


def test_the_wide_output_has_more_columns_and_each_detail_beside() -> None:
    heading, row, *_ = lines(status(REFUSED), is_wide=True)
    assert heading.split()[-5:] == ["TENANT", "POD", "EPOCH", "GENERATION", "DETAIL"]
    assert row.endswith("beta    sip-ingest  7      1           Alpaca refuses the key: replace Secret beta/alpaca.")


def test_what_could_not_be_seen_is_said() -> None:
    unseen = Unseen("the operator", "you may not get the Lease")
    found = lines(status(job(), unseen=(unseen,)))
    assert found[-2:] == [
        "Not visible: the operator (you may not get the Lease)",
        "Next: kubectl sluice status us-equities -n acme",
    ]


def test_without_a_job_the_next_step_is_another_namespace() -> None:
    assert lines(status()) == ["No job. Add -A for all namespaces, or -n NAMESPACE for another one."]
    assert lines(status(), is_everywhere=True) == ["No job. Create one with kubectl apply -f FILE."]


def test_a_missing_leader_and_a_clock_that_is_behind_are_said() -> None:
    gone = Operator("", None, is_leading=False)
    found = "\n".join(lines(status(job(heartbeat={"at": stamp(40)}), operator=gone)))
    assert "no operator leads: kubectl get pods -n sluice-system" in found
    assert "This machine's clock is 40 s behind: ages are too small." in found


def test_the_sign_and_the_state_have_the_color_of_the_level() -> None:
    row = table_lines(status(REFUSED), Terminal(has_colors=True), TableOptions())[1]
    assert row.startswith("\x1b[31m✗\x1b[0m  beta/sip  \x1b[31mBlocked Refused\x1b[0m")
