"""Texts in the encodings that editors save, and in encodings that need a byte order mark to be recognized."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

Encode = Callable[[str], bytes]

# Encodings that a runtime reads.
ENCODINGS: dict[str, Encode] = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16-LE with mark": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16-BE with mark": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "UTF-32-LE with mark": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
    "UTF-32-BE with mark": lambda text: codecs.BOM_UTF32_BE + text.encode("utf-32-be"),
}

# Bytes that a runtime rejects, by a part of the error message. Each is the word "off", with an accent if necessary.
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
    """Write the file in binary mode, as an editor saves it."""
    file.write_bytes(content)
