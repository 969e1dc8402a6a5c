"""What the output can show: its width, colors, and characters beyond ASCII."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple, TextIO

NARROW = 80
_COLORS = {"red": "31", "yellow": "33", "green": "32", "blue": "34", "dim": "2", "bold": "1"}
_ASCII = str.maketrans(
    {
        "●": "*", "‖": "=", "▲": "!", "✗": "x", "◌": "~", "■": "-", "·": ",", "…": "...", "→": "->",
        "├": "|", "└": "`", "─": "-", "│": "|",
    }
)  # fmt: skip


class Terminal(NamedTuple):
    """The properties of an output."""

    width: int = NARROW
    has_colors: bool = False
    is_unicode: bool = True
    can_redraw: bool = False

    def paint(self, text: str, color: str) -> str:
        """Return the text in a color, if the output has colors. An empty color changes nothing."""
        return f"\x1b[{_COLORS[color]}m{text}\x1b[0m" if self.has_colors and color else text

    def to_output(self, text: str) -> str:
        """Return the text in characters that the output can show."""
        if self.is_unicode:
            return text
        return text.replace(" ·", ",").translate(_ASCII).encode("ascii", "backslashreplace").decode()


def terminal_of(stream: TextIO, environment: Mapping[str, str], color: str = "auto") -> Terminal:
    """Return the properties of a stream. `color` is the option: auto, always or never."""
    is_terminal = stream.isatty()
    is_dumb = environment.get("TERM") == "dumb"
    by_default = is_terminal and not is_dumb and not environment.get("NO_COLOR")
    return Terminal(
        width=max(NARROW, terminal_size(stream, environment)[0]),
        has_colors=color == "always" or (color == "auto" and by_default),
        is_unicode=has_unicode(environment),
        can_redraw=is_terminal and not is_dumb,
    )


def has_unicode(environment: Mapping[str, str]) -> bool:
    """Return whether the locale has characters beyond ASCII. Without a locale, it is C."""
    chosen = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "C")
    return chosen.lower().replace("-", "").endswith("utf8")


def terminal_size(stream: TextIO, environment: Mapping[str, str]) -> tuple[int, int]:
    """Return the columns and lines of a terminal. The variable COLUMNS counts first; 80 and 24 without a terminal."""
    columns, lines = NARROW, 24
    with suppress(OSError, ValueError):  # not a terminal, or a stream without a file
        columns, lines = os.get_terminal_size(stream.fileno())
    chosen = environment.get("COLUMNS", "")
    return (int(chosen) if chosen.isdecimal() and int(chosen) else columns or NARROW), lines
