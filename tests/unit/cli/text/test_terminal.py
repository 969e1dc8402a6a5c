import io

import pytest

from sluice_cli.text.terminal import Terminal, has_unicode, terminal_of, terminal_size


class FakeStream(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "color", "expected"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"TERM": "dumb"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({}, "never", False),
    ],
)
def test_colors_are_for_terminals_that_want_them(environment: dict[str, str], color: str, expected: bool) -> None:
    assert terminal_of(FakeStream(), environment, color).has_colors is expected


def test_a_pipe_has_no_colors_and_is_not_redrawn() -> None:
    found = terminal_of(io.StringIO(), {})
    assert (found.has_colors, found.can_redraw) == (False, False)
    assert terminal_of(io.StringIO(), {}, "always").has_colors
    assert not terminal_of(FakeStream(), {"TERM": "dumb"}).can_redraw


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({}, False),
    ],
)
def test_the_locale_decides_about_characters(environment: dict[str, str], expected: bool) -> None:
    assert has_unicode(environment) is expected


def test_ascii_output_replaces_signs_and_escapes_other_characters() -> None:
    text = "● 2 live · 1 stale → é"
    assert Terminal(is_unicode=False).to_output(text) == "* 2 live, 1 stale -> \\xe9"
    assert Terminal().to_output(text) == text


def test_the_width_is_at_least_80() -> None:
    assert terminal_of(io.StringIO(), {"COLUMNS": "60"}).width == 80
    assert terminal_of(io.StringIO(), {"COLUMNS": "160"}).width == 160
    assert terminal_size(io.StringIO(), {}) == (80, 24)


def test_only_an_output_with_colors_is_painted() -> None:
    assert Terminal(has_colors=True).paint("Running", "green") == "\x1b[32mRunning\x1b[0m"
    assert Terminal(has_colors=True).paint("Running", "") == "Running"
    assert Terminal().paint("Running", "green") == "Running"
