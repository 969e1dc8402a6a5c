"""Texts as editors save them, and encodings that cannot be told apart without a byte order mark."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

Encode = Callable[[str], bytes]

# What a runtime reads.
ENCODINGS: dict[str, Encode] = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16-LE with mark": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16-BE with mark": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "UTF-32-LE with mark": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
    "UTF-32-BE with mark": lambda text: codecs.BOM_UTF32_BE + text.encode("utf-32-be"),
}

# What it does not read, by a part of the error that says so. Each is the word off, with an accent where it needs one.
UNREADABLE: dict[str, bytes] = {
    "UTF-16 (little-endian) without a byte order mark": "off\r\n".encode("utf-16-le"),
    "UTF-16 (big-endian) without a byte order mark": "off\r\n".encode("utf-16-be"),
    "UTF-32 (little-endian) without a byte order mark": "off\r\n".encode("utf-32-le"),
    "UTF-32 (big-endian) without a byte order mark": "off\r\n".encode("utf-32-be"),
    "Latin-1 or Windows-1252": "\xf6ff\r\n".encode("latin-1"),
    "byte order mark of UTF-16": codecs.BOM_UTF16_LE + b"o",
    "zero bytes": b"off\0",
}


def save(file: Path, content: bytes) -> None:
    """Write the file, as an editor does."""
    file.write_bytes(content)
