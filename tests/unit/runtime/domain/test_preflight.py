from sluice_runtime.domain.preflight import Finding, preflight_status
from support.virtual_time import START


def test_problems_come_first_and_at_most_twenty_findings_are_shown() -> None:
    good = [Finding(f"S{n}", True, "active") for n in range(30)]
    found = preflight_status([*good, Finding("account", False, "blocked")], START)
    assert (found.passed, found.at, len(found.findings)) == (False, START, 20)
    assert found.findings[:2] == ["account: blocked", "S0: active"]
    assert preflight_status(good, START).passed
