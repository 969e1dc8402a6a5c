"""The process of the node agent; `sluice-devcluster up` starts it with the path of the state directory."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.node import agent


def main() -> None:
    """Run the agent until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sluice_devcluster.node")
    parser.add_argument("--state", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(agent.run_agent(StateDirectory(parser.parse_args().state)))


if __name__ == "__main__":
    main()
