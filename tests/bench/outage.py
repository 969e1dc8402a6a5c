"""Firestore unavailable for a minute at 1,000 quotes a second: `python -m bench.outage`.

There are two outages. In the first, the emulator's process is stopped and continued, so that requests hang and may
take effect late. In the second, it is killed and restarted on the same port without its documents. The report has the
pod's memory, the time until every document is written again and the age of its quote then, and the number of documents
whose quote went back in time, which is 0 if no stale quote is written. The exit code is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import pod as pods
from bench.rows import Row, table, write
from sluice_devcluster import emulator, processes
from sluice_devcluster.emulator_documents import read_collection
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.processes import ProcessRecord, load_record
from sluice_simulators.alpaca import AlpacaServer, GeneratorFeed
from support.firestore import firestore_emulator

TENANT = "outage"
BEFORE_SECONDS = 30.0
AWAY_SECONDS = 60.0
AFTER_SECONDS = 30.0
LOOK_SECONDS = 0.1  # a document is written at most once a second, so no version of it is missed
GROWTH_MIB = 3.0
OLD_SECONDS = 5.0  # 30 symbols take 1.5 s at 20 writes a second


@dataclass
class Watch:
    """Polls the documents and records the writes and the quotes that went back in time."""

    host: str
    newest: dict[str, datetime] = field(default_factory=dict)
    backwards: int = 0
    fresh_at: dict[str, float] = field(default_factory=dict)  # monotonic time of the first write after `since`
    ages: dict[str, float] = field(default_factory=dict)  # age of the quote in seconds when it was written
    since: float | None = None  # Unix seconds of Firestore's return

    async def run(self) -> None:
        """Poll until cancelled. Nothing is recorded while Firestore is unavailable."""
        while True:
            with suppress(OSError, TimeoutError):
                self.take(
                    await asyncio.to_thread(read_collection, self.host, f"tenants/{TENANT}/live_quotes", pods.PROJECT)
                )
            await asyncio.sleep(LOOK_SECONDS)

    def take(self, found: list[dict[str, Any]]) -> None:
        """Compare one poll of all documents with the previous one."""
        for each in found:
            symbol, ts, written_at = each["symbol"], instant(each["ts"]), instant(each["written_at"])
            self.backwards += ts < self.newest.get(symbol, ts)
            self.newest[symbol] = ts
            if self.since is not None and symbol not in self.fresh_at and written_at.timestamp() >= self.since:
                self.fresh_at[symbol] = time.monotonic()
                self.ages[symbol] = (written_at - ts).total_seconds()


def instant(text: str) -> datetime:
    """Parse a time as Firestore's REST interface writes it, to the microsecond."""
    head, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{head}.{(fraction + '000000')[:6]}+00:00")


async def stopped(state: StateDirectory, host: str) -> None:
    """Stop the emulator's process for 60 s, then let it continue."""
    record = running(state)
    processes.send_signal(record, signal.SIGSTOP)
    try:
        await asyncio.sleep(AWAY_SECONDS)
    finally:
        processes.send_signal(record, signal.SIGCONT)
    await emulator.wait_until_answering(state, host, ours=True)


async def killed(state: StateDirectory, host: str) -> None:
    """Kill the emulator's process; after 60 s, start another on its port, without any documents."""
    record = running(state)
    command = command_of(record)
    processes.send_signal(record, signal.SIGKILL)
    await asyncio.sleep(AWAY_SECONDS)
    processes.start_process(command, state.log_file(emulator.COMPONENT), state.record_file(emulator.COMPONENT))
    await emulator.wait_until_answering(state, host, ours=True)


def command_of(record: ProcessRecord) -> list[str]:
    """Return the command that starts another process like this one."""
    return Path(f"/proc/{record.pid}/cmdline").read_text().rstrip("\0").split("\0")


def running(state: StateDirectory) -> ProcessRecord:
    """Return the record of the emulator's process.

    Raises:
        SystemExit: the emulator was started by another program.
    """
    record = load_record(state.record_file(emulator.COMPONENT))
    if record is None:
        raise SystemExit("the emulator is somebody else's, and is not to be stopped: unset FIRESTORE_EMULATOR_HOST")
    return record


async def measure(name: str, away: Callable[[StateDirectory, str], Any], host: str, folder: Path) -> list[Row]:
    """Run one outage with its own pod and emulator."""
    async with (
        AlpacaServer(feed=GeneratorFeed(pods.QUOTES_PER_SECOND, 1)) as server,
        pods.pod(pods.spec(TENANT, server.url()), host, folder / "pod") as (process, _),
    ):
        watch, memory = Watch(host), list[tuple[str, float]]()
        looking = asyncio.create_task(watch.run())
        sampling = asyncio.create_task(_sample(process, memory, part := ["before"]))
        await asyncio.sleep(BEFORE_SECONDS)
        part[0] = "away"
        await away(StateDirectory(folder), host)
        part[0], watch.since, back_at = "after", time.time(), time.monotonic()
        await asyncio.sleep(AFTER_SECONDS)
        for task in (looking, sampling):
            task.cancel()
        await asyncio.gather(looking, sampling, return_exceptions=True)
    return rows(name, watch, back_at, {part: [size for at, size in memory if at == part] for part, _ in memory})


async def _sample(process: pods.Process, memory: list[tuple[str, float]], part: list[str]) -> None:
    while True:
        memory.append((part[0], process.memory("VmRSS")))
        await asyncio.sleep(1.0)


def rows(name: str, watch: Watch, back_at: float, memory: dict[str, list[float]]) -> list[Row]:
    """Return the rows of one outage. `memory` is in MiB, by the part of the run."""
    before, most = memory["before"][-1], max(memory["away"] + memory["after"])
    missing = len(set(pods.SYMBOLS) - watch.fresh_at.keys())
    last = max(watch.fresh_at.values(), default=back_at + AFTER_SECONDS) - back_at
    oldest = max(watch.ages.values(), default=float("inf"))

    def row(what: str, unit: str, value: float, target: str = "", met: bool | None = None) -> Row:
        return Row(
            name=f"Firestore {name} for {AWAY_SECONDS:.0f} s: {what}", unit=unit, ours=value, target=target, met=met
        )

    return [
        row("RSS before", "MiB", before),
        row("most RSS meanwhile and after", "MiB", most, f"<= +{GROWTH_MIB:.0f} MiB", most - before <= GROWTH_MIB),
        row("documents not written within 30 s", "", missing, "0", not missing),
        row("until every document is written", "s", last),
        row("oldest quote in a first write", "s", oldest, f"<= {OLD_SECONDS:.0f} s", oldest <= OLD_SECONDS),
        row("documents that went back in time", "", watch.backwards, "0", not watch.backwards),
    ]


def main() -> int:
    """Run both outages and print the table."""
    argparse.ArgumentParser(prog="bench.outage", description=__doc__).parse_args()
    found: list[Row] = []
    for name, away in (("stopped", stopped), ("killed", killed)):
        with tempfile.TemporaryDirectory() as folder, firestore_emulator(Path(folder)) as host:
            found += asyncio.run(measure(name, away, host, Path(folder)))
    print(table(found))
    write(found, Path("build/bench/outage.json"))
    return int(any(each.met is False for each in found))


if __name__ == "__main__":
    sys.exit(main())
