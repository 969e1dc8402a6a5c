"""A program of ours in a process of its own, for what this one shall never load."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from ..domain.preflight import Finding
from .decoding import decoded

_SECONDS = 60.0
_MAX_BYTES = 1 << 20


async def preflight_findings() -> list[Finding]:
    """What `sluice-runtime preflight` finds, with this process's environment. Never raises, whatever becomes of it."""
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluice_runtime", "preflight", "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MAX_BYTES,
        )
    except OSError as error:  # no memory or process to be had, say: no reason to end the stream
        return [Finding("preflight", False, f"it could not be started: {error.strerror}")]
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await child.communicate()
        return decoded(output, list[Finding])
    except TimeoutError:
        return [Finding("preflight", False, f"no answer within {_SECONDS:.0f} s")]
    except msgspec.MsgspecError:
        return [Finding("preflight", False, f"it ended with code {child.returncode} and without an answer")]
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
