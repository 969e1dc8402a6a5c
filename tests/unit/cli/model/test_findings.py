from sluice_cli.model.findings import NOTE, PROBLEM, WARNING, DoctorReport, Finding, sorted_findings
from support.fake_kubectl import NOW


def finding(severity: str, about: str = "acme/a") -> Finding:
    return Finding(severity, "job", about, "something", "do something")


def test_the_worst_finding_comes_first_and_none_is_repeated() -> None:
    given = [finding(NOTE), finding(WARNING, "b"), finding(PROBLEM), finding(WARNING, "a"), finding(NOTE)]
    found = sorted_findings(given)
    assert [(each.severity, each.about) for each in found] == [
        (PROBLEM, "acme/a"),
        (WARNING, "a"),
        (WARNING, "b"),
        (NOTE, "acme/a"),
    ]


def test_only_a_problem_counts_as_one() -> None:
    assert not DoctorReport(NOW, (finding(WARNING), finding(NOTE)), (), ()).has_problem
    report = DoctorReport(NOW, (finding(PROBLEM), finding(WARNING), finding(WARNING)), (), ())
    assert report.has_problem
    assert report.counts == {PROBLEM: 1, WARNING: 2}
