from sluice_cli.contract import remedy_of_reason
from sluice_cli.model.fleet import Unseen, pause_view
from sluice_cli.model.job import status_of_job
from sluice_cli.model.pod import Pod
from sluice_cli.text.printable import display_width
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.tree import tree_lines
from support.fake_kubectl import NOW, Object, condition, job, pause, paused_job, stamp

POD = Pod("us-equities-ingest", "Running", "node-3", 0, is_running=True)


def tree(document: Object, *pauses: Object, pod: Pod | None = POD, width: int = 80) -> list[str]:
    view = pause_view({"IngestPause": list(pauses), "ClusterIngestPause": []}, {})
    return tree_lines(status_of_job(document, view, NOW), pod, (), NOW, Terminal(width=width))


def test_a_running_job_is_shown_with_all_its_parts() -> None:
    rejected = {"live": "2/3", "desired": 3, "confirmed": 2, "rejected": 1}
    rejected["rejections"] = [{"symbol": "TWTR", "code": 404, "message": "not found"}]
    gap = {"from": stamp(-3600), "to": stamp(-3580), "cause": "disconnect"}
    slot = {"acquired": True, "holder": "us-equities"}
    market = {"phase": "open", "changesAt": "2026-11-27T18:00:00Z"}
    document = job(symbols=rejected, gaps=[gap], slot=slot, freshness={"live": 2}, market=market)
    document["status"]["stream"]["sink"]["writesLastMinute"] = 1092
    assert tree(document, width=120) == [
        "acme/us-equities   ▲ Running   epoch 7   generation 1, applied",
        "├─ stream     ● Live alpaca:iex since 11:46:00Z (2h14m) · reported 4s ago · last quote 1s ago",
        '│  ├─ symbols ▲ 2 of 3 confirmed · 1 rejected: TWTR 404 "not found"',
        "│  └─ fresh   ▲ 2 live · market open, closes 13:00 New York",
        "├─ sink       ● Firestore (default project) · 18.2 writes/s of 20 · last write 1s ago",
        "├─ slot       ● this job holds the connection of its key",
        "├─ pod        ● us-equities-ingest · Running · 0 restarts · on node-3",
        "├─ look at    ▲ 1 thing",
        "│  └─ ▲ 1 rejected",
        f"│       → {remedy_of_reason('SymbolsRejected')}",
        "└─ gaps       13:00:00Z → 13:00:20Z disconnect 20s",
        'Next: kubectl sluice pause us-equities -n acme --for 30m --reason "vendor incident"',
    ]  # fmt: skip


def test_a_paused_job_has_each_switch_with_its_command_on_one_line() -> None:
    document = paused_job("pause:p", "api")
    found = tree(document, pause("p", jobs=["us-equities"], by="alice", until=stamp(1260)))
    start = found.index("├─ pause      ‖ acknowledged 13:38:00Z (22m)")
    assert found[start + 1 : start + 5] == [
        '│  ├─ pause:p (alice: "vendor incident") until 14:21:00Z',
        "│  │  → kubectl sluice resume --pause p -n acme",
        '│  └─ api (alice: "vendor incident"), without an end',
        "│     → kubectl delete pod us-equities-ingest -n acme",
    ]
    assert "│  ├─ symbols ‖ 3 declared" in found
    assert found[-1] == "Next: kubectl sluice resume us-equities -n acme"


def test_a_pause_without_a_pod_says_that_nothing_is_connected() -> None:
    document = job("us", "acme", condition("Ready", "True", "Paused"), condition("Paused", "True", "NothingConnected"))
    document["status"] |= {"phase": "Paused", "stream": {}}
    document["spec"]["enabled"] = False
    found = tree(document, pod=None)
    assert "├─ pause      ‖ no pod runs, so nothing is connected" in found
    assert "│  └─ symbols ◌ 3 declared, none reported" in found
    assert found[0].endswith("generation 1, no pod has reported")


def test_a_problem_comes_first_with_its_remedy() -> None:
    document = job(
        "us", "acme", condition("Ready", "False", "Refused"), condition("Stalled", "True", "Refused", "Bad key.")
    )
    document["status"]["stream"]["state"] = "Blocked"
    found = tree(document)
    assert found[1] == "  Bad key."
    assert found[2].startswith("  → Put valid credentials into the Secret;")
    assert any(each.startswith("├─ stream     ✗ Blocked") for each in found)


def test_symbols_that_are_paused_or_stale_are_named() -> None:
    document = job(
        freshness={"live": 1, "stale": 2}, symbols={"desired": 3, "confirmed": 3, "staleSymbols": ["A", "B"]}
    )
    found = tree(document, pause("p", jobSelector={}, symbols=["ON"]))
    assert "│  ├─ fresh   ▲ 1 live · 2 stale (A, B)" in found
    assert '│  └─ paused  ‖ ON by pause:p ("vendor incident"), without an end' in found
    assert "│               → kubectl sluice resume --pause p -n acme" in found


def test_texts_keep_to_the_width_and_commands_stay_whole() -> None:
    long = "word " * 40
    found = tree(job(sink={"healthy": False, "message": long}), pod=None)
    assert all(display_width(each) <= 80 or "→ " in each or each.startswith("Next") for each in found)


def test_what_could_not_be_seen_is_said() -> None:
    status = status_of_job(job(), pause_view({}, {}), NOW)
    found = tree_lines(status, None, (Unseen("the pod", "you may not get pods"),), NOW, Terminal())
    assert "Not visible: the pod (you may not get pods)" in found
    assert any(each == "└─ pod        us-equities-ingest" for each in found)


def test_only_the_sign_is_colored() -> None:
    status = status_of_job(job(), pause_view({}, {}), NOW)
    found = tree_lines(status, POD, (), NOW, Terminal(has_colors=True, width=120))
    assert "├─ slot" not in "".join(found)
    assert "├─ stream     \x1b[32m●\x1b[0m Live alpaca:iex" in found[1]
