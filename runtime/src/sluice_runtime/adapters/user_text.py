"""Text files that a user supplies, in the encoding and with the line endings that the user's editor writes.

UTF-8, UTF-16 and UTF-32 with a byte order mark are decoded. Text without a mark is UTF-8. Anything else is an error
that names the encoding that the text seems to have.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

# The largest of these texts: a document or a bundle of certificates. The API server refuses objects above 1.5 MiB, and
# UTF-32 takes four bytes for a character.
MAX_BYTES = 8 << 20
# Bytes read to find the first line.
_HEAD_BYTES = 64 << 10

# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_MARK = 4
# Which of the first four bytes are zero where these encodings hold a character of ASCII.
_ZERO_BYTES: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "UTF-16 (little-endian) without a byte order mark",
    (True, False, True, False): "UTF-16 (big-endian) without a byte order mark",
    (False, True, True, True): "UTF-32 (little-endian) without a byte order mark",
    (True, True, True, False): "UTF-32 (big-endian) without a byte order mark",
}
_GZIP = b"\x1f\x8b"
_REPLACEMENT = "\ufffd"  # what a decoder writes for bytes that it cannot decode
_REMEDY = "save it as UTF-8"


class UserTextError(ValueError):
    """A user's file is not readable text. The message is a clause about the file; it never quotes the content."""


def read_user_text(path: Path, *, may_be_pipe: bool = False) -> str:
    """Return the whole text, without its byte order mark and with every line ending as a newline.

    A pipe is read to its end if `may_be_pipe` is True. Otherwise, anything but a regular file is an error, so that
    reading never waits.

    Raises:
        OSError: the file cannot be opened or read.
        UserTextError: it is not a regular file, is larger than MAX_BYTES, or is not text in a known encoding.
    """
    raw = read_user_bytes(path, may_be_pipe=may_be_pipe)
    mark, encoding = _byte_order_mark_and_encoding(raw)
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        raise UserTextError(_encoding_problem(raw)) from None
    if "\0" in text:
        raise UserTextError(_encoding_problem(raw))
    return _normalize_newlines(text)


def read_first_line(path: Path) -> str:
    """Return the first line that is not blank, without surrounding spaces; "" if the first 64 KiB have none.

    Only this line must be readable: text below it, such as a comment in another encoding, does not matter.

    Raises:
        OSError: the file cannot be opened or read.
        UserTextError: it is not a regular file, or the line is not text in a known encoding.
    """
    with _open_regular_file(path) as file:
        raw = file.read(_HEAD_BYTES)
    mark, encoding = _byte_order_mark_and_encoding(raw)
    lines = _normalize_newlines(raw[len(mark) :].decode(encoding, errors="replace")).split("\n")
    line = next((line.strip() for line in lines if line.strip()), "")
    if "\0" in line or _REPLACEMENT in line:
        raise UserTextError(_encoding_problem(raw))
    return line


def read_certificates(path: Path) -> str:
    """Return the PEM text of certificates, in ASCII as `ssl` requires.

    Characters outside ASCII are dropped, because they occur only in comments.

    Raises:
        OSError: the file cannot be opened or read.
        UserTextError: it is not text, as in `read_user_text`, or contains no certificate.
    """
    text = read_user_text(path).encode("ascii", errors="ignore").decode("ascii")
    if "-----BEGIN" not in text:
        raise UserTextError("it contains no certificate in PEM format")
    return text


def read_user_bytes(path: Path, *, may_be_pipe: bool = False) -> bytes:
    """Return the content of a file as bytes, without decoding it.

    Raises:
        OSError: the file cannot be opened or read.
        UserTextError: it is not a regular file, or is larger than MAX_BYTES.
    """
    with _open_regular_file(path, may_be_pipe=may_be_pipe) as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise UserTextError(f"it is larger than {MAX_BYTES >> 20} MiB; name the right file")
    return raw


@contextmanager
def open_user_text(path: Path) -> Iterator[IO[str]]:
    """Open a text of any size, plain or compressed with gzip, for reading line by line. Line endings stay as they are.

    Raises:
        OSError: the file cannot be opened or read, or its compression is damaged (also EOFError and zlib.error).
        UserTextError: it is not a regular file, or is not text in a known encoding; also while the text is read.
    """
    with _open_regular_file(path) as raw:
        binary = _decompress_if_gzip(raw)
        head = binary.read(_LONGEST_MARK)
        mark, encoding = _byte_order_mark_and_encoding(head)
        if not mark and b"\0" in head:
            raise UserTextError(_encoding_problem(head))
        binary.seek(len(mark))
        try:
            yield io.TextIOWrapper(binary, encoding=encoding, newline="")
        except UnicodeDecodeError:
            raise UserTextError(_encoding_problem(head)) from None


def _decompress_if_gzip(raw: IO[bytes]) -> IO[bytes]:
    """Return the decompressed content of a gzip file; any other file itself, from its start."""
    is_compressed = raw.read(len(_GZIP)) == _GZIP
    raw.seek(0)
    if not is_compressed:
        return raw
    import gzip  # noqa: PLC0415  most pods replay no tape

    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))


@contextmanager
def _open_regular_file(path: Path, *, may_be_pipe: bool = False) -> Iterator[IO[bytes]]:
    """Open a regular file, or also a pipe if `may_be_pipe` is True. Any other file is refused.

    Raises:
        OSError: the file cannot be opened.
        UserTextError: it is not such a file.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if may_be_pipe else os.O_NONBLOCK))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode) and not may_be_pipe:
            raise UserTextError("it is not a regular file; name a file")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def _byte_order_mark_and_encoding(raw: bytes) -> tuple[bytes, str]:
    return next(((mark, name) for mark, name in _MARKS if raw.startswith(mark)), (b"", "utf-8"))


def _encoding_problem(raw: bytes) -> str:
    """Return why `raw` cannot be decoded, and what to do."""
    mark, encoding = _byte_order_mark_and_encoding(raw)
    if mark and encoding != "utf-8":
        name = encoding[:6].upper()
        return f"it starts with the byte order mark of {name} but is not {name}; {_REMEDY}"
    if raw.startswith(_GZIP):
        return "it is compressed with gzip; decompress it"
    if b"\0" in raw:
        found = _ZERO_BYTES.get(tuple(byte == 0 for byte in raw[:4].ljust(4, b"?")))
        return f"it looks like {found}; {_REMEDY}" if found else f"it contains zero bytes, so it is not text; {_REMEDY}"
    return f"it is not UTF-8 and looks like Latin-1 or Windows-1252; {_REMEDY}"


def _normalize_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
