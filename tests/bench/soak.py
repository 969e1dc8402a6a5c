"""A long run of one pod at 1,000 quotes a second, with a fault each minute: `python -m bench.soak SECONDS`.

Before the measured time begins, each fault happens once: an allocator permanently keeps the memory of the largest
fault, and the question is whether each further fault adds to it. The run prints a line each minute, and at the end the
slope of the memory, whether every document is correct, and how often the stream connected. The exit code is 1 if a
document is wrong or the pod has exited.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import pod as pods
from bench.rows import Row, table, write
from sluice_devcluster import emulator
from sluice_devcluster.emulator_documents import read_collection
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.processes import load_record
from sluice_simulators.alpaca import AlpacaServer, GeneratorFeed, TapeFeed
from sluice_simulators.alpaca import handshake_faults as handshake
from sluice_simulators.alpaca import message_faults as messages
from sluice_simulators.alpaca import stream_faults as streams
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.tapes import TapeQuote
from support.firestore import firestore_emulator

TENANT = "soak"
OUTAGE_SECONDS = 30.0
SAMPLE_SECONDS = 5.0
REHEARSAL_SECONDS = 8.0  # between two faults before the measured time begins

STRIKES: tuple[Fault, ...] = (
    streams.Reset(),
    streams.HangUp(),
    streams.Close(code=1000),
    streams.Close(code=1011),
    streams.CloseMidFragment(),
    streams.SlowClient(),
    streams.SlowClient(said=False),
    streams.Mute(pongs=False),
    streams.WrongCodec(),
    streams.Garbage(),
    streams.EmptyArray(),
    streams.Oversize(),
    streams.Burst(messages=20_000),
    streams.StallReading(seconds=5.0),
    streams.Unsubscribed(),
    messages.UnknownType(),
    messages.UnknownKeys(),
    messages.Missing(),
    messages.TimeAsString(),
    messages.OutOfOrder(),
    messages.Future(),
    messages.Duplicate(),
    messages.Crossed(),
    messages.ZeroSide(),
    messages.NanSide(),
)
# The faults of the connection that follows a reset.
REFUSALS: tuple[Fault, ...] = (
    handshake.HttpError(status=503),
    handshake.HttpError(status=429, retry_after=2),
    handshake.ResetOnConnect(),
    handshake.Delay(phase="auth", seconds=2.0),
    handshake.NoWelcome(),
    handshake.AuthSilence(),
    handshake.AuthError(code=406, times=1),
    handshake.AuthError(code=500, times=1),
    handshake.AckMissing(),
    handshake.AckError(code=400),
)


@dataclass
class Soak:
    """One run. Times are seconds since its start; memory is in MiB."""

    seconds: float
    folder: Path
    source: random.Random
    process: pods.Process
    server: AlpacaServer
    host: str
    began: float = field(default_factory=time.monotonic)
    cpu_before: float = 0.0  # the process's CPU seconds when the measured time began
    memory: list[tuple[float, float]] = field(default_factory=list)
    faults: int = 0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the start of the measured time."""
        return time.monotonic() - self.began

    async def run(self) -> None:
        """Inject each fault once; then sample and inject faults until the time is over."""
        for strike in (*STRIKES, *REFUSALS):
            print(f"rehearsing {strike}", flush=True)
            await self._suffer(strike)
            await asyncio.sleep(REHEARSAL_SECONDS)
        await self._away(REHEARSAL_SECONDS)
        await asyncio.sleep(60)
        self.began, self.cpu_before = time.monotonic(), self.process.cpu_seconds
        await asyncio.gather(self._sample(), self._strike(), self._stop_firestore(), self._print_progress())

    async def _sample(self) -> None:
        while self.elapsed < self.seconds:
            self.memory.append((self.elapsed, self.process.memory("VmRSS")))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _strike(self) -> None:
        # The last minute has no fault: the final check is of the state after recovery.
        while self.elapsed < self.seconds - 120:
            await asyncio.sleep(60)
            strike = self.source.choice([*STRIKES, *REFUSALS])
            self.faults += 1
            print(f"{self.elapsed:6.0f} s  {strike}", flush=True)
            await self._suffer(strike)

    async def _suffer(self, strike: Fault) -> None:
        if strike in REFUSALS:
            self.server.faults.schedule(strike)
            strike = streams.Reset()
        await self.server.inject(strike)

    async def _stop_firestore(self) -> None:
        await asyncio.sleep(self.seconds / 2)
        print(f"{self.elapsed:6.0f} s  Firestore stops for {OUTAGE_SECONDS:.0f} s", flush=True)
        await self._away(OUTAGE_SECONDS)

    async def _away(self, seconds: float) -> None:
        """Stop Firestore's process and let it continue: requests hang meanwhile, and no document is lost."""
        record = load_record(StateDirectory(self.folder).record_file(emulator.COMPONENT))
        if record is None:
            print("the emulator is somebody else's: it is not stopped", flush=True)
            return
        os.kill(record.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(record.pid, signal.SIGCONT)

    async def _print_progress(self) -> None:
        while self.elapsed < self.seconds:
            await asyncio.sleep(60)
            counters = await asyncio.to_thread(counters_of, pods.ADDRESS)
            shown = " ".join(f"{name} {value:,.0f}" for name, value in counters.items())
            print(f"{self.elapsed:6.0f} s  RSS {self.process.memory('VmRSS'):.1f} MiB  {shown}", flush=True)


def counters_of(address: str) -> dict[str, float]:
    """Return the pod's own counters, from its metrics."""
    with urllib.request.urlopen(f"http://{address}:8080/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found: dict[str, float] = {}
    for line in lines:
        name, _, value = line.rpartition(" ")
        bare = name.partition("{")[0]
        if bare.startswith("ingest_") and bare.endswith("_total"):
            short = bare.removeprefix("ingest_").removesuffix("_total")
            found[short] = found.get(short, 0.0) + float(value)
    return found


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope in MiB an hour, by least squares over (seconds, MiB)."""
    times, sizes = [at for at, _ in points], [size for _, size in points]
    mean_time, mean_size = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((at - mean_time) ** 2 for at in times)
    together = sum((at - mean_time) * (size - mean_size) for at, size in points)
    return together / spread * 3600


def last_words() -> list[TapeQuote]:
    """Return the quotes that the documents must have at the end: no two of them are equal."""
    return [
        TapeQuote(0, symbol, 1000.0 + number, 100 + number, 2000.0 + number, 200 + number)
        for number, symbol in enumerate(pods.SYMBOLS)
    ]


async def wrong_documents(soak: Soak) -> list[str]:
    """Replace the endless quotes by one last quote of each symbol; return the documents that then differ from it."""
    finished = soak.server.play_feed(TapeFeed(last_words(), restamp=True))
    await asyncio.wait_for(finished, 60)
    await asyncio.sleep(10)
    found = {each["symbol"]: each for each in read_collection(soak.host, f"tenants/{TENANT}/live_quotes", pods.PROJECT)}
    wrong = []
    for quote in last_words():
        fields: dict[str, Any] = found.get(quote.symbol, {})
        is_right = (fields.get("bid"), fields.get("ask")) == (quote.bid, quote.ask)
        if not is_right or fields.get("bid_size") != quote.bid_size:
            wrong.append(f"{quote.symbol}: {fields.get('bid')} / {fields.get('ask')} of {fields.get('ts')}")
    return wrong


def rows(soak: Soak, wrong: list[str]) -> list[Row]:
    """Return the rows of the report."""
    sizes = [size for _, size in soak.memory]
    figures: Iterator[tuple[str, str, float]] = iter(
        (
            ("soak: length", "s", soak.elapsed),
            ("soak: RSS, least", "MiB", min(sizes)),
            ("soak: RSS, most", "MiB", max(sizes)),
            ("soak: RSS slope", "MiB/h", slope(soak.memory)),
            ("soak: faults", "", float(soak.faults)),
            ("soak: connections", "", float(soak.server.record.connect_count)),
            ("soak: most connections at once", "", float(soak.server.record.concurrent_max)),
            ("soak: CPU", "% of a core", 100 * (soak.process.cpu_seconds - soak.cpu_before) / soak.elapsed),
        )
    )
    found = [Row(name=name, unit=unit, ours=value) for name, unit, value in figures]
    return [*found, Row(name="soak: wrong documents", unit="", ours=len(wrong), target="0", met=not wrong)]


async def run(seconds: float, seed: int, host: str, folder: Path) -> int:
    """Run the soak test and return the exit code."""
    async with (
        AlpacaServer(feed=GeneratorFeed(pods.QUOTES_PER_SECOND, seed)) as server,
        pods.pod(pods.spec(TENANT, server.url()), host, folder / "pod") as (process, _),
    ):
        soak = Soak(seconds, folder, random.Random(seed), process, server, host)
        await soak.run()
        wrong = await wrong_documents(soak)
        found = rows(soak, wrong)
    print(table(found), *wrong, sep="\n", flush=True)
    write(found, Path("build/bench/soak.json"))
    return 1 if wrong else 0


def main() -> int:
    """Run the soak test with the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, firestore_emulator(Path(name)) as host:
        return asyncio.run(run(chosen.seconds, chosen.seed, host, Path(name)))


if __name__ == "__main__":
    sys.exit(main())
