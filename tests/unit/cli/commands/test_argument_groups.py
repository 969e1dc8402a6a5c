import argparse

import pytest

from sluice_cli.commands.argument_groups import add_document_output, add_namespace, add_selector, add_timeout


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_namespace(parser, has_all=True)
    add_selector(parser)
    add_document_output(parser)
    add_timeout(parser, "30s", "how long to wait")
    return parser.parse_args(words)


def test_the_options_are_those_of_kubectl() -> None:
    found = parsed("-n", "acme", "-A", "-l", "desk=rates", "-o", "yaml")
    assert found.output == "yaml"
    assert (found.namespace, found.all_namespaces, found.selector) == ("acme", True, "desk=rates")


@pytest.mark.parametrize(("text", "seconds"), [("2m", 120), ("0", 0), ("0s", 0)])
def test_a_timeout_is_a_duration(text: str, seconds: int) -> None:
    assert parsed("--timeout", text).timeout == seconds
    assert parsed().timeout == 30


def test_a_timeout_that_is_no_duration_says_how_to_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--timeout", "soon")
    assert "soon is not a duration: write it like 30s or 2m" in capsys.readouterr().err
