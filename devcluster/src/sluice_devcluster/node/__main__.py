"""The node agent's process: started by `sluice-devcluster up`, told by its state directory what to do."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.node import agent


def main() -> None:
    """Runs the agent until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m sluice_devcluster.node")
    parser.add_argument("--state", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(agent.run_agent(StateDirectory(parser.parse_args().state)))


if __name__ == "__main__":
    main()
