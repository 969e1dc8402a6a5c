"""What `make status` prints of the jobs, with a program in the place of kubectl."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.job_status import print_job_status
from support.fake_kubectl import job

PROGRAM = """
import json, sys
if "--kubeconfig=/config" not in sys.argv or "leases" in sys.argv[-1]:
    sys.exit("Error from server (Forbidden): no")
print({answer!r})
"""


def program(folder: Path, body: str) -> Path:
    """Write a program with this Python code, and return its path."""
    path = folder / "kubectl"
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)
    return path


def test_the_jobs_are_shown_as_the_plugin_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.dumps({"items": [job()]})
    print_job_status(program(tmp_path, PROGRAM.format(answer=answer)), Path("/config"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "JOB"
    assert "acme/us-equities" in lines[1]
    assert lines[-1] == "Next: kubectl sluice status us-equities -n acme"


def test_without_a_job_the_next_step_is_to_create_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_job_status(program(tmp_path, PROGRAM.format(answer='{"items": []}')), Path("/config"))
    assert capsys.readouterr().out == "No job. Create one with kubectl apply -f FILE.\n"


def test_an_api_server_that_does_not_answer_says_what_to_do(tmp_path: Path) -> None:
    unreachable = program(tmp_path, "import sys\nsys.exit('The connection to the server h:1 was refused')\n")
    with pytest.raises(DevclusterError, match=r"does not answer: run `make up`\. kubectl: The connection"):
        print_job_status(unreachable, Path("/config"))
