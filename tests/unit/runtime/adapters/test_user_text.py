import gzip
import os
import threading
from pathlib import Path

import pytest

from sluice_runtime.adapters import user_text
from sluice_runtime.adapters.user_text import (
    UserTextError,
    open_user_text,
    read_certificates,
    read_first_line,
    read_user_bytes,
    read_user_text,
)
from support.encodings import ENCODINGS, UNREADABLE, Encode

TEXT = "caf\u00e9 \u2713 \U0001f4c8\nsecond\n"

every_encoding = pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
every_unreadable = pytest.mark.parametrize(("name", "content"), UNREADABLE.items(), ids=UNREADABLE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "text"


@every_encoding
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_text_is_the_same_in_every_encoding_and_with_every_line_ending(
    file: Path, encode: Encode, ending: str
) -> None:
    file.write_bytes(encode(TEXT.replace("\n", ending)))
    assert read_user_text(file) == TEXT


@every_encoding
def test_a_text_without_a_character_is_empty(file: Path, encode: Encode) -> None:
    file.write_bytes(encode(""))
    assert (read_user_text(file), read_first_line(file)) == ("", "")
    with open_user_text(file) as lines:
        assert list(lines) == []


@every_unreadable
def test_a_text_in_another_encoding_is_an_error_that_names_it(file: Path, name: str, content: bytes) -> None:
    file.write_bytes(content)
    for read in (read_user_text, read_first_line):
        with pytest.raises(UserTextError, match=r"save it as UTF-8$") as error:
            read(file)
        assert name in str(error.value)


def test_a_compressed_text_is_named(file: Path) -> None:
    file.write_bytes(gzip.compress(TEXT.encode()))
    with pytest.raises(UserTextError, match="it is compressed with gzip; decompress it"):
        read_user_text(file)


def test_an_error_never_quotes_the_text(file: Path) -> None:
    file.write_bytes("sesame".encode("utf-16-le") + b"\xff")
    with pytest.raises(UserTextError) as error:
        read_user_text(file)
    assert "sesame" not in str(error.value).replace("\0", "")


def test_a_huge_file_is_rejected(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_text, "MAX_BYTES", 1 << 20)
    file.write_bytes(b"x" * (1 << 20))
    assert len(read_user_text(file)) == 1 << 20
    file.write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(UserTextError, match="larger than 1 MiB"):
        read_user_text(file)
    with pytest.raises(UserTextError, match="larger than 1 MiB"):
        read_user_text(Path("/dev/zero"), may_be_pipe=True)


def test_a_pipe_without_a_writer_does_not_block(file: Path) -> None:
    os.mkfifo(file)
    for read in (read_user_text, read_first_line, read_certificates, read_user_bytes):
        with pytest.raises(UserTextError, match="not a regular file"):
            read(file)
    with pytest.raises(UserTextError, match="not a regular file"), open_user_text(file):
        pass


@every_encoding
def test_a_pipe_that_is_expected_is_read_to_its_end(file: Path, encode: Encode) -> None:
    os.mkfifo(file)
    writer = threading.Thread(target=file.write_bytes, args=(encode(TEXT * 20_000),))
    writer.start()
    assert read_user_text(file, may_be_pipe=True) == TEXT * 20_000
    writer.join()


def test_a_directory_is_not_read(tmp_path: Path) -> None:
    for read in (read_user_text, read_first_line, read_certificates, read_user_bytes):
        with pytest.raises(IsADirectoryError):
            read(tmp_path)


@every_encoding
@pytest.mark.parametrize("is_compressed", [False, True])
def test_lines_are_read_from_every_encoding_also_compressed(file: Path, encode: Encode, is_compressed: bool) -> None:
    content = encode(TEXT * 20_000)
    file.write_bytes(gzip.compress(content) if is_compressed else content)
    with open_user_text(file) as lines:
        assert "".join(lines) == TEXT * 20_000


def test_text_that_ceases_to_be_utf_8_is_an_error_while_it_is_read(file: Path) -> None:
    file.write_bytes(b"a,b\n" * 10_000 + b"\xe9\n")
    with pytest.raises(UserTextError, match="looks like Latin-1"), open_user_text(file) as lines:
        list(lines)


def test_characters_outside_ascii_in_the_comments_of_certificates_do_not_matter(file: Path) -> None:
    file.write_bytes("# F\u0151tan\u00fas\u00edtv\u00e1ny\r\n\ufeff-----BEGIN CERTIFICATE-----\r\n".encode())
    assert read_certificates(file) == "# Ftanstvny\n-----BEGIN CERTIFICATE-----\n"
    file.write_bytes(b"")
    with pytest.raises(UserTextError, match="no certificate"):
        read_certificates(file)
