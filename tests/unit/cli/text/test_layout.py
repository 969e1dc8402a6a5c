from sluice_cli.text.layout import column_widths, indented, total_width


def test_a_column_is_as_wide_as_its_widest_cell() -> None:
    widths = column_widths([["a", "東京"], ["abc", "x"]])
    assert widths == [3, 4]
    assert total_width(widths) == 9


def test_the_first_line_can_have_another_indent() -> None:
    assert indented("one two three four five", 24, "    ", "  → ") == ["  → one two three four", "    five"]
    assert indented("", 24, "  ") == []
