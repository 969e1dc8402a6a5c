from pathlib import Path

import pytest

from sluice_contract.__main__ import write_generated_files

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["crds/ingestjobs.sluice.dev.yaml", "docs/ingestjob.md"])
def test_generated_files_are_up_to_date(tmp_path: Path, name: str) -> None:
    for folder in ("crds", "docs"):
        (tmp_path / folder).mkdir()
    write_generated_files(tmp_path)
    assert (ROOT / name).read_text() == (tmp_path / name).read_text(), f"{name} is stale: run make crds"
