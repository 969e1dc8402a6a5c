from sluice_cli.model.findings import NOTE, PROBLEM, DoctorReport, Finding
from sluice_cli.model.fleet import Unseen
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.findings import report_lines
from support.fake_kubectl import NOW

LONG = "kubectl create secret generic alpaca -n acme --from-literal=ALPACA_KEY_ID=… --from-literal=ALPACA_SECRET_KEY=…"
FINDING = Finding(PROBLEM, "secret", "acme/feed", "the Secret alpaca does not exist " * 4, "Create it.", LONG)


def test_a_finding_has_its_sign_its_sentence_and_what_to_do() -> None:
    report = DoctorReport(NOW, (FINDING,), ("1 job", "the installation"), (Unseen("pods", "you may not list pods"),))
    lines = report_lines(report, Terminal())
    assert lines[0] == "✗ problem  acme/feed"
    assert lines[-5:] == [
        "  → Create it.",
        f"  → {LONG}",
        "Not visible: pods (you may not list pods)",
        "Checked: 1 job, the installation.",
        "1 problem.",
    ]
    assert all(len(line) <= 80 or "→ kubectl" in line for line in lines)


def test_without_findings_the_report_says_so() -> None:
    assert report_lines(DoctorReport(NOW, (), (), ()), Terminal()) == ["Nothing needs a look."]


def test_a_terminal_without_unicode_shows_words_and_ascii() -> None:
    report = DoctorReport(NOW, (FINDING._replace(severity=NOTE),), (), ())
    terminal = Terminal(is_unicode=False)
    assert "".join(terminal.to_output(line) for line in report_lines(report, terminal)).isascii()
