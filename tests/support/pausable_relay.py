"""A TCP relay in its own process. While it is stopped, the two sides are partitioned, without an error on either."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.tcp_forwarder import tcp_forwarder


class PausableRelay:
    """A running relay. `address` is its host:port."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.address = address
        self._process = process

    @contextmanager
    def partitioned(self) -> Iterator[None]:
        """Deliver nothing within the context."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def pause(self) -> None:
        """Deliver nothing from now on."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Deliver everything again, also what was sent meanwhile, however late it is."""
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def pausable_relay(target: str) -> Iterator[PausableRelay]:
    """Relay connections to `target` (host:port on 127.0.0.1) while the context lasts."""
    command = [sys.executable, "-m", "support.pausable_relay", target.rpartition(":")[2]]
    tests = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tests) as process:
        assert process.stdout is not None
        try:
            yield PausableRelay(process, f"127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()


async def _relay_until_terminated(target_port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with tcp_forwarder(target_port, "127.0.0.1") as port:
        print(port, flush=True)  # noqa: T201
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_relay_until_terminated(int(sys.argv[1])))
