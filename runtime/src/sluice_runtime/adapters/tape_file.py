"""The file of a tape: text, plain or compressed with gzip, whose problems are explained to its user."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..domain.failure import StreamError
from .error_text import file_error_text
from .tape_rows import TapeError
from .user_text import UserTextError, open_user_text


@contextmanager
def open_tape(path: Path, remedy: str) -> Iterator[IO[str]]:
    """Open the lines of a tape, which are parsed while the context is open.

    `remedy` says what to do if the file does not exist, with its `{name}` and `{directory}`.

    Raises:
        StreamError: the file cannot be read, or the code in the context found that it is not a tape.
    """
    try:
        with open_user_text(path) as lines:
            yield lines
    except FileNotFoundError as error:
        raise StreamError(
            "configuration",
            f"the tape {path.name} does not exist; {remedy.format(name=path.name, directory=path.parent)}",
        ) from error
    except TapeError as error:
        raise StreamError("configuration", str(error)) from error
    except (OSError, UserTextError, EOFError, zlib.error, csv.Error) as error:
        raise StreamError("configuration", f"the tape {path.name} cannot be read: {_tape_problem(error)}") from error


def _tape_problem(error: Exception) -> str:
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "its compression is damaged or incomplete; copy the file again"
    if isinstance(error, csv.Error):
        return "it is not a table with one quote in each line; export it as CSV"
    return file_error_text(error)
