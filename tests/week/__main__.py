"""Plays the holiday week in about twelve minutes, prints its problems, and exits with 1 if there are any."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from week.run import play_scenario
from week.scenarios import holiday_week

SPEED = 20.0


def main() -> int:
    """Play the week and print what was wrong."""
    began, scenario = time.monotonic(), holiday_week()
    with tempfile.TemporaryDirectory() as folder:
        problems = play_scenario(scenario, SPEED, Path(folder))
    for fault in scenario.faults:
        print(f"{fault.begins:%a %H:%M}  {fault.name}")
    print(*(problems or ["Status, heartbeat and documents reported these faults, and nothing else."]), sep="\n")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
