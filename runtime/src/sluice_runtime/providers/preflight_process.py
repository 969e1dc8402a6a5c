"""Runs the preflight checks in a child process, so that the pod never loads the provider's SDK."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from ..adapters.decoding import decode_json
from ..domain.preflight import Finding

_SECONDS = 60.0
_MAX_BYTES = 1 << 20


async def run_preflight_process(symbols: Sequence[str]) -> list[Finding]:
    """Run `sluice-runtime preflight` for `symbols` in a child process, and return its findings. Never raises.

    The child has this process's environment. The symbols are passed on standard input, because the environment has only
    the cold part of the job and a limited size.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluice_runtime", "preflight", "--json", "--symbols-from-stdin"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MAX_BYTES,
        )
    except OSError as error:  # such as no memory or processes left, which must not end the stream
        return [Finding("preflight", False, f"the preflight process could not be started: {error.strerror}")]
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await child.communicate(msgspec.json.encode(symbols))
        return decode_json(output, list[Finding])
    except TimeoutError:
        return [Finding("preflight", False, f"the preflight process did not answer within {_SECONDS:.0f} s")]
    except msgspec.MsgspecError:
        return [
            Finding("preflight", False, f"the preflight process exited with code {child.returncode} without an answer")
        ]
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
