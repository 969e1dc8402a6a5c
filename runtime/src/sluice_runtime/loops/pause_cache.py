"""Keeps the pause objects across restarts of the process: a restart must not resume what a pause has stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from ..aio.waiting import run_with_timeout
from ..state.pause_states import PauseStates
from ..switch_ports import PauseStore

_log = logging.getLogger(__name__)

# As for the job itself: waiting longer for an unreachable API server would only delay the stream.
_FIRST_ANSWER_SECONDS = 5.0

BlockingRunner = Callable[[Callable[[], None]], Awaitable[None]]


class PauseCache:
    """Restores the pause objects that an earlier process of this pod stored, and stores each change."""

    def __init__(
        self, states: PauseStates, store: PauseStore, run_blocking: BlockingRunner = asyncio.to_thread
    ) -> None:
        """`run_blocking` runs file operations outside the event loop, so that a stop never waits for the disk."""
        self._states = states
        self._store = store
        self._run_blocking = run_blocking
        self._is_restored = False

    def restore(self) -> None:
        """Set the stored pauses, which are in force at once. Until the API server answers, there may be others."""
        stored = self._store.read()
        self._is_restored = stored is not None
        self._states.expect_first_read(stored)

    async def run(self) -> None:
        """Store each change of the pauses, until cancelled.

        If the API server does not answer within 5 s, the restored pauses count as all that there are.
        """
        if self._is_restored and not await run_with_timeout(_FIRST_ANSWER_SECONDS, self._wait_until_read()):
            _log.warning("the API server does not answer; continuing with the cached pauses")
            self._states.accept_restored_pauses()
        await self._wait_until_read()
        while True:
            version, pauses = self._states.version, self._states.value
            await self._run_blocking(partial(self._store.write, pauses))
            await self._states.wait_for_change(version)

    async def _wait_until_read(self) -> None:
        while not self._states.value.are_read:
            await self._states.wait_for_change(self._states.version)
