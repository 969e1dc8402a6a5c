"""The images run with any user ID: platforms such as OpenShift choose one, and the group 0."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
IMAGES = ("operator", "runtime", "dashboard")


@pytest.fixture(params=IMAGES)
def instructions(request: pytest.FixtureRequest) -> list[str]:
    """Return the instructions of the image that runs, after those of the build."""
    text = (ROOT / request.param / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_the_user_is_a_number_that_the_kubelet_can_tell_from_root(instructions: list[str]) -> None:
    [user] = [line for line in instructions if line.startswith("USER ")]
    found = re.fullmatch(r"USER (\d+):(\d+)", user)
    assert found
    assert "0" not in found.groups()


def test_the_files_belong_to_root_and_python_writes_no_bytecode(instructions: list[str]) -> None:
    assert not [line for line in instructions if "--chown" in line or "--chmod" in line]
    assert [line for line in instructions if line.startswith("ENV ") and "PYTHONDONTWRITEBYTECODE=1" in line]


def test_the_page_can_be_read_whatever_the_modes_on_the_machine_that_built_it() -> None:
    build = (ROOT / "dashboard/Dockerfile").read_text().rpartition("\nFROM ")[0]
    assert build.index("COPY dashboard/build/page /page") < build.index("RUN chmod -R a+rX /page")
