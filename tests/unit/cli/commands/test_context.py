from datetime import UTC

from sluice_cli.commands.context import utc_now
from sluice_cli.text.terminal import Terminal
from support.fake_kubectl import Console, FakeKubectl


def test_lines_are_written_in_the_characters_of_the_output() -> None:
    console = Console(FakeKubectl(), terminal=Terminal(is_unicode=False))
    console.context.write("● a", "b")
    console.context.warn("✗ c")
    console.context.write()
    assert console.lines == ["* a", "b"]
    assert console.errors == "x c\n"


def test_the_clock_has_a_zone() -> None:
    assert utc_now().tzinfo is UTC
