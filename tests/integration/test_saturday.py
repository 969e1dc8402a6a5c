"""docs/saturday.md: its commands and files work as written, except that a free port and a higher speed are used."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import socket
import sys
import tomllib
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from sluice_simulators.alpaca.client import connect
from support.deadlines import wait_for, within

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BLOCKS = [
    (kind, dedent(text))
    for kind, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", (ROOT / "docs/saturday.md").read_text(), re.M | re.S)
]
COMMANDS = [text.strip() for kind, text in BLOCKS if kind == "sh"]
[STRATEGY] = [text for kind, text in BLOCKS if kind == "python"]
[FAULTS] = [text for kind, text in BLOCKS if kind == "yaml"]
INSTALL, SAMPLE, SERVE, RUN, SERVE_WITH_FAULTS = COMMANDS
DEFAULT_PORT = "8765"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of the page."""
    path: Path = tmp_path_factory.mktemp("saturday")
    (path / "strategy.py").write_text(STRATEGY)
    (path / "faults.yaml").write_text(FAULTS)
    return path


@pytest.fixture
def port() -> str:
    """Return the number of a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@asynccontextmanager
async def running(command: str, folder: Path) -> AsyncIterator[Process]:
    """Run a command of the page in the folder, with the programs of this environment, and stop it at the end."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command), cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await wait_for(process.communicate(), 20)


async def lines_until(process: Process, last: str) -> list[str]:
    """Return the lines that a process prints up to the first one that has the words `last`."""
    assert process.stdout is not None
    lines: list[str] = []
    async with within(40, f"a line with {last!r}"):
        while not lines or last not in lines[-1]:
            line = (await process.stdout.readline()).decode()
            assert line, f"the process has ended: {lines}"
            lines.append(line)
    return lines


@asynccontextmanager
async def serving(command: str, folder: Path, port: str) -> AsyncIterator[Process]:
    """Write the sample tape once, serve it on this port, and return when clients can connect."""
    if not (folder / "day.csv.gz").exists():
        async with running(SAMPLE, folder) as writing:
            await lines_until(writing, "wrote day.csv.gz")
    async with running(f"{command} --port {port} --speed 60", folder) as server:
        said = await lines_until(server, "the tape starts when a client subscribes")
        assert f"url_override=ws://127.0.0.1:{port}/v2/iex" in "".join(said)
        yield server


def test_the_installed_folders_have_all_packages_of_this_repository_that_they_need() -> None:
    folders = re.findall(r"\./(\w+)", INSTALL)
    projects = [tomllib.loads((ROOT / name / "pyproject.toml").read_text())["project"] for name in folders]
    needed = {name for each in projects for name in each["dependencies"] if name.startswith("sluice-")}

    assert needed <= {each["name"] for each in projects}
    assert "pip install alpaca-py" in INSTALL


async def test_the_strategy_gets_quotes_and_bars_of_now(folder: Path, port: str) -> None:
    (folder / "strategy.py").write_text(STRATEGY.replace(DEFAULT_PORT, port))
    async with serving(SERVE, folder, port), running(RUN, folder) as strategy:
        lines = [line.split() for line in await lines_until(strategy, "bar ")]

    quotes = [line for line in lines if len(line) == 5 and line[0] != "bar"]
    assert {line[2] for line in quotes} == {"SPY", "AAPL"}
    at = datetime.fromisoformat(" ".join(quotes[-1][:2]))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 40
    assert lines[-1][3] == "SPY"


async def test_the_scripted_faults_occur(folder: Path, port: str) -> None:
    async with (
        serving(SERVE_WITH_FAULTS, folder, port) as server,
        connect(f"ws://127.0.0.1:{port}/v2/iex") as client,
    ):
        await client.authenticate()
        await client.request({"action": "subscribe", "quotes": ["SPY"], "statuses": ["SPY"]})
        codes: list[object] = []
        while 407 not in codes:
            messages = await client.receive_messages()
            codes += [each.get("sc", each.get("code")) for each in messages if each["T"] in ("s", "error")]
        assert codes == ["H", "T", 407]
        await lines_until(server, "is disconnected with error 407")
