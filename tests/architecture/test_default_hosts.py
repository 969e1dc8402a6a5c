"""Each text that names the default of SLUICE_PROVIDER_HOSTS names the hosts that the providers' blocks declare."""

import re
from pathlib import Path

import pytest

from sluice_contract.providers import DEFAULT_HOST_ENTRIES
from sluice_operator.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ",".join(DEFAULT_HOST_ENTRIES)

# The texts that are not generated. The first one states the default itself, the others have more hosts after it.
STATED = {"docs/security.md": r"\| `SLUICE_PROVIDER_HOSTS`.*\| `([^`]+)` \|"}
EXTENDED = {
    "manifests/overlays/kind/operator-patch.yaml": r"name: SLUICE_PROVIDER_HOSTS\n *value: \"([^\"]+)\"",
    "docs/upgrades.md": r"SLUICE_PROVIDER_HOSTS='([^']+)'",
}


def found_in(path: str, pattern: str) -> str:
    [found] = re.findall(pattern, (ROOT / path).read_text())
    return str(found)


def test_the_operator_allows_what_the_blocks_declare() -> None:
    assert [each.text for each in Settings().provider_hosts] == list(DEFAULT_HOST_ENTRIES)


@pytest.mark.parametrize("path", STATED)
def test_a_text_states_the_default(path: str) -> None:
    assert found_in(path, STATED[path]) == DEFAULT


@pytest.mark.parametrize("path", EXTENDED)
def test_a_longer_list_begins_with_the_default(path: str) -> None:
    assert found_in(path, EXTENDED[path]).startswith(f"{DEFAULT},")
