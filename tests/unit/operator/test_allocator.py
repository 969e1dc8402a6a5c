"""The settings of the C library's allocator: a process whose large blocks were freed becomes small again."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from sluice_operator import allocator

# Blocks of 24 MiB with a small block between each two, which would keep the heap from shrinking.
PROGRAM = """
from pathlib import Path
from sluice_operator import allocator
assert allocator.return_freed_memory_to_system()
def memory():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
before, kept = memory(), []
for _ in range(4):
    large = [bytearray(b"x") * (24 * 2**20) for _ in range(3)]
    kept.append(bytearray(b"x") * 100_000)
    del large
print(memory() - before)
"""


def test_freed_blocks_return_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 8


def test_a_c_library_without_these_settings_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not allocator.return_freed_memory_to_system()
