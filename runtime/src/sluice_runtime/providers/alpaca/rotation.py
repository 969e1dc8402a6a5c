"""Rotation of the key pair while the stream is open: the old pair streams until the new one is known to be accepted."""

from __future__ import annotations

import asyncio
import logging

from ...domain.failure import StreamError
from ...ports import Listener
from .credentials import Credentials, CredentialsReader
from .key_pair_check import KeyPairCheck, KeyPairCheckError

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}

# Waits while the REST interface has no result. Then the new pair is tried on the stream, as without such an interface.
_RETRY_SECONDS = (2.0, 4.0, 8.0, 16.0)


class KeyPairRotation:
    """Waits for a new key pair, checks it over REST, and reports which pairs the provider accepts or refuses."""

    def __init__(self, reader: CredentialsReader, check: KeyPairCheck | None) -> None:
        """Without `check`, a new pair is tried on the stream itself."""
        self._reader = reader
        self._check = check
        self._listener: Listener | None = None

    def report_to(self, listener: Listener) -> None:
        """Report to `listener` from now on."""
        self._listener = listener

    async def wait_until_replaceable(self, streaming: Credentials) -> None:
        """Wait until the connection with the pair `streaming` must be replaced.

        This is when the CA certificates have changed, or a new pair is mounted that the provider accepts as far as is
        known. A pair that was refused is not tried again.
        """
        history = self._reader.history
        seen: Credentials | None = streaming
        while not self._reader.has_new_certificates():
            before, seen = seen, self._reader.read_mounted_pair()
            if seen == streaming:
                self._clear_problem()
            # The two files of a pair are not written at once, so a pair must be the same in two reads.
            elif seen is not None and seen == before and not history.is_refused(seen) and await self._can_be_used(seen):
                return
            await self._reader.wait_for_next_read()

    def record_acceptance(self, pair: Credentials) -> None:
        """Record and report that the stream accepted a pair."""
        self._reader.history.record_accepted(pair)
        if pair == self._reader.read_mounted_pair():
            self._reader.history.problem = None
        self._report()

    def record_refusal(self, pair: Credentials, answer: str) -> None:
        """Record, log and report that the provider refuses a new pair, so that the previous one stays in use."""
        problem = (
            f"Alpaca refuses the new key pair in the Secret {self._reader.secret_name} ({answer}), so the previous "
            f"pair stays in use. Correct the pair in the Secret. To try the same pair again, delete the pod."
        )
        self._reader.history.record_refused(pair, problem)
        _log.warning("%s", problem, extra=_STREAM)
        self._report()

    def record_refusal_of_all(self) -> None:
        """Record and report that the provider refuses every pair, so that there is none to fall back to."""
        self._reader.history.forget_accepted()
        self._report()

    async def _can_be_used(self, pair: Credentials) -> bool:
        """Return whether the stream can change to `pair`: the check does not refuse it, and it is still mounted."""
        if self._check is not None:
            status = await self._refusal_status(self._check, pair)
            if status is not None:
                self.record_refusal(pair, f"HTTP {status}")
                return False
        return self._reader.read_mounted_pair() == pair

    async def _refusal_status(self, check: KeyPairCheck, pair: Credentials) -> int | None:
        """Return the HTTP status of a refusal; None if the pair is accepted, or if no answer says either."""
        failure = ""
        for wait in _RETRY_SECONDS:
            try:
                return await check.refusal_status(pair, self._reader.tls_context())
            except (KeyPairCheckError, StreamError) as error:
                failure = str(error)
            await asyncio.sleep(wait)
        _log.warning(
            "the new key pair cannot be checked over REST (%s); trying it on the stream", failure, extra=_STREAM
        )
        return None

    def _clear_problem(self) -> None:
        """Report that nothing is wrong, once the pair in use is mounted again."""
        if self._reader.history.problem is not None:
            self._reader.history.problem = None
            self._report()

    def _report(self) -> None:
        if self._listener is not None:
            history = self._reader.history
            self._listener.on_credentials(history.generation, history.problem)
