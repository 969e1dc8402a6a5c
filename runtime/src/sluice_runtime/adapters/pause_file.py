"""Pauses of a standalone runtime: a file that `sluice-runtime pause` writes and the runtime follows."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from sluice_contract.values import Symbol

from .decoding import decoded
from .switches import replace


class HandPause(msgspec.Struct, frozen=True, kw_only=True):
    """A pause by hand: since when, and why."""

    since: datetime
    reason: str = ""


class Pauses(msgspec.Struct, frozen=True, kw_only=True):
    """All of them: that of the whole job, and those of symbols."""

    job: HandPause | None = None
    symbols: dict[Symbol, HandPause] = {}

    def paused(self, symbols: Iterable[str], pause: HandPause) -> Pauses:
        """These and more; without symbols, the whole job. A pause that is there already stays as it is."""
        more = dict.fromkeys(symbols, pause)
        if not more:
            return msgspec.structs.replace(self, job=self.job or pause)
        return msgspec.structs.replace(self, symbols={**more, **self.symbols})

    def resumed(self, symbols: Iterable[str]) -> Pauses:
        """Without those of `symbols`; without symbols, without that of the whole job. Each stands for itself."""
        fewer = frozenset(symbols)
        if not fewer:
            return msgspec.structs.replace(self, job=None)
        left = {symbol: pause for symbol, pause in self.symbols.items() if symbol not in fewer}
        return msgspec.structs.replace(self, symbols=left)


class PauseFile:
    """Where they are kept."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "pauses.json"

    def read(self) -> Pauses:
        """What stands; nothing, if there is no file.

        Raises:
            OSError, msgspec.MsgspecError: the file cannot be read.
        """
        try:
            return decoded(self.path.read_bytes(), Pauses)
        except FileNotFoundError:
            return Pauses()

    def write(self, pauses: Pauses) -> None:
        """Replaces what stands.

        Raises:
            OSError: it cannot be written.
        """
        replace(self.path, msgspec.json.encode(pauses))

    def change(self, made: Callable[[Pauses], Pauses]) -> None:
        """Makes something of what stands, one process at a time.

        Raises:
            OSError, msgspec.MsgspecError: it cannot be read or written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name("pauses.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.write(made(self.read()))
