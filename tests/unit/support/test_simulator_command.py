import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]


def test_the_alpaca_simulator_starts_by_its_former_name_in_the_folder_of_the_tests() -> None:
    command = [sys.executable, "-m", "support.alpaca", "--help"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: sluice_simulators.alpaca")
