import pytest

from sluice_cli.text.printable import display_width, pad, printable, shorten, wrap


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bad prints", "bad prints"),
        ("a\x1b[31mred\x07", "a?[31mred?"),
        ("two\nlines\tand  more", "two lines and more"),
        ("right\u202eleft\u200b", "right?left?"),
        ("Zürich 東京", "Zürich 東京"),
        (None, ""),
        (5, "5"),
    ],
)
def test_text_of_others_cannot_control_the_terminal(value: object, expected: str) -> None:
    assert printable(value) == expected


def test_wide_and_combining_characters_have_their_width() -> None:
    assert (display_width("abc"), display_width("東京"), display_width("e\u0301")) == (3, 4, 1)
    assert pad("東", 4) == "東  "


def test_a_shortened_text_ends_in_the_ellipsis() -> None:
    assert shorten("incident", 8, "…") == "incident"
    assert shorten("incident at noon", 9, "…") == "incident…"


def test_a_text_is_wrapped_between_words() -> None:
    assert wrap("the vendor has an incident", 12) == ["the vendor", "has an", "incident"]
    assert wrap("a-word-longer-than-the-line b", 8) == ["a-word-longer-than-the-line", "b"]


def test_a_short_part_is_not_broken() -> None:
    assert wrap("held by alice and others · last write 3s ago", 36) == [
        "held by alice and others ·",
        "last write 3s ago",
    ]
