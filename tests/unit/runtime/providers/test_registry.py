"""The registry of providers, and what looking one up imports."""

import subprocess
import sys
from typing import get_args

import pytest

from sluice_contract.spec import IngestJobSpec, Provider
from sluice_runtime.providers.registry import ENVIRONMENT_PROVIDER, load_all_providers, load_provider

NAMES = get_args(Provider)
# Modules that several providers use.
SHARED = {"provider", "registry", "local", "simulated_quotes", "preflight_process"}


def imported_parts(statement: str) -> set[str]:
    """Return the folders and modules of providers/ that a new process imports with this statement."""
    program = f"import sys; {statement}; print(*(name for name in sys.modules if name.startswith('{PREFIX}')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.removeprefix(PREFIX).partition(".")[0] for name in done.stdout.split()} - SHARED


PREFIX = "sluice_runtime.providers."


def test_every_provider_of_the_contract_is_registered_and_no_other() -> None:
    assert [name for name, _ in load_all_providers()] == list(NAMES)


def test_the_app_imports_no_provider() -> None:
    assert imported_parts("import sluice_runtime.__main__, sluice_runtime.app, sluice_runtime.standalone") == set()


@pytest.mark.parametrize("name", NAMES)
def test_looking_a_provider_up_imports_only_its_own_folder(name: str) -> None:
    statement = f"from sluice_runtime.providers.registry import load_provider; load_provider('{name}')"
    assert imported_parts(statement) == {name}


def test_the_provider_of_the_environment_has_a_stream_for_trials() -> None:
    stream = load_provider(ENVIRONMENT_PROVIDER).always_open_stream
    assert stream is not None
    assert f"MONITORED_SYMBOLS={stream.symbol}" in stream.variables


@pytest.mark.parametrize("name", NAMES)
def test_the_variables_of_a_provider_set_fields_of_its_own_block(name: str) -> None:
    variables = load_provider(name).variables
    assert all(path.startswith(f"spec.{name}.") for path in variables.block_fields)
    assert name in IngestJobSpec.__struct_fields__
