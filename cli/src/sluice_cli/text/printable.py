"""Text of others, such as the reason of a pause, made safe for a terminal."""

from __future__ import annotations

import unicodedata


def printable(value: object) -> str:
    """Return a value as one line without control characters, so that it can neither color nor move anything."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    return " ".join("".join(_replacement(each) for each in text).split())


def _replacement(character: str) -> str:
    if character in "\t\n\r":
        return " "
    # Cc: controls; Cf: directions of writing, and joiners of no width; Cs: halves of a character.
    return "?" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") else character


def display_width(text: str) -> int:
    """Return how many columns of a terminal the text needs."""
    if text.isascii():
        return len(text)
    return sum(_character_width(each) for each in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int, ellipsis: str) -> str:
    """Return the text within `width` columns; a shortened one ends in `ellipsis`."""
    if display_width(text) <= width:
        return text
    kept = ""
    for character in text:
        if display_width(kept + character) > width - len(ellipsis):
            break
        kept += character
    return kept.rstrip() + ellipsis


def pad(text: str, width: int) -> str:
    """Return the text with spaces after it, up to `width` columns."""
    return text + " " * (width - display_width(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most `width` columns, if each word has room in one.

    A line ends rather between two parts, which ` · ` separates, than within a part.
    """
    lines: list[str] = []
    for word in _unbroken_words(text, width // 2):
        if lines and display_width(lines[-1]) + 1 + display_width(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _unbroken_words(text: str, width: int) -> list[str]:
    """Return the words of a text; a part of at most `width` columns is one word."""
    parts = text.split(" · ")
    if len(parts) == 1:
        return text.split()
    ended = [f"{each} ·" for each in parts[:-1]] + parts[-1:]
    return [word for each in ended for word in ([each] if display_width(each) <= width else each.split())]
