"""A program of ours in a process of its own, for what this one shall never load."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from ..domain.preflight import Finding
from .decoding import decoded

_SECONDS = 60.0
_MAX_BYTES = 1 << 20


async def preflight_findings(symbols: Sequence[str]) -> list[Finding]:
    """Return what `sluice-runtime preflight` finds about `symbols`, with this process's environment. Never raises.

    The symbols go through standard input: the environment has only the cold part of the job, and its length is limited.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluice_runtime", "preflight", "--json", "--symbols-from-stdin"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MAX_BYTES,
        )
    except OSError as error:  # no memory or process to be had, say: no reason to end the stream
        return [Finding("preflight", False, f"it could not be started: {error.strerror}")]
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await child.communicate(msgspec.json.encode(symbols))
        return decoded(output, list[Finding])
    except TimeoutError:
        return [Finding("preflight", False, f"no answer within {_SECONDS:.0f} s")]
    except msgspec.MsgspecError:
        return [Finding("preflight", False, f"it ended with code {child.returncode} and without an answer")]
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
