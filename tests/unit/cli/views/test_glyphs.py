from sluice_cli.model.state import LEVELS
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.glyphs import COLORS, GLYPHS


def test_each_level_has_a_sign_and_a_color() -> None:
    assert set(GLYPHS) == set(COLORS) == set(LEVELS)


def test_each_sign_and_color_can_be_shown() -> None:
    ascii_only = Terminal(has_colors=True, is_unicode=False)
    assert all(len(ascii_only.to_output(glyph)) == 1 for glyph in GLYPHS.values())
    assert all(ascii_only.paint("x", color) != "x" for color in COLORS.values())
