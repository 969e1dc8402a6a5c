import shlex

from sluice_contract.pause_sources import ORDER
from sluice_contract.pause_switches import SWITCHES


def test_each_source_has_its_switch_in_the_order_of_the_status() -> None:
    assert tuple(each.source for each in SWITCHES) == ORDER


def test_each_switch_says_in_a_sentence_what_ends_it() -> None:
    assert all(each.ends.endswith(".") for each in SWITCHES)


def test_each_command_is_one_of_kubectl_about_the_job() -> None:
    for each in SWITCHES:
        if each.command:
            words = shlex.split(each.command.format(namespace="acme", job="us", name="x"))
            assert words[0] == "kubectl"
            assert "{" not in each.command.format(namespace="acme", job="us", name="x") or words[-2] == "-p"
