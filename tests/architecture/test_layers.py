"""The direction of imports, whose contracts are in pyproject.toml, and the test file of each module."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "crds/src/sluice_contract": "tests/unit/contract",
    "runtime/src/sluice_runtime": "tests/unit/runtime",
    "clients/python/src/sluice_client": "tests/unit/client",
}

# Modules that need a peer in another process are tested in tests/integration.
ELSEWHERE = {
    "adapters/alpaca/source.py": "test_alpaca_provider.py",
    "adapters/alpaca/snapshots.py": "test_alpaca_snapshots.py",
    "adapters/alpaca/rest.py": "test_alpaca_proxy.py",
    "adapters/alpaca/websocket.py": "test_alpaca_provider.py",
    "adapters/alpaca/upgrade.py": "test_alpaca_proxy.py",
    "adapters/alpaca/calendar.py": "test_market_calendar.py",
    "adapters/alpaca/preflight.py": "test_preflight.py",
    "adapters/preflight_process.py": "test_preflight.py",
    "adapters/preflight.py": "test_preflight.py",
    "adapters/firestore/sink.py": "test_firestore_sink.py",
    "adapters/ibkr/source.py": "test_ibkr_provider.py",
    "adapters/ibkr/connection.py": "test_ibkr_provider.py",
    "adapters/ibkr/gateway.py": "test_ibkr_provider.py",
    "adapters/ingestjob.py": "test_ingestjob_client.py",
    "first_contact.py": "test_first_contact.py",
    "firestore.py": "test_client_sources.py",
    "sources.py": "test_client_sources.py",
}
# Modules with only types and Protocols.
UNTESTED = {"ports.py", "switch_ports.py", "history_ports.py"}


def test_every_import_follows_the_layers() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_its_test_file(package: str) -> None:
    source, tests = ROOT / package, ROOT / PACKAGES[package]
    missing = []
    for module in sorted(source.rglob("*.py")):
        name = module.relative_to(source)
        if module.name == "__init__.py" or str(name) in UNTESTED:
            continue
        elsewhere = ELSEWHERE.get(str(name))
        expected = tests / name.parent / f"test_{name.stem.strip('_')}.py"
        if not (ROOT / "tests/integration" / elsewhere if elsewhere else expected).exists():
            missing.append(str(name))
    assert missing == []
