from sluice_cli.model.plan.findings import FINDING_LEVELS, Finding


def test_a_finding_needs_no_remedy_and_the_worst_level_is_first() -> None:
    assert Finding("note", "policy", "It is so.").remedy == ""
    assert FINDING_LEVELS[0] == "problem"
