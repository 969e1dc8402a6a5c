from typing import Any

from sluice_cli.model.plan.findings import Finding
from sluice_cli.model.plan.plan import Costs, Declared, Judgement, Plan, plans_of_documents
from sluice_cli.model.plan.policy_findings import PolicyView
from sluice_cli.model.plan.write_costs import Caps, Prices, traffic_of_job
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.plan_text import plan_lines, reads_text, summary_line, writes_text
from support.fake_kubectl import job

WIDE = Terminal(width=140)


def plan(live: dict[str, Any] | None, *findings: Finding, **spec: Any) -> Plan:
    usual = {"tenant": "acme", "provider": "alpaca", "alpaca": {"feed": "iex"}, "symbols": ["SPY", "AAPL", "ON"]}
    document = {"metadata": {"namespace": "acme", "name": "us-equities"}, "spec": usual | spec}
    declared = [Declared(document, live, Judgement())]
    [found] = plans_of_documents(declared, [live] if live else [], PolicyView((), {}), Costs())
    return found._replace(findings=findings)


def test_changes_are_aligned_with_their_effects() -> None:
    gap = {"cause": "restart", "from": "2026-11-27T10:00:00Z", "to": "2026-11-27T10:00:05Z"}
    found = plan(job(gaps=[gap]), alpaca={"feed": "sip"}, symbols=["SPY", "ON", "TSLA"])
    assert plan_lines(found, WIDE)[:3] == [
        "acme/us-equities   changed",
        "  ~ spec.symbols      3 → 3 (+TSLA -AAPL)  hot: same connection, no gap",
        "  ~ spec.alpaca.feed  iex → sip            COLD: the pod is replaced, a gap of about 5 s",
    ]


def test_a_narrow_terminal_has_the_effect_below() -> None:
    found = plan(job(), symbols=[f"SYMBOL{number}" for number in range(9)])
    lines = plan_lines(found, Terminal())
    assert lines[1:4] == [
        "  ~ spec.symbols",
        "      3 → 9 (+SYMBOL0 +SYMBOL1 +SYMBOL2 +SYMBOL3 +SYMBOL4 and 7 more)",
        "      hot: same connection, no gap",
    ]
    assert max(map(len, lines)) <= 80


def test_new_and_removed_fields_have_their_own_signs() -> None:
    live = job(state="Paused")
    live["spec"] |= {"pause": {"reason": "later"}, "new": 1}
    live["metadata"]["labels"] = {}
    result = {**live, "spec": {**live["spec"], "http": {"public": True}}}
    del result["spec"]["pause"], result["spec"]["new"]
    [found] = plans_of_documents([Declared(result, live, Judgement(result))], [live], PolicyView((), {}), Costs())
    assert plan_lines(found, WIDE)[1:4] == [
        "  - spec.pause.reason  later (removed)  hot: same connection, no gap",
        "  + spec.http.public   true             COLD: the pod is replaced, no gap: it does not stream now",
        "  - spec.new           1 (removed)      unknown to this plugin: it may be cold",
    ]


def test_findings_have_a_sign_a_word_and_one_remedy() -> None:
    same = "Let only one of both list it."
    found = plan(
        None,
        Finding("problem", "conflict", "A writes SPY.", same),
        Finding("problem", "conflict", "B writes SPY.", same),
        Finding("note", "policy", "It is lower."),
    )
    assert plan_lines(found, WIDE)[-4:] == [
        "  ✗ conflict: A writes SPY.",
        "  ✗ conflict: B writes SPY.",
        "    → Let only one of both list it.",
        "  · policy: It is lower.",
    ]


def test_a_refused_document_has_no_costs_and_colors_are_for_signs() -> None:
    lines = plan_lines(plan(None, Finding("problem", "refused", "No.")), Terminal(has_colors=True))
    assert lines == ["\x1b[1macme/us-equities\x1b[0m   new job: a pod is created", "\x1b[31m  ✗\x1b[0m refused: No."]


def test_writes_and_reads_have_their_bounds_and_costs() -> None:
    spec = {
        "symbols": [f"S{number}" for number in range(32)],
        "limits": {"writesPerSecond": 30, "minIntervalMilliseconds": 1000},
        "heartbeat": {"intervalSeconds": 15},
    }
    found = traffic_of_job(spec, Caps(20, 2_000_000, source="tenants"), 3, Prices(0.09, 0.03))
    assert writes_text(found) == (
        "cap 20/s (IngestPolicy tenants), each symbol every 1.6 s · at most 469,560 a session of 6.5 h, 1,733,760 in "
        "24 h · 20,000 a day are free, used up in 16m · costs 0.40 a session, 1.54 in 24 h · budget 2,000,000 a day"
    )
    assert reads_text(found).startswith("3 viewers of all symbols · at most 1,408,680 a session of 6.5 h")
    assert writes_text(found._replace(is_dry_run=True)).startswith("dry run: only heartbeats · at most")


def test_the_summary_counts_documents() -> None:
    bad = plan(None, Finding("problem", "refused", "No."))
    assert summary_line([bad, plan(job())]) == "2 IngestJobs: 1 would be refused or stalled, 1 new, 1 unchanged"
    assert summary_line([plan(job(), symbols=["SPY"])]) == "1 IngestJob: 1 changed"
