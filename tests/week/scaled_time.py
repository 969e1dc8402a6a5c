"""Time that runs faster than real time, and that can skip hours, for code that really sends and receives."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any


class ScaledTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time runs `speed` times as fast as real time. Its sockets and processes are real."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._skipped = 0.0
        super().__init__(_ScaledSelector(speed))

    def time(self) -> float:
        """Return the seconds since the loop was created, including those that were skipped."""
        return (time.monotonic() - self._began) * self._speed + self._skipped

    def skip(self, seconds: float) -> None:
        """Let `seconds` pass at once, as on a machine that was suspended. Timers that are due then run now."""
        self._skipped += seconds

    def wait_real_seconds(self, seconds: float) -> Coroutine[Any, Any, None]:
        """Sleep for `seconds` of real time."""
        return asyncio.sleep(seconds * self._speed)


def running_loop() -> ScaledTimeLoop:
    """Return the running loop, which must be a `ScaledTimeLoop`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ScaledTimeLoop)
    return loop


class VirtualClock:
    """The wall clocks of the runtime and of the provider. They differ while `runtime_is_ahead` is not zero."""

    def __init__(self, loop: ScaledTimeLoop, start: datetime) -> None:
        """`start` is the time at the creation of the loop; it has a time zone."""
        self.runtime_is_ahead = timedelta()
        self._loop = loop
        self._start = start

    def provider_now(self) -> datetime:
        """Return the right time."""
        return self._start + timedelta(seconds=self._loop.time())

    def runtime_now(self) -> datetime:
        """Return the time by the clock of the runtime's node."""
        return self.provider_now() + self.runtime_is_ahead

    async def sleep_until(self, moment: datetime) -> None:
        """Sleep until the provider's clock shows `moment`, at the speed of the loop."""
        await asyncio.sleep(max(0.0, (moment - self.provider_now()).total_seconds()))

    async def skip(self, seconds: float, real_seconds: float) -> None:
        """Advance by `seconds` at once, and then run the loop for `real_seconds`, so that due timers are served."""
        self._loop.skip(seconds)
        await self._loop.wait_real_seconds(real_seconds)


class _ScaledSelector(selectors.BaseSelector):
    """A selector whose timeouts are in the seconds of the loop."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._files = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._files.select(timeout / self._speed if timeout is not None and timeout > 0 else timeout)

    def close(self) -> None:
        self._files.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files.get_map()
