from pathlib import Path

import pytest

from sluice_contract.__main__ import write_generated_files
from sluice_contract.json_schema import json_schema_file_name
from sluice_contract.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("ingestjob", "ingestpause", "ingestpolicy", "schema-rules")
NAMES = [
    *(f"crds/{kind.plural}.sluice.dev.yaml" for kind in KINDS),
    *(f"crds/schemas/{json_schema_file_name(kind)}" for kind in KINDS),
    *(f"docs/{page}.md" for page in PAGES),
    "cli/src/sluice_cli/contract.json",
    "cli/src/sluice_cli/field_texts.json",
]


@pytest.mark.parametrize("name", NAMES)
def test_generated_files_are_up_to_date(tmp_path: Path, name: str) -> None:
    write_generated_files(tmp_path)
    assert (ROOT / name).read_text() == (tmp_path / name).read_text(), f"{name} is stale: run make crds"


def test_every_definition_is_installed() -> None:
    resources = (ROOT / "crds/kustomization.yaml").read_text()
    assert all(f"  - {kind.plural}.sluice.dev.yaml\n" in resources for kind in KINDS)
