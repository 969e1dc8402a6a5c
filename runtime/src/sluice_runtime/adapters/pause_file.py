"""The pause file of a standalone runtime: `sluice-runtime pause` writes it, and the runtime polls it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from sluice_contract.values import Symbol

from .decoding import decode_json
from .switches import write_file_atomically


class ManualPause(msgspec.Struct, frozen=True, kw_only=True):
    """The start and the reason of a manual pause."""

    since: datetime
    reason: str = ""


class ManualPauses(msgspec.Struct, frozen=True, kw_only=True):
    """All manual pauses: that of the whole job, and those of single symbols."""

    job: ManualPause | None = None
    symbols: dict[Symbol, ManualPause] = {}

    def with_pauses_added(self, symbols: Iterable[str], pause: ManualPause) -> ManualPauses:
        """Return these pauses with `pause` added for each of `symbols`. Without symbols, add it for the whole job.

        Pauses that already exist keep their start and reason.
        """
        more = dict.fromkeys(symbols, pause)
        if not more:
            return msgspec.structs.replace(self, job=self.job or pause)
        return msgspec.structs.replace(self, symbols={**more, **self.symbols})

    def with_pauses_removed(self, symbols: Iterable[str]) -> ManualPauses:
        """Return these pauses without those of `symbols`. Without symbols, only the whole job's pause is removed."""
        fewer = frozenset(symbols)
        if not fewer:
            return msgspec.structs.replace(self, job=None)
        left = {symbol: pause for symbol, pause in self.symbols.items() if symbol not in fewer}
        return msgspec.structs.replace(self, symbols=left)


class PauseFile:
    """The file with the manual pauses."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "pauses.json"

    def read(self) -> ManualPauses:
        """Return the pauses in the file; none if there is no file.

        Raises:
            OSError, msgspec.MsgspecError: the file cannot be read.
        """
        try:
            return decode_json(self.path.read_bytes(), ManualPauses)
        except FileNotFoundError:
            return ManualPauses()

    def write(self, pauses: ManualPauses) -> None:
        """Replace the content of the file by `pauses`.

        Raises:
            OSError: the file cannot be written.
        """
        write_file_atomically(self.path, msgspec.json.encode(pauses))

    def rewrite_under_lock(self, change: Callable[[ManualPauses], ManualPauses]) -> None:
        """Read the pauses, and write the result of `change(pauses)`, under a lock that excludes other processes.

        Raises:
            OSError, msgspec.MsgspecError: the file cannot be read or written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name("pauses.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.write(change(self.read()))
