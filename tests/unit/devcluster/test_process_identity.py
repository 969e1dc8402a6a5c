"""The start time of a process, by /proc and by ps."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sluice_devcluster import process_identity, processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.mark.parametrize("find", [process_identity.start_ticks_from_proc, process_identity.start_second_from_ps])
def test_a_process_keeps_its_start_time_until_it_ends(find: process_identity.FindStart) -> None:
    with subprocess.Popen(SLEEP) as process:
        first = find(process.pid)
        assert first is not None
        assert find(process.pid) == first
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert find(process.pid) is None  # a zombie
    assert find(process.pid) is None


def test_ps_has_the_start_time_in_seconds() -> None:
    with subprocess.Popen(SLEEP) as process:
        found = process_identity.start_second_from_ps(process.pid)
        process.kill()
    assert found is not None
    assert abs(found - time.time()) < 120


def test_a_process_is_started_and_stopped_where_there_is_no_proc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    record = tmp_path / "sleep.json"
    processes.start_process(SLEEP, tmp_path / "log", record)
    found = processes.load_record(record)
    assert found is not None
    assert found.boot == ""
    assert processes.is_alive(found)
    assert not processes.wait_for_exit(found, 0.1)
    processes.stop_processes([record], 5.0)
    assert not processes.is_alive(found)
    assert not record.exists()
