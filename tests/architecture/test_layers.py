"""The direction of imports, whose contracts are in pyproject.toml, and the test file of each module."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "crds/src/sluice_contract": "tests/unit/contract",
    "runtime/src/sluice_runtime": "tests/unit/runtime",
    "relay/src/sluice_relay": "tests/unit/relay",
    "clients/python/src/sluice_client": "tests/unit/client",
    "cli/src/sluice_cli": "tests/unit/cli",
}

# Modules that need a peer in another process are tested in tests/integration.
ELSEWHERE = {
    "providers/alpaca/source.py": "test_alpaca_provider.py",
    "providers/alpaca/snapshots.py": "test_alpaca_snapshots.py",
    "providers/alpaca/rest.py": "test_alpaca_proxy.py",
    "providers/alpaca/websocket.py": "test_alpaca_provider.py",
    "providers/alpaca/upgrade.py": "test_alpaca_proxy.py",
    "providers/alpaca/calendar.py": "test_market_calendar.py",
    "providers/alpaca/preflight.py": "test_preflight.py",
    "providers/preflight_process.py": "test_preflight.py",
    "providers/alpaca/account_check.py": "test_preflight.py",
    "sinks/firestore/sink.py": "test_firestore_sink.py",
    "sinks/firestore/job_documents.py": "test_job_documents.py",
    "purge.py": "test_job_documents.py",
    "providers/ibkr/source.py": "test_ibkr_provider.py",
    "providers/ibkr/connection.py": "test_ibkr_provider.py",
    "providers/ibkr/gateway.py": "test_ibkr_provider.py",
    "adapters/ingestjob.py": "test_ingestjob_client.py",
    "adapters/object_watch.py": "test_ingestjob_client.py",
    "adapters/pause_watch.py": "test_pause_watch.py",
    "adapters/pinged_watch.py": "test_pinged_watch.py",
    "pause_wiring.py": "test_pause_objects.py",
    "first_contact.py": "test_first_contact.py",
    "firestore.py": "test_client_sources.py",
    "sources.py": "test_client_sources.py",
}
# Modules with only types and Protocols.
PORTS = ("ports", "switch_ports", "history_ports", "provider_ports", "view_ports", "destination_ports")
UNTESTED = {f"{name}.py" for name in PORTS} | {
    f"loops/{name}.py" for name in ("document_store", "flusher_parts", "stream_parts")
}


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
